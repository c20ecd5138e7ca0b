# The time of day is set, or the machine sleeps, while BRANCHes are recorded. Windows and stacks have a
# clock of their own: nothing moves; what happened is told; there is no verdict on a pause that the
# machine slept in. (CPUs that go: tests/long/record_hotplug.t.)
. "$TOP/tests/lib.sh"
. "$TOP/tests/record.sh"
clocks=$BUILD/tests/clocks.so
[ -e "$clocks" ] || skip_all "$clocks is not built (make check builds it, but not with sanitizers)"

# upset NAME VARIABLE=NS: two BRANCHes, in the second of them the clock jumps; into NAME.data
upset() {
  rm -f first second
  run env LD_PRELOAD="$clocks" CLOCK_WHEN="$TMP/second" "$2" "$SNAPFLAME" record -q -p "$vmm" --branches 2 \
    --gap 0.05 -o "$1.data" -- sh -c "if [ -f first ]; then echo >second; else echo >first; fi; $branch"
  is "$status" 0 "$1: recorded" || sed 's/^/# /' "$err"
  is "$(marks "$1.data" window | grep -c '"branch":1.*"upsets"')" 0 "$1: nothing in the first BRANCH"
  w=$(marks "$1.data" window | tail -n 1)
  ns=$(($(field "$w" end) - $(field "$w" begin)))
  [ $ns -gt 20000000 ] && [ $ns -lt 10000000000 ]
  ok $? "$1: the window is as long as it was ($ns ns)"
  run "$SNAPFLAME" fold -q --window 2 "$1.data"
  [ "$status" -eq 0 ] && [ -s "$out" ]
  ok $? "$1: it has stacks"
  run "$SNAPFLAME" show "$1.data" coverage
  is "$status" 0 "$1: coverage" || sed 's/^/# /' "$err"
}

upset forward CLOCK_SET=3600000000000
like "$w" '*"upsets":\[{"kind":"clock","text":"the time of day was set forward by 3600.0*' "forward: is in the window"
[ "$(awk '$1 == 2 {print $NF}' "$out")" = yes ]
ok $? "forward: the second BRANCH is as good as the first" || sed 's/^/# /' "$out"
run "$SNAPFLAME" diff -q forward.data --fast 1 --slow 2 --json
like "$(cat "$out")" '*"in BRANCH 2 the time of day was set forward by 3600.0*' "forward: diff says so" || diag "$(cat "$err")"

upset back CLOCK_SET=-86400000000000
like "$w" '*"kind":"clock","text":"the time of day was set back by 86400.0*' "back: is in the window"

upset asleep CLOCK_SLEPT=5000000000
like "$w" '*"upsets":\[{"kind":"sleep","text":"the machine slept for 5.00*' "asleep: is in the window, and no other"
[ "$(awk '$1 == 2 {print $NF}' "$out")" = no ] && grep -q 'in BRANCH 2 the machine slept for 5.00' "$out"
ok $? "asleep: the second BRANCH proves nothing, and show says why" || sed 's/^/# /' "$out"
run "$SNAPFLAME" diff -q asleep.data --fast 1 --slow 2 --json
like "$(cat "$out")" '*"ok": *false*"in BRANCH 2 the machine slept for 5.00*' "asleep: no verdict" || diag "$(cat "$err")"
done_testing
