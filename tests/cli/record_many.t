# A target with more threads than there are descriptors for: it is recorded all the same, what does not
# fit is said with what to do, and nothing hangs.
. "$TOP/tests/lib.sh"
. "$TOP/tests/record.sh"
[ -x "$BUILD/tests/tools/crowd" ] || skip_all "the tool that starts threads is not built"
NR=300
cpus=$(getconf _NPROCESSORS_ONLN)
events=$((NR * cpus)) # descriptors of one event that is opened for each thread and CPU
# Who may raise his limit has none.
bare=
[ $root -eq 0 ] || bare="setpriv --bounding-set -sys_resource --inh-caps -sys_resource"
# few N COMMAND…: with a limit of N descriptors
few() {
  # shellcheck disable=SC2016,SC2086
  run timeout 120 sh -c 'ulimit -n $0 && exec "$@"' "$1" $bare "$SNAPFLAME" record -p "$crowd" -o x.data $2 -- sleep 0.2
}

"$BUILD/tests/tools/crowd" $NR 0 >crowd.pid &
crowd=$!
others="$others $crowd"
i=0
while [ $i -lt 200 ] && [ ! -s crowd.pid ]; do sleep 0.05; i=$((i + 1)); done
[ "$(ls "/proc/$crowd/task" | wc -l)" -gt $NR ]
ok $? "$NR threads are there"

if [ $root -eq 1 ] && sh -c "ulimit -n 700 && $bare true" 2>/dev/null; then
  # Polling wants four descriptors a thread, and has them for 40 of them.
  few 700 "--branches 2 --gap 0.01"
  is "$status" 0 "700 descriptors: status" || diag "$(cat "$err")"
  check "700 descriptors: coverage" "$SNAPFLAME" show x.data coverage
  polled=$("$SNAPFLAME" show x.data events --csv | sed -n 's/^snapflame:task-stack,[^0-9]*\([0-9]*\).*/\1/p')
  [ "${polled:-0}" -ge $NR ]
  ok $? "700 descriptors: all threads are polled ($polled times)" || "$SNAPFLAME" show x.data events --csv
  n=$("$SNAPFLAME" show x.data threads --csv | wc -l)
  [ "$n" -gt $NR ]
  ok $? "700 descriptors: all threads are in it ($n)"

  # Events of tasks: room for one of them …
  few $((events * 3 / 2 + 512)) "--scope vmm"
  is "$status" 0 "descriptors for half the events: status" || diag "$(cat "$err")"
  like "$(cat "$err")" "*not recorded: sched:sched_switch: takes more descriptors*ulimit -n*raise it, or record with --scope system*" \
    "descriptors for half the events: said"
  run "$SNAPFLAME" show x.data coverage
  is "$status" 0 "descriptors for half the events: readable"
  like "$(tr '\n' ' ' <"$out")" "*not recorded: sched:sched_switch: takes more descriptors*" \
    "descriptors for half the events: the recording says so"
  # … and for none: samples of the CPUs are left.
  few $((events / 2)) "--scope vmm"
  is "$status" 0 "descriptors for no event of threads: status" || diag "$(cat "$err")"
  is "$(grep -c 'not recorded: .* takes more descriptors' "$err")" 2 "descriptors for no event of threads: said"
  check "descriptors for no event of threads: readable" "$SNAPFLAME" fold -q --view samples x.data
else
  skip "few descriptors" "needs root and setpriv"
fi
done_testing
