# record --qmp against the real QEMU with a real guest: Debian's cloud kernel and an initrd of busybox that
# makes pages dirty, without hardware virtualisation. The windows are those that another client of QEMU saw.
. "$TOP/tests/lib.sh"
. "$TOP/tests/qemu.sh"
n=${BRANCHES:-5}
other=
files=$TMP/files
cleanup() {
  [ -z "$other" ] || kill "$other" 2>/dev/null
  guest_stop
  rm -rf "$files"
}
trap 'tap_status=$?; cleanup; [ $tap_status -eq 0 ] && [ $tap_failed -ne 0 ] && exit 1; exit $tap_status' EXIT
# 110 MB each: memory is kinder to the disk that others use.
[ -w /dev/shm ] && files=$(mktemp -d /dev/shm/snapflame-test.XXXXXX)
mkdir -p "$files"

guest_start

# Somebody else, who is told the same events.
perl -MIO::Socket::UNIX -e '$| = 1; my $s = IO::Socket::UNIX->new(Peer => "events.sock") or die; <$s>;
  syswrite $s, "{\"execute\": \"qmp_capabilities\"}\n";
  while (<$s>) {
    printf "%s %d.%06d\n", $3, $1, $2 if /"seconds": (\d+), "microseconds": (\d+).*"event": "(STOP|RESUME)"/;
  }' >events &
other=$!
sleep 0.5
run "$SNAPFLAME" record --qmp qmp.sock --snapshot-dir "$files" --branches "$n" --gap 0.3 -o run.data
is "$status" 0 "$n BRANCHes: status" || diag "$(cat "$err" qemu.log)"
"$SNAPFLAME" show run.data branches --json >branches.json 2>"$err"
perl -MJSON::PP -e 'local $/; open my $f, "<", "branches.json"; my @seen = @{decode_json(<$f>)};
  open my $g, "<", "events"; my @e = map { [split] } split /\n/, <$g>; my $good = 0;
  for my $s (@seen) {
    my ($stop, $resume) = splice @e, 0, 2;
    die "events\n" if $stop->[0] ne "STOP" || $resume->[0] ne "RESUME";
    my $ms = ($resume->[1] - $stop->[1]) * 1e3; my $allowed = $ms > 100 ? $ms / 100 : 1;
    if (abs($ms - $s->{dark_ms}) <= $allowed) { $good++ } else { print "# $s->{branch}: $s->{dark_ms}, not $ms\n" }
    die "API\n" if $s->{api_ms} < $s->{dark_ms} || $s->{diff_physical_bytes} < 40e6;
  }
  print "$good of ", scalar @seen, "\n"' >good 2>&1
is "$(tail -n 1 good)" "$n of $n" "dark windows within 1 ms or 1 % of STOP and RESUME" || diag "$(cat good events)"
"$SNAPFLAME" show run.data phases --json >phases.json 2>"$err"
perl -MJSON::PP -e 'local $/; my ($p, $b) = map { open my $f, "<", $_ or die; decode_json(<$f>) } @ARGV; my (%sum, %ms);
  for (@$p) { $sum{$_->{branch}} += $_->{ms}; $ms{$_->{phase}} += $_->{ms} }
  for (@$b) { die "BRANCH $_->{branch}\n" if abs($sum{$_->{branch}} - $_->{dark_ms}) > 0.001 }
  die "no memory file\n" if !$ms{"memory file"}' phases.json branches.json 2>"$err"
ok $? "the phases sum to them" || diag "$(cat "$err" phases.json)"
"$SNAPFLAME" show run.data threads >threads 2>&1
grep -q "CPU 0/TCG *vCPU" threads
ok $? "the vCPU" || diag "$(cat threads)"
goes_on "the guest goes on"
done_testing
