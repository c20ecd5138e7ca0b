# A recorder never harms its target: the target's heart goes on beating while recorders come, and are
# killed. STARTS says how often (make check-long: 200).
. "$TOP/tests/lib.sh"
. "$TOP/tests/record.sh"
STARTS=${STARTS:-12}

# A thread that beats every 10 ms, and says at the end how often and what its longest rest was.
"$BUILD/tests/tools/heart" >heart &
heart=$!
others="$others $heart"
n=0
while [ $n -lt "$STARTS" ]; do
  n=$((n + 1))
  "$SNAPFLAME" record -q -p $heart --duration 5 -o h.data >/dev/null 2>&1 &
  rec=$!
  sleep "0.$(printf %03d $(($(od -An -N2 -tu2 /dev/urandom) % 400)))"
  kill -KILL $rec 2>/dev/null
  wait $rec 2>/dev/null
done
like "$(sed -n 's/^State:[[:space:]]*//p' /proc/$heart/status)" '[RS]*' "$n recorders: the target is not stopped"
is "$(sed -n 's/^TracerPid:[[:space:]]*//p' /proc/$heart/status)" 0 "nobody traces it"
kill -TERM $heart
wait $heart
is $? 0 "it ends as it always does"
# "beats 1234 longest_ms 12.3 interrupted 0 seconds 12.1"
set -- $(cat heart)
is "${6:-}" 0 "no call of its was interrupted: no signal, no stop"
[ "${2:-0}" -gt 20 ]
ok $? "it has beaten: $(cat heart)"

# Nothing of the recorders is left.
i=0
while [ $i -lt 200 ] && [ "$(instances '[0-9]*')" -gt 0 ]; do sleep 0.05; i=$((i + 1)); done
left=0
for d in /sys/kernel/tracing/instances/snapflame-*; do
  [ -d "$d" ] && ! kill -0 "${d##*-}" 2>/dev/null && left=$((left + 1))
done
is "$left" 0 "no instance of tracefs is left"
done_testing
