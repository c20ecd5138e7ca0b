# fake_qmp.pl SOCK MODE LOG: listens like QEMU's QMP and misbehaves; one client at a time, as QEMU does.
# Commands go to LOG.
use strict;
use warnings;
use IO::Socket::UNIX;
use Time::HiRes qw(time);

my ($path, $mode, $log) = @ARGV;
$SIG{PIPE} = 'IGNORE';
# There under its name once it listens.
my $server = IO::Socket::UNIX->new(Local => "$path.new", Listen => 5) or die "$path: $!\n";
rename "$path.new", $path or die "$path: $!\n";
my ($running, $migration) = (1, 'none');

sub event {
	my ($s, $name) = @_;
	my $t = time;
	syswrite $s, sprintf "{\"timestamp\": {\"seconds\": %d, \"microseconds\": %d}, \"event\": \"%s\"}\r\n",
		int $t, ($t - int $t) * 1e6, $name;
}

sub answer {
	my ($s, $command, $id) = @_;
	my $return = '{}';
	return "{\"error\": {\"class\": \"GenericError\", \"desc\": \"not $command \\u001b[31m\"}, \"id\": $id}"
		if $mode eq "no-$command" || ($mode eq 'stuck' && $command eq 'cont' && !-e "$path.free");
	# Somebody sets the clock: clocks.so waits for the file.
	if ($command eq 'stop' && $mode eq 'set') { open my $f, '>', "$path.set" }
	if ($command eq 'stop') { $running = 0; event($s, 'STOP') }
	if ($command eq 'cont') { $running = 1; event($s, 'RESUME') }
	$migration = $mode eq 'fails' ? 'failed' : $mode eq 'endless' ? 'active' : 'completed'
		if $command eq 'migrate';
	$migration = 'cancelled' if $command eq 'migrate_cancel' && $migration eq 'active';
	if ($command eq 'query-status') {
		my ($status, $flag) = $running && $mode ne 'paused' ? ('running', 'true') : ('paused', 'false');
		$return = "{\"status\": \"$status\", \"running\": $flag}";
	}
	$return = "{\"status\": \"$migration\", \"error-desc\": \"no room\"}" if $command eq 'query-migrate';
	return "{\"return\": $return, \"id\": 999999}\r\n{\"return\": $return, \"id\": $id}" if $mode eq 'other-id';
	return 'null' if $mode eq 'null' && $command eq 'query-status';
	return "{\"id\": $id}" if $mode eq 'neither' && $command eq 'query-status';
	return "{\"return\": $return, \"id\": $id}";
}

sub serve {
	my ($s) = @_;
	return if $mode eq 'close';
	if ($mode eq 'hang') { sleep 60; return }
	if ($mode eq 'nonsense') { syswrite $s, "220 smtp\r\n"; sleep 1; return }
	if ($mode eq 'object') { syswrite $s, "{}\r\n"; sleep 1; return }
	if ($mode eq 'huge') { for (1 .. 400) { syswrite $s, 'x' x 65536 or last } return }
	syswrite $s, "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n";
	while (my $line = <$s>) {
		my ($command) = $line =~ /"execute": ?"([^"]*)"/;
		my $id = $line =~ /"id": ?(\d+)/ ? $1 : 0;
		open my $f, '>>', $log;
		syswrite $f, "$command\n";
		return if $mode eq "drop-$command";
		syswrite $s, answer($s, $command, $id) . "\r\n";
	}
}

while (1) {
	my $s = $server->accept or next;
	serve($s);
	close $s;
}
