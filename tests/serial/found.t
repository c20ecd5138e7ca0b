# record --duration: BRANCHes that nobody announced are found by their dark windows.
. "$TOP/tests/lib.sh"
. "$TOP/tests/branchsim.sh"
. "$TOP/tests/drivers.sh"
[ -w /dev/kvm ] || skip_all "no /dev/kvm: an emulated vCPU that idles looks like one that is paused"
[ $root -eq 1 ] || skip_all "needs root: without kernel stacks nobody knows who is in the guest"

polls() { ls -l "/proc/$recorder/fd" 2>/dev/null | grep -q snapflame-polls; }
record_and_branch() { # COUNT
  "$SNAPFLAME" record -p "$vmm" --duration 60 -o run.data >/dev/null 2>"$err" &
  recorder=$!
  wait_for polls
  sleep 0.3
  gap=0.1 branches "$1"
  sleep 0.3
  kill -INT $recorder
  wait $recorder
}

vmm_start backoff --vcpus 3 --log "$TMP/log" --grow 15
record_and_branch 5
is $? 0 "BRANCHes that nobody announced: status"
branches 1 # the log's last line is written when the VM has run for a moment
"$SNAPFLAME" show run.data branches --json >show.json
perl -MJSON::PP -e 'local $/; open my $f, "<", "log"; my @own = map { decode_json($_) } split /\n/, <$f>;
  open my $g, "<", "show.json"; my @s = @{decode_json(<$g>)};
  die scalar(@s) . " were found\n" if @s != 5;
  for (0 .. 4) {
    my $o = $own[$_]; my $off = abs($s[$_]{start_ns} - $o->{dark_start_ns}) / 1e6;
    die "BRANCH $_: begins $off ms off\n" if $off > 1;
    die "BRANCH $_: $s[$_]{dark_ms} and $o->{dark_ms} ms\n" if abs($s[$_]{dark_ms} - $o->{dark_ms}) > 1;
  }' 2>"$err"
ok $? "each is found within 1 ms" || diag "$(cat "$err")"
like "$("$SNAPFLAME" diff run.data)" "*timer*" "and explained"
vmm_stop

# An idle and a busy guest leave KVM_RUN for other reasons: those are no BRANCHes.
vmm_start none --vcpus 2
"$SNAPFLAME" record -q -p "$vmm" --duration 1 -o run.data
"$SNAPFLAME" show run.data branches --json >show.json 2>"$err"
is "$(grep -c '"branch"' show.json)" 1 "without a BRANCH nothing is found"
perl -MJSON::PP -e 'local $/; my @s = @{decode_json(<STDIN>)}; die unless $s[0]{api_ms} >= 1000' <show.json
ok $? "the window is what was recorded"
vmm_stop
done_testing
