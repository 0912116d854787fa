# A web server that takes its time, and forgets all requests when it is stopped.
use strict;
use IO::Socket::INET;

$SIG{CHLD} = 'IGNORE';
my $listener = IO::Socket::INET->new(LocalPort => 8080, Listen => 128, ReuseAddr => 1) or die $!;
while (1) {
    my $client = $listener->accept or next;
    next if fork;
    while (<$client>) { last if /^\r?$/ }
    select undef, undef, undef, 0.1;
    print $client "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nversion one.\n";
    exit;
}
