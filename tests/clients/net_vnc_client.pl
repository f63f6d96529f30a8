# net_vnc_client.pl PORT DEPTH WORD FILE: saves the screen and types the word.
use strict;
use warnings;
use Net::VNC;

my ($port, $depth, $word, $path) = @ARGV;
my $vnc = Net::VNC->new({ hostname => '127.0.0.1', port => $port });
$vnc->depth($depth);
$vnc->login;
$vnc->capture->save($path);
for my $character (split //, $word) {
    $vnc->send_key_event_down(ord $character);
    $vnc->send_key_event_up(ord $character);
}
