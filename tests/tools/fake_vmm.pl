# fake_vmm.pl SOCK MODE [LOG]: listens like Firecracker's API and misbehaves. One process for each
# connection; a line "METHOD PATH BODY" of each request goes to LOG.
use strict;
use warnings;
use IO::Socket::UNIX;
use POSIX ();

my ($path, $mode, $log) = @ARGV;
$SIG{CHLD} = 'IGNORE';
$SIG{PIPE} = 'IGNORE';
my $server = IO::Socket::UNIX->new(Local => $path, Listen => 5) or die "$path: $!\n";

sub reply {
	my ($s, $status, $body) = @_;
	syswrite $s, "HTTP/1.1 $status \r\nServer: fake\r\nContent-Type: application/json\r\n" .
		'Content-Length: ' . length($body) . "\r\n\r\n$body";
}

sub raw {
	my ($s) = @_;
	if ($mode eq 'nonsense') { syswrite $s, "SSH-2.0-fake\r\n"; sleep 1; return 1 }
	if ($mode eq 'hang') { sleep 60; return 1 }
	return 1 if $mode eq 'close';
	if ($mode eq 'short') { syswrite $s, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"sta"; return 1 }
	if ($mode eq 'huge') {
		syswrite $s, "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n{\"state\": \"";
		for (1 .. 200) { syswrite $s, 'x' x 65536 or last }
		return 1;
	}
	if ($mode eq 'headers') {
		syswrite $s, "HTTP/1.1 200 OK\r\n";
		for (1 .. 20000) { syswrite $s, "X-Header-$_: x\r\n" or last }
		return 1;
	}
	return 0;
}

sub serve {
	my ($s, $request) = @_;
	my ($method, $what) = split ' ', $request;
	my $get = $method eq 'GET';
	return reply($s, 200, '{"hello": 1}') if $mode eq 'other';
	return reply($s, 200, '{"state": "Run') if $mode eq 'broken';
	return reply($s, 200, '["state"]') if $mode eq 'array';
	return reply($s, 200, '{"state": "Paused"}') if $mode eq 'paused' && $get;
	return reply($s, 400, '') if $mode eq 'empty' && !$get;
	return reply($s, 400, "{\"fault_message\": \"no \\u001b[31m" . 'x' x 5000 . '"}')
		if $mode eq 'words' && $what eq '/snapshot/create';
	if ($mode eq 'deaf' && $what eq '/snapshot/create') { sleep 60; return }
	if ($mode eq 'drops' && $what eq '/snapshot/create') { shutdown $s, 2; return }
	if ($mode eq 'dies' && $what eq '/snapshot/create') { kill 'KILL', getppid; POSIX::_exit(0) }
	return reply($s, 400, '{"fault_message": "cannot resume"}')
		if $mode eq 'stuck' && $request =~ /Resumed/ && !-e "$path.free";
	return reply($s, 200, '{"state": "' . ($mode eq 'stuck' && -e "$path.stuck" ? 'Paused' : 'Running') . '"}')
		if $get;
	if ($mode eq 'stuck' && $request =~ /Paused/) { open my $f, '>', "$path.stuck" }
	unlink "$path.stuck" if $request =~ /Resumed/;
	if ($mode eq 'quits' && $request =~ /Resumed/) {
		syswrite $s, "HTTP/1.1 204 \r\nServer: fake\r\n\r\n";
		kill 'KILL', getppid;
		POSIX::_exit(0);
	}
	syswrite $s, "HTTP/1.1 204 \r\nServer: fake\r\nConnection: keep-alive\r\n\r\n";
}

while (1) {
	my $s = $server->accept or next;
	next if fork;
	close $server;
	my $buf = '';
	while (sysread $s, $buf, 65536, length $buf) {
		next unless $buf =~ /\r\n\r\n/;
		my ($head, $body) = split /\r\n\r\n/, $buf, 2;
		next if $head =~ /Content-Length: (\d+)/i && length $body < $1;
		my ($first) = $head =~ /^(\S+ \S+)/;
		if ($log) { open my $f, '>>', $log; syswrite $f, "$first $body\n" }
		last if raw($s);
		serve($s, "$first $body");
		$buf = '';
	}
	POSIX::_exit(0);
}
