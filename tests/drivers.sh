# drivers.sh: what the tests of the drivers share. Sourced after lib.sh and branchsim.sh.
#
#   record OPTION...     record into run.data
#   marks FILE TYPE      the marks of that type, one a line
#   state [SECONDS]      what the API says the VM's state is, waiting so long for "Running"
#   goes_on WHAT [SECONDS]   the VM runs, within 12 s, and its guest makes pages dirty
#   wrong WHAT PATTERN OPTION...   recording fails with status 1, and says so
[ -x "$sim" ] || skip_all "branchsim is not built"
grep -q HAVE_CURL "$BUILD/config.mk" || skip_all "built without libcurl"
run "$SNAPFLAME" record -q --duration 0.01 -p $$ -o "$TMP/probe"
[ "$status" -eq 0 ] || skip_all "recording does not work here: $(tail -n 1 "$err")"
cd "$TMP" || exit 1
sock=api.sock
root=0
[ "$(id -u)" -eq 0 ] && root=1
fake=
mounted=
cleanup() {
  [ -z "$fake" ] || kill $fake 2>/dev/null
  vmm_stop
  [ -z "$mounted" ] || umount "$mounted"
}
trap 'tap_status=$?; cleanup; [ $tap_status -eq 0 ] && [ $tap_failed -ne 0 ] && exit 1; exit $tap_status' EXIT

record() { run "$SNAPFLAME" record -o run.data "$@"; }
marks() { tr '\000' '\n' <"$1" | grep -a "^{.*\"type\":\"$2\""; }
# state [SECONDS]: what the API says, waiting for so long for "Running"
state() {
  perl -MIO::Socket::UNIX -MTime::HiRes=time,sleep -e '
    my $until = time + $ARGV[1]; my $state = "no reply";
    local $SIG{ALRM} = sub { print $state; exit }; alarm $ARGV[1] + 1;
    do {
      my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]); my $buf = "";
      if ($s) { syswrite $s, "GET / HTTP/1.1\r\n\r\n"; sysread $s, $buf, 4096; }
      $state = $1 if $buf =~ /"state": ?"([^"]*)"/;
      if ($state ne "Running") { sleep 0.05 }
    } while ($state ne "Running" && time < $until);
    print $state;' "$sock" "${1:-0}"
}
dirties() {
  sleep 0.05
  branches 1
  [ "$(field diff_physical_bytes "$TMP/branches")" -gt 1000000 ] 2>/dev/null
}
# The VM runs, and its guest makes pages dirty.
goes_on() {
  is "$(state "${2:-12}")" Running "$1: the VM runs"
  wait_for dirties # as soon as its vCPUs get a CPU
  ok $? "$1: the guest goes on" || diag "$(cat "$TMP/branches" "$err")"
}

wrong() {
  what=$1 want=$2
  shift 2
  record -q "$@"
  is "$status" 1 "$what: status"
  like "$(cat "$err")" "$want" "$what: said"
}
