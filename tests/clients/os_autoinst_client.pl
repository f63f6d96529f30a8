# os_autoinst_client.pl DEPTH PORT PASSWORD WORD X Y FILE: what os-autoinst does with a machine's screen.
# Clicks and types, and goes on saving the screen; says so each time that it got the sign of life it asked for.
use strict;
use warnings;
use Time::HiRes 'sleep';
use tinycv;
use consoles::VNC;

my ($depth, $port, $password, $word, $x, $y, $path) = @ARGV;
my $vnc = consoles::VNC->new(hostname => '127.0.0.1', port => $port, password => $password, depth => $depth || undef);
$vnc->login;
sleep 0.1 until picture();
$vnc->mouse_click($x, $y);
$vnc->map_and_send_key($_, undef, 0.01) for split //, $word;
while (1) {
    sleep 0.1;
    my $asked = $vnc->_vnc_stalled;
    warn "a sign of life\n" if picture() && $asked;
}

# What os-autoinst does several times in a second, whether or not its last request was answered.
# The picture gets its name only when it is whole.
sub picture {
    my $updated = $vnc->update_framebuffer;
    $vnc->send_update_request;
    return 0 if !$updated;
    $vnc->_framebuffer->write("$path.png");
    rename "$path.png", $path or die "$path: $!";
    return 1;
}
