# net_vnc_client.pl DEPTH PORT PASSWORD WORD X Y FILE: clicks and types, and goes on saving the screen.
use strict;
use warnings;
use Net::VNC;

my ($depth, $port, $password, $word, $x, $y, $path) = @ARGV;
my $vnc = Net::VNC->new({ hostname => '127.0.0.1', port => $port, password => $password });
$vnc->depth($depth);
$vnc->login;
save();
$vnc->mouse_move_to($x, $y);
$vnc->mouse_click;
for my $character (split //, $word) {
    $vnc->send_key_event_down(ord $character);
    $vnc->send_key_event_up(ord $character);
}
save() while 1;

# Under its name only when it is whole.
sub save {
    my $image = $vnc->capture;
    $image->save("$path.png");
    rename "$path.png", $path or die "$path: $!";
}
