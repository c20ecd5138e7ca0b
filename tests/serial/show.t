# snapflame show of a real recording: the tables, and that what they say adds up.
. "$TOP/tests/lib.sh"
. "$TOP/tests/record.sh"

run "$SNAPFLAME" record -q -p "$vmm" --branches 3 --gap 0.1 --poll 200 -o run.data -- $branch
is "$status" 0 "a recording of 3 BRANCHes" || { done_testing; exit 1; }
said=$(sed -n 's/.*"dark_ms": *\([0-9.]*\).*/\1/p' "$out" | tr '\n' ' ')

# col FILE NAME: number of the column
col() { head -n 1 "$1" | tr ',' '\n' | grep -n "^$2\$" | cut -d: -f1; }

for t in branches threads states futex syscalls io wakeups coverage growth events; do
  check "$t" "$SNAPFLAME" show run.data $t
  cp "$out" $t.text
  LC_ALL=C "$SNAPFLAME" show run.data $t | awk 'length > 80 {print; bad = 1} END {exit bad}' >wide
  ok $? "$t: 80 columns" || sed 's/^/# /' wide
  check "$t --csv" "$SNAPFLAME" show run.data $t --csv
  cp "$out" $t.csv
  awk -F, '{n = NF; if (NR == 1) want = n; if (n != want && !/"/) exit 1}' $t.csv
  ok $? "$t --csv: as many fields as names"
  check "$t --json" "$SNAPFLAME" show run.data $t --json
  cp "$out" $t.json
  like "$(head -c 1 $t.json)$(tail -c 2 $t.json)" '\[]' "$t --json: an array"
  if command -v jq >/dev/null; then
    jq -e 'type == "array" and all(.[]; type == "object")' $t.json >/dev/null
    ok $? "$t --json: of objects"
  fi
done

is "$(head -n 1 branches.csv)" "trial,branch_idx,pause_ms,diff_ms,diff_physical_bytes" "the sweep's columns"
is "$(wc -l <branches.csv)" 4 "a row for each BRANCH"
grep -o '"[a-z_]*":' branches.json | sort -u | tr -d '":\n' >keys
is "$(cat keys)" "api_msbranchdark_msdiff_msdiff_physical_byteserrorpause_msstart_nstrial" "the fields of a BRANCH"
if [ $root -eq 1 ]; then
  # The dark window, as the scheduler saw it, against what the VMM itself says.
  tail -n +2 branches.csv | awk -F, -v said="$said" '{split(said, w, " "); d = $3 - w[NR]; if (d < 0) d = -d
    if (d > 0.01 * w[NR] + 1) {print "# BRANCH " NR ": " $3 " ms, said " w[NR]; bad = 1}} END {exit bad}'
  ok $? "pauses are what the VMM says they were"
fi

# Each thread's states sum to the windows, within 0.1 %.
total=$(tail -n +2 branches.csv | awk -F, '{s += $3} END {print s}')
awk -F, -v want="$total" -v t="$(col states.csv tid)" -v m="$(col states.csv ms)" '
  NR > 1 {sum[$t] += $m}
  END {for (i in sum) {n++; d = sum[i] - want; if (d < 0) d = -d
      if (d > want / 1000) {print "# thread " i ": " sum[i] " ms of " want; bad = 1}}
    exit bad || n < 8}' states.csv
ok $? "states: the rows of each thread sum to the windows"
awk -F, -v want="$total" '
  NR == 1 {for (i = 1; i <= NF; i++) if ($i ~ /^(running|runnable|blocked|absent|overhead|unaccounted)_ms$/) c[i] = 1}
  NR > 1 {s = 0; for (i in c) s += $i; d = s - want; if (d < 0) d = -d
    if (d > want / 1000) {print "# " $0; bad = 1}}
  END {exit bad || NR < 9}' threads.csv
ok $? "threads: the states of each sum to the windows"
# The critical path is the window; those whose part is small have no row.
awk -F, -v want="$total" -v p="$(col threads.csv path_ms)" 'NR > 1 {s += $p}
  END {if (s < 0.8 * want || s > 1.001 * want) {print "# " s " of " want; exit 1}}' threads.csv
ok $? "threads: the parts of the path sum to the windows"

if [ $root -eq 1 ]; then
  grep -q '^fc_vcpu 0,[0-9]*,[0-9]*,vCPU,' threads.csv
  ok $? "threads: the vCPU is known as one"
  grep -q ',rayon-0,[0-9]*,blocked S,.*futex_do_wait\|,rayon-0,[0-9]*,blocked S,.*futex_wait' states.csv
  ok $? "states: a thread without an event is there"
  grep -q '^0x[0-9a-f]*,WAIT_BITSET_PRIVATE,.*,passive,firecracker,' futex.csv
  ok $? "futex: the operation, who waits, and who wakes"
  grep -q ',thread,.*futex' wakeups.csv
  ok $? "wakeups: of a thread by a thread"
  grep -q ',interrupt,' wakeups.csv
  ok $? "wakeups: by an interrupt"
  is "$(tail -n +2 coverage.csv | awk -F, '$3 < 95' | wc -l)" 0 "coverage: the path has owners"
fi
like "$(cat syscalls.text)" "*sampled from /proc 200 times a second*" "syscalls: that they are sampled is said"

check "one BRANCH" "$SNAPFLAME" show --window 2 run.data branches --csv
is "$(wc -l <"$out")" 2 "one row"
like "$(tail -n 1 "$out")" "1,2,*" "of that BRANCH"
check "BRANCHes from 2 on" "$SNAPFLAME" show --window 2- run.data branches --csv
is "$(wc -l <"$out")" 3 "two rows"
run "$SNAPFLAME" show --window 9 run.data branches
is "$status" 1 "a BRANCH that is not there"
like "$(cat "$err")" "*no BRANCH 9 here (it has 3*" "and how many there are"

run "$SNAPFLAME" record -q -p "$vmm" --syscalls -o calls.data -- $branch
if [ "$status" -eq 0 ] && "$SNAPFLAME" show calls.data events --csv | grep -q '^raw_syscalls:sys_enter,sample,[1-9]'; then
  check "recorded system calls" "$SNAPFLAME" show calls.data syscalls --csv
  cp "$out" calls.csv
  grep -q ',futex,[1-9][0-9]*,.*,recorded,' calls.csv
  ok $? "are counted"
  awk -F, -v w="$(col calls.csv wall_ms)" -v c="$(col calls.csv cpu_ms)" 'NR > 1 && $c > $w + 0.001 {bad = 1} END {exit bad}' calls.csv
  ok $? "and none has more CPU than wall time"
  grep -q ',write,' calls.csv
  ok $? "the snapshot's writes are there"
else
  skip "recorded system calls" "raw_syscalls cannot be recorded here"
fi

# A foreign recording is one window.
if command -v perf >/dev/null && [ $root -eq 1 ] &&
  perf record -q -a -g -e cpu-clock -e sched:sched_switch --switch-events -o plain.data -- sleep 0.2 >/dev/null 2>&1 </dev/null; then
  check "a perf.data with context switches" "$SNAPFLAME" show plain.data branches
  check "and its threads" "$SNAPFLAME" show plain.data threads
else
  skip "a perf.data with context switches" "perf cannot record them here"
fi
done_testing
