# A CPU goes offline for half a second while a BRANCH is recorded, and comes back: the recording is
# whole, says what is missing from then on, and proves nothing about these BRANCHes. Then the machine's
# time of day is an hour later for a moment. Both disturb whatever else runs here.
. "$TOP/tests/lib.sh"
. "$TOP/tests/record.sh"
online=/sys/devices/system/cpu/cpu1/online
if [ $root -eq 0 ] || [ ! -w $online ] || [ "$(cat $online)" != 1 ]; then
  skip_all "no CPU that can be taken offline"
fi
trap 'tap_status=$?; echo 1 >$online; cleanup; [ $tap_status -eq 0 ] && [ $tap_failed -ne 0 ] && exit 1; exit $tap_status' EXIT
trap 'exit 130' INT TERM HUP

# record_upset NAME COMMAND: three BRANCHes, after the second of them, in its window, COMMAND
record_upset() {
  rm -f n
  cat >branch.sh <<EOF
n=\$(cat n 2>/dev/null)x
echo \$n >n
$branch
[ \$n != xx ] || { $2; }
EOF
  run "$SNAPFLAME" record -q -p "$vmm" --branches 3 --gap 0.1 -o "$1.data" -- sh branch.sh
  is "$status" 0 "$1: recorded" || sed 's/^/# /' "$err"
}
# upset NAME BRANCH TEXT: how often the window says that
upset() { marks "$1.data" window | sed -n "$2p" | grep -c "\"upsets\":.*$3"; }
# good NAME: which of the three BRANCHes prove something
good() {
  run "$SNAPFLAME" show "$1.data" coverage
  awk '$1 ~ /^[123]$/ {printf "%s ", $NF}' "$out"
}

record_upset off "echo 0 >$online && sleep 0.5; cat /sys/devices/system/cpu/online >cpus; echo 1 >$online"
is "$(cat cpus)$(cat $online)" 01 "a CPU was offline, and is there again"
said='"kind":"cpu","text":"CPU 1 went offline'
is "$(upset off 1 "$said")$(upset off 2 "$said")$(upset off 3 "$said")" 011 \
  "its events are gone, also in the next BRANCH, and each says so" || marks off.data window | sed 's/^/# /'
is "$(good off)" "yes no no " "nothing is proven by these two" || sed 's/^/# /' "$out"
check "all three can be shown" "$SNAPFLAME" show off.data branches
for n in 1 2 3; do
  run "$SNAPFLAME" fold -q --window $n off.data
  [ "$status" -eq 0 ] && [ -s "$out" ]
  ok $? "BRANCH $n has stacks"
done
run "$SNAPFLAME" record -q -p "$vmm" -o on.data -- $branch
is "$status$(marks on.data window | grep -c upsets)" 00 "another recording has all CPUs"

before=$(date +%s) since=$(cut -d. -f1 /proc/uptime)
record_upset clock "$BUILD/tests/tools/set_clock 3600 100 2>why"
if [ -s why ]; then
  skip "the time of day is set" "$(cat why)"
else
  d=$(($(date +%s) - before - $(cut -d. -f1 /proc/uptime) + since))
  [ $d -ge -1 ] && [ $d -le 1 ]
  ok $? "the right time is back"
  # It was set and set back: at both edges it is the same.
  is "$(marks clock.data window | grep -c upsets)" 0 "nothing has to be told"
  is "$(good clock)" "yes yes yes " "and everything is proven" || sed 's/^/# /' "$out"
  w=$(marks clock.data window | sed -n 2p)
  ns=$(($(field "$w" end) - $(field "$w" begin)))
  [ $ns -gt 100000000 ] && [ $ns -lt 60000000000 ]
  ok $? "the window is as long as it was ($ns ns)"
fi
done_testing
