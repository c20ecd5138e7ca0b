# record --keep: a flight recorder that forgets all but the last BRANCHes; --max-cpu.
. "$TOP/tests/lib.sh"
. "$TOP/tests/record.sh"

# branches FILE: their numbers, on one line
branches() { marks "$1" window | sed 's/^{"branch":\([0-9]*\),.*/\1/' | tr '\n' ' '; }

run "$SNAPFLAME" record -p "$vmm" --branches 7 --keep 3 --gap 0.01 -o keep.data -- $branch
is "$status" 0 "--keep: status" || sed 's/^/# /' "$err"
grep -q '^the last 3 of 7 BRANCHes are in it' "$err"
ok $? "--keep: said"
is "$(branches keep.data)" "5 6 7 " "--keep: the last ones, with their numbers"
is "$(marks keep.data threads | grep -c '"branch":[1-4],')" 0 "--keep: no mark of the others"
"$SNAPFLAME" fold --window 6 keep.data >folded 2>/dev/null
grep -q ';hash_entry' folded
ok $? "--keep: functions have their names" || head -n 3 folded
run "$SNAPFLAME" show keep.data coverage
is "$status" 0 "--keep: the recording is whole"
if command -v perf >/dev/null; then
  perf script -f -i keep.data >script 2>/dev/null </dev/null && grep -q hash_entry script
  ok $? "--keep: perf script reads it"
fi
run "$SNAPFLAME" record -q -p "$vmm" --branches 2 --keep 3 --gap 0.01 -o few.data -- $branch
is "$status $(branches few.data)" "0 1 2 " "--keep: fewer than that"

# The recording takes no more memory than it may, and goes on.
run "$SNAPFLAME" record -p "$vmm" --branches 8 --keep 8 --max-size 1500k --gap 0.01 -o small.data -- $branch
is "$status" 0 "--keep with --max-size: status" || sed 's/^/# /' "$err"
case $(branches small.data) in
*"7 8 " | "8 ") ok 0 "--keep with --max-size: the last ones" ;;
*) ok 1 "--keep with --max-size: the last ones" || diag "$(branches small.data)" ;;
esac
b=$(field "$(marks small.data end)" bytes)
[ "${b:-9999999}" -le 1536000 ]
ok $? "--keep with --max-size: within it ($b bytes)"
# A BRANCH that has no room at all
run "$SNAPFLAME" record -p "$vmm" --branches 2 --keep 2 --max-size 4k --gap 0.01 -o tiny.data -- $branch
is "$status" 0 "--keep, a BRANCH larger than --max-size: status"
l=$(field "$(marks tiny.data end)" lost)
[ "${l:-0}" -gt 0 ]
ok $? "--keep, a BRANCH larger than --max-size: what was lost is counted"

# Killed, it leaves the last ones, too.
"$SNAPFLAME" record -p "$vmm" --branches 1000 --keep 2 --gap 0.01 -o killed.data -- $branch >/dev/null 2>log &
rec=$!
others="$others $rec"
i=0
while [ $i -lt 400 ] && ! grep -q '^BRANCH 5 ' log; do sleep 0.05; i=$((i + 1)); done
kill -KILL $rec
wait $rec 2>/dev/null
i=0
while [ $i -lt 400 ] && [ ! -f killed.data ]; do sleep 0.05; i=$((i + 1)); done
n=$(marks killed.data window | wc -l)
[ "$n" -eq 2 ] || [ "$n" -eq 3 ]
ok $? "killed: the last BRANCHes, and the one under way ($n)"
is "$(marks killed.data window | grep -c '^{"branch":[1-3],')" 0 "killed: what was forgotten is not there"

# Ten times as many looks at /proc as usual are too much for 1 %. What a poller takes in a short
# window depends on who else is there: each is tried again.
# poll_share FILE: the poller's CPU time, per mille of the window
poll_share() {
  w=$(marks "$1" window)
  echo $(($(field "$(marks "$1" end)" poll_cpu_ns) * 1000 / ($(field "$w" end) - $(field "$w" begin))))
}
free=0
for _ in 1 2 3 4 5; do
  run "$SNAPFLAME" record -q -p "$vmm" --poll 2000 --gap 0.01 -o free.data -- $branch
  free=$(poll_share free.data)
  [ "$free" -le 20 ] || break
done
for _ in 1 2 3; do
  run "$SNAPFLAME" record -q -p "$vmm" --poll 2000 --max-cpu 1 --gap 0.01 -o bound.data -- $branch
  bound=$(poll_share bound.data)
  [ "$bound" -gt 15 ] || break
done
[ "$free" -gt 20 ] && [ "$bound" -le 15 ] && [ "$(field "$(marks bound.data end)" poll_cpu_ns)" -gt 0 ]
ok $? "--max-cpu: the poller takes $bound per mille of a CPU instead of $free"
like "$(marks bound.data meta)" '*"max_cpu":1*' "--max-cpu: is in the recording"

for args in "--keep 0" "--max-cpu 0"; do
  # shellcheck disable=SC2086 # words
  run "$SNAPFLAME" record -p "$vmm" $args -o bad.data -- true
  is "$status" 2 "wrong usage: $args"
done
run "$SNAPFLAME" record -p "$vmm" --keep 2 --duration 1 -o bad.data
is "$status" 2 "wrong usage: --keep with one window"
done_testing
