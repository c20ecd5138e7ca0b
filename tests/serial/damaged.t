# Recordings to which something has happened support no verdict, or still the right one; never another.
. "$TOP/tests/lib.sh"
. "$TOP/tests/branchsim.sh"
[ "$(id -u)" -eq 0 ] || skip_all "needs root: records a VMM system-wide"
damage=$BUILD/tests/tools/damage
[ -x "$damage" ] || skip_all "tests/tools/damage is not built"
trap 'tap_status=$?; vmm_stop; [ $tap_status -eq 0 ] && [ $tap_failed -ne 0 ] && exit 1; exit $tap_status' EXIT
cd "$TMP" || exit 1

# A process at the other end of a pipe sleeps: whoever is to find it needs wakings, and a busy machine
# makes no difference to what grows.
right='"kind": "timer"*"comm": "snap-agent"*'
verdict() {
  "$SNAPFLAME" diff --json "$1" >out.json 2>"$err" || return
  tr '\n' ' ' <out.json | tr -s ' ' | sed 's/.*"coverage": \(.*\)"causes": .*/\1/'
}
for try in 1 2 3; do
  vmm_start pipe-peer --base 20 --grow 400 --step 4 || exit 1
  run "$SNAPFLAME" record -q -p "$vmm" --branches 5 --gap 0.1 -o good.data -- \
    "$sim" branch --sock "$sock"
  vmm_stop
  good=$(verdict good.data)
  # shellcheck disable=SC2254 # a pattern
  case $good in *$right) break ;; esac
done
case $good in
*'"problems": []'*$right) ok 0 "whole, it has the right verdict" ;;
*) skip_all "this machine is too busy: $(echo "$good" | cut -c1-300)" ;;
esac

# refused NAME PATTERN WHAT…: no verdict, and why
refused() {
  what=$1 pattern=$2
  shift 2
  "$damage" good.data bad.data "$@" >/dev/null || { ok 1 "$what: damaged"; return; }
  like "$(verdict bad.data)" "*\"ok\": false*$pattern*\"verdict\": null*" "$what: no verdict, and why"
}

# harmless NAME WHAT…: the right verdict, or none
harmless() {
  what=$1
  shift
  "$damage" good.data bad.data "$@" >/dev/null || { ok 1 "$what: damaged"; return; }
  got=$(verdict bad.data)
  # shellcheck disable=SC2254 # a pattern
  case $got in *$right | *'"ok": false'*'"verdict": null'*) ok 0 "$what: no wrong verdict" ;;
  *) ok 1 "$what: no wrong verdict" || diag "$got" ;; esac
}

refused "without wakings" "the recording has no wakings" without sched:sched_waking
refused "without switches" "switches" without switches
refused "events lost in a window" "events were lost in BRANCH 4" lost 4
refused "windows before the first event" "BRANCH 1 lies outside of what was recorded" shift 60000
refused "windows after the last event" "BRANCH 5 lies outside of what was recorded" shift -60000
refused "a clock that is put back by seconds" "lies outside of what was recorded" back 5000
refused "a clock that is put back" "" back 200
refused "one CPU's clock is seconds behind" "" skew 0 2000
harmless "without CPU samples" without cpu-clock
harmless "without sched_switch" without sched:sched_switch
harmless "events are gone without a word" gone 4
for ms in 1 3 10 50; do
  harmless "CPU 0 is $ms ms behind" skew 0 $ms
  harmless "CPU 1 is $ms ms behind" skew 1 $ms
  harmless "the clock is put back by $ms ms" back $ms
done

# 0 or 1 window a group
"$damage" good.data none.data without snapflame:mark >/dev/null
run "$SNAPFLAME" diff none.data
is "$status" 1 "without windows: refused"
like "$(cat "$err")" "snapflame diff: *" "and said why"
run "$SNAPFLAME" diff --json --fast 1 --slow 5 good.data
like "$(tr '\n' ' ' <"$out")" "*n = 1: no interval*" "one window a side: n = 1 is said"
run "$SNAPFLAME" diff --fast 1 --slow 9 good.data
is "$status" 1 "a BRANCH that is not there"
done_testing
