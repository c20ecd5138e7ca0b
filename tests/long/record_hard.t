# Recording where it is hard: very many threads, that come and go; a recorder that does not get the CPU
# while the kernel's buffers run over. Nothing is hidden: what is missing is counted.
. "$TOP/tests/lib.sh"
. "$TOP/tests/record.sh"

# crowd IDLE RATE: starts one, and leaves its number in $crowd
crowd() {
  "$BUILD/tests/tools/crowd" "$@" >crowd.pid &
  crowd=$!
  others="$others $crowd"
  i=0
  while [ $i -lt 200 ] && [ ! -s crowd.pid ] && kill -0 $crowd 2>/dev/null; do sleep 0.05; i=$((i + 1)); done
  [ -s crowd.pid ]
}

if [ $root -eq 1 ] && crowd 100 1200; then
  # In five seconds 5000 threads come and go where the machine is not busy.
  run "$SNAPFLAME" record -p $crowd --branches 1 -o churn.data -- sleep 5
  is "$status" 0 "5000 threads come and go: status" || sed 's/^/# /' "$err"
  check "5000 threads come and go: states" "$SNAPFLAME" show churn.data states
  n=$("$SNAPFLAME" show churn.data threads --csv 2>/dev/null | wc -l)
  [ "$n" -gt 1000 ]
  ok $? "5000 threads come and go: $n are in it"
  kill $crowd
  # 5000 that are there: more descriptors than some machines allow
  if crowd 5000 200; then
    before=$(date +%s)
    run "$SNAPFLAME" record -p $crowd --branches 2 --gap 0.1 -o many.data -- sleep 0.3
    is "$status" 0 "5000 threads: status" || sed 's/^/# /' "$err"
    diag "$(tail -n 1 "$err"), in $(($(date +%s) - before)) s"
    check "5000 threads: coverage" "$SNAPFLAME" show many.data coverage
    n=$("$SNAPFLAME" show many.data threads --csv 2>/dev/null | wc -l)
    [ "$n" -ge 5000 ]
    ok $? "5000 threads: $n are in it"
    # Where descriptors do not suffice for events of each thread it says so.
    run "$SNAPFLAME" record -p $crowd --scope vmm -o vmm.data -- sleep 0.3
    is "$status" 0 "events of 5000 threads: status" || sed 's/^/# /' "$err"
    diag "$(cat "$err")"
    run "$SNAPFLAME" show vmm.data coverage
    is "$status" 0 "events of 5000 threads: coverage"
    kill $crowd
  else
    skip "5000 threads" "not so many can be started"
  fi
else
  skip "many threads" "needs root"
fi

# Stopped for a second in a window, as a machine that sleeps stops it: it goes on, and says what was lost.
rm -f begun
"$SNAPFLAME" record -p "$vmm" -o stop.data -- sh -c 'echo >begun; sleep 0.2; '"$branch"'; sleep 1.5' >/dev/null 2>stop.err &
rec=$!
i=0
while [ $i -lt 400 ] && [ ! -f begun ]; do sleep 0.05; i=$((i + 1)); done
kill -STOP $rec
sleep 1
kill -CONT $rec
wait $rec
is $? 0 "stopped for a second: status"
check "stopped for a second: the recording is whole" "$SNAPFLAME" show stop.data coverage
# Buffers that run over: pairs of threads that switch as fast as they can.
pong=$("$BUILD/branchsim" vmm --sock "$TMP/pong" --cause ping-pong --base 4000 --grow 0 --daemon |
  sed 's/.*"pid": *\([0-9]*\).*/\1/')
others="$others $pong"
"$SNAPFLAME" record -p "$pong" -o over.data -- "$BUILD/branchsim" branch --sock "$TMP/pong" >/dev/null 2>over.err &
rec=$!
sleep 1.5
kill -STOP $rec
sleep 3
kill -CONT $rec
wait $rec
is $? 0 "buffers run over: status"
l=$(field "$(marks over.data end)" lost)
[ "${l:-0}" -gt 0 ]
ok $? "buffers run over: what was lost is counted ($l)"
run "$SNAPFLAME" show over.data coverage
is "$status" 0 "buffers run over: the recording is whole"
grep -qi 'lost' "$out"
ok $? "buffers run over: show says so"
done_testing
