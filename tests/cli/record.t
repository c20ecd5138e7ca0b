# snapflame record against the stand-in VMM: what is recorded, that perf reads it, and what happens when
# something is wrong.
. "$TOP/tests/lib.sh"
[ -x "$BUILD/branchsim" ] || skip_all "branchsim is not built"
run "$SNAPFLAME" record -q --duration 0.01 -p $$ -o "$TMP/probe"
[ "$status" -eq 0 ] || skip_all "recording does not work here: $(tail -n 1 "$err")"

vmm=
others=
cleanup() {
  for p in $vmm $others; do kill "$p" 2>/dev/null; done
  for p in $vmm; do
    while kill -0 "$p" 2>/dev/null; do sleep 0.05; done
  done
}
trap 'tap_status=$?; cleanup; [ $tap_status -eq 0 ] && [ $tap_failed -ne 0 ] && exit 1; exit $tap_status' EXIT
root=0
[ "$(id -u)" -eq 0 ] && root=1
cd "$TMP" || exit 1

# marks FILE TYPE: the marks of that type, one a line; they are whole in the file, as JSON without spaces
marks() { tr '\000' '\n' <"$1" | grep -a "^{.*\"type\":\"$2\"" ; }
# field JSON NAME: the number behind the first "NAME":
field() { echo "$1" | sed -n "s/.*\"$2\":\\([-0-9.]*\\).*/\\1/p" | head -n 1; }
instances() { for d in /sys/kernel/tracing/instances /sys/kernel/debug/tracing/instances; do
  ls "$d" 2>/dev/null; done | grep -c "^snapflame-$1\$"; }

vmm=$("$BUILD/branchsim" vmm --sock "$TMP/sock" --cause user-cpu --base 30 --grow 20 --daemon |
  sed 's/.*"pid": *\([0-9]*\).*/\1/')
[ -n "$vmm" ]
ok $? "the stand-in VMM runs" || { done_testing; exit 1; }
branch="$BUILD/branchsim branch --sock $TMP/sock"

# A recording of three BRANCHes.
run "$SNAPFLAME" record -p "$vmm" --branches 3 --gap 0.1 --label rig=test -o run.data -- $branch
is "$status" 0 "three BRANCHes: status"
is "$(grep -c '"pause_ms"' "$out")" 3 "what COMMAND prints passes through"
is "$(grep -c '^BRANCH [123] of 3: pause [0-9.]* ms' "$err")" 3 "a line for each BRANCH"
like "$(tail -n 1 "$err")" "run.data: * 0 lost; recorder used * % of a CPU" "what it cost is printed"
is "$(stat -c %a run.data)" 600 "the file is private"
ls run.data.* >/dev/null 2>&1
is $? 2 "no temporary file is left"

is "$(marks run.data window | wc -l)" 3 "three windows"
w2=$(marks run.data window | sed -n 2p)
is "$(field "$w2" branch)" 2 "the windows are numbered"
echo "$w2" | awk -F '"pause_ms":' '{split($2, v, /[,}]/); pause = v[1] * 1e6}
  {match($0, /"begin":[0-9]+/); b = substr($0, RSTART + 8, RLENGTH - 8) + 0
   match($0, /"end":[0-9]+/); e = substr($0, RSTART + 6, RLENGTH - 6) + 0}
  END {exit !(pause > 0 && e - b >= pause && e - b < pause + 200e6)}'
ok $? "the window holds the pause that the BRANCH reports"
is "$(marks run.data threads | wc -l)" 6 "threads at both edges of each"
is "$(marks run.data covariates | grep -c '"Dirty_kB"')" 6 "covariates at both edges of each"
run "$SNAPFLAME" record -q -p "$vmm" -o file.data -- $branch --mem-path "$TMP/mem.bin"
is "$(marks file.data covariates | grep -c "\"path\":\"$TMP/mem.bin\",\"bytes\":[0-9]")" 1 \
  "the memory file's size is there once it is written"
meta=$(marks run.data meta)
like "$meta" "*\"pid\":$vmm,*" "meta: the target"
like "$meta" '*"comm":"firecracker"*' "meta: its name"
like "$meta" '*"rig":"test"*' "meta: the label"
like "$(marks run.data end)" '*"reason":"done"*' "the end mark"

# The threads' own clocks: what the target ran must be what /proc says, window by window.
marks run.data threads | awk '
  {match($0, /"cpu_ns":[0-9]+/); c = substr($0, RSTART + 9, RLENGTH - 9) + 0
   match($0, /"t0":[0-9]+/); t = substr($0, RSTART + 5, RLENGTH - 5) + 0}
  NR % 2 {c0 = c; t0 = t}
  !(NR % 2) {if (c <= c0 || t <= t0) bad = 1}
  END {exit bad || NR != 6}'
ok $? "the process CPU clock moves within each window"

if command -v perf >/dev/null; then
  perf script -i run.data >script.txt 2>perf.err </dev/null
  is $? 0 "perf script reads it"
  is "$(grep -v '^$' perf.err)" "" "perf script has nothing to complain of"
  grep -q 'hash_entry' script.txt
  ok $? "perf script: the cause is in the stacks"
  perf report -i run.data --stdio >report.txt 2>/dev/null </dev/null
  is $? 0 "perf report reads it"
  grep -q 'firecracker.*hash_entry' report.txt
  ok $? "perf report: the cause is on top of it"
  grep -q 'snapflame:mark:' script.txt
  ok $? "perf shows the marks by name"
  perf evlist -i run.data >events.txt 2>/dev/null </dev/null
  for e in cpu-clock dummy:HG snapflame:task-stack snapflame:mark; do
    grep -qx "$e" events.txt
    ok $? "event $e"
  done
  perf script -i run.data --show-lost-events 2>/dev/null </dev/null | grep -c PERF_RECORD_LOST >lost.txt
  is "$(cat lost.txt)" 0 "nothing was lost"
  # Every sample lies between the first and the last record, and each window has CPU samples.
  perf script -i run.data -F event,time,comm 2>/dev/null </dev/null >times.txt
  for n in 1 2 3; do
    w=$(marks run.data window | sed -n ${n}p)
    awk -v b="$(field "$w" begin)" -v e="$(field "$w" end)" '
      /cpu-clock/ && /^ *firecracker/ {t = $(NF - 1) * 1e9; if (t >= b && t <= e) n++}
      END {exit !(n >= 10)}' times.txt
    ok $? "BRANCH $n has CPU samples of the VMM"
  done
  if [ $root -eq 1 ]; then
    for e in sched:sched_switch sched:sched_waking; do
      grep -q "$e:" script.txt
      ok $? "$e is there"
    done
    grep -A 2 'snapflame:task-stack:' script.txt | grep -q 'futex_do_wait\|futex_wait'
    ok $? "polled stacks: the vCPUs wait in a futex"
  else
    skip "tracepoints and kernel stacks" "not root"
  fi
else
  skip "perf reads it" "perf is not installed"
fi
if [ $root -eq 1 ]; then
  like "$meta" '*"wakings":"ftrace"*' "wakings come from ftrace"
  is "$(marks run.data symbols | grep -c '"hash_entry"')" 1 "the names are in the recording"
fi

# The previous file is kept.
cp run.data keep.data
run "$SNAPFLAME" record -q -p "$vmm" -o run.data -- $branch
is "$status" 0 "recording again"
same run.data.old keep.data "the previous file is kept as .old"
is "$(cat "$err")" "" "-q: nothing on standard error"

# Scopes and call graphs.
for args in "--scope vmm" "--call-graph dwarf" "--call-graph none --poll 0" "--syscalls" "-F 199"; do
  # shellcheck disable=SC2086 # words
  run "$SNAPFLAME" record -q -p "$vmm" $args -o args.data -- $branch
  is "$status" 0 "$args" || cat "$err"
  if command -v perf >/dev/null; then
    perf script -i args.data 2>perf.err </dev/null | grep -q 'firecracker.*cpu-clock:'
    ok $? "$args: perf finds samples" || sed 's/^/# /' perf.err
  fi
done
if command -v perf >/dev/null && [ $root -eq 1 ]; then
  run "$SNAPFLAME" record -q -p "$vmm" --syscalls -o args.data -- $branch
  perf script -i args.data 2>/dev/null </dev/null | grep -q 'firecracker.*raw_syscalls:sys_exit'
  ok $? "--syscalls: they are there"
fi

# A program without frame pointers: its stacks are whole all the same, and without libdw perf unwinds.
nofp=$("$BUILD/branchsim-nofp" vmm --sock "$TMP/nofp" --cause user-cpu --base 30 --daemon |
  sed 's/.*"pid": *\([0-9]*\).*/\1/')
vmm="$vmm $nofp"
run "$SNAPFLAME" record -q -p "$nofp" -o nofp.data -- "$BUILD/branchsim" branch --sock "$TMP/nofp"
is "$status" 0 "without frame pointers"
if grep -q HAVE_DW "$BUILD/config.mk"; then
  like "$(marks nofp.data meta)" '*"call_graph":"dwarf"*' "without frame pointers: they are not relied on"
fi
like "$meta" '*"call_graph":"fp"*' "with frame pointers: they are"
if command -v perf >/dev/null && grep -q HAVE_DW "$BUILD/config.mk"; then
  perf script -i nofp.data -F event,ip,sym --no-inline 2>/dev/null </dev/null | awk '
    /cpu-clock:/ {s = ""; next} {s = s " " $2}
    /_start/ && s ~ /hash_entry.* serialize_device_registry.* create_snapshot.* main / {n++}
    END {exit !(n >= 5)}'
  ok $? "without frame pointers: stacks from hash_entry to _start"
fi
kill "$nofp"
vmm=${vmm% "$nofp"}

# The command itself as the target; its threads and processes are followed.
run "$SNAPFLAME" record -o self.data -- sh -c '(i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done) & wait'
is "$status" 0 "COMMAND as the target"
like "$(marks self.data meta)" '*"comm":"sh"*' "its name is COMMAND's"
if command -v perf >/dev/null; then
  n=$(perf script -i self.data -F comm,pid,event 2>/dev/null </dev/null | grep 'cpu-clock' |
    awk '$1 == "sh" {print $2}' | sort -u | wc -l)
  [ "$n" -ge 1 ]
  ok $? "its children are sampled"
fi

# Wrong usage: status 2, one line and where help is.
for args in "" "-p x -- true" "-p 0 -- true" "-p $vmm --branches 0 -- true" "-p $vmm -F 0 -- true" \
  "-p $vmm --comm x -- true" "-p $vmm --branches 2" "--branches 2 -- true" \
  "-p $vmm --duration 1 -- true" "-p $vmm --label x -- true" "-p $vmm --scope all -- true" \
  "-p $vmm --gap -1 -- true" "-p $vmm --max-size x -- true"; do
  # shellcheck disable=SC2086 # words
  run "$SNAPFLAME" record -o bad.data $args
  is "$status" 2 "wrong usage: $args" || cat "$err"
done

# What cannot be: status 1, one line.
wrong() {
  what=$1 want=$2
  shift 2
  run "$SNAPFLAME" record -q "$@"
  is "$status" 1 "$what: status"
  like "$(cat "$err")" "snapflame record: $want" "$what: said"
}
wrong "no such process" "there is no process 4194303*" -p 4194303 -o bad.data -- true
tid=$(ls "/proc/$vmm/task" | tail -n 1)
wrong "a thread" "$tid is a thread; give its process" -p "$tid" -o bad.data -- true
wrong "no such name" "no process is called *" --comm no-such-comm -o bad.data -- true
wrong "no such command" "/no/such/command cannot be run: No such file*" -p "$vmm" -o bad.data -- /no/such/command
wrong "not a program" "*cannot be run: Permission denied" -p "$vmm" -o bad.data -- "$TMP/run.data"
wrong "no such directory" "*/none/x: the directory */none: No such file*" -p "$vmm" -o "$TMP/none/x" -- true
wrong "a device" "/dev/null: is not a regular file" -p "$vmm" -o /dev/null -- true
wrong "a directory" "*is not a regular file" -p "$vmm" -o "$TMP" -- true
ls bad.data* >/dev/null 2>&1
is $? 2 "nothing was written for any of them"

# A BRANCH that fails does not lose the others.
echo 'n=$(cat n 2>/dev/null || echo 0); echo $((n + 1)) >n; [ "$n" != 1 ]' >second-fails
run "$SNAPFLAME" record -p "$vmm" --branches 3 --gap 0.01 -o fails.data -- sh second-fails
is "$status" 1 "a BRANCH fails: status"
is "$(marks fails.data window | wc -l)" 3 "a BRANCH fails: all are recorded"
is "$(marks fails.data window | grep -c '"error"')" 1 "a BRANCH fails: it is marked"
grep -q '^snapflame record: BRANCH 2: sh ended with status 1' "$err"
ok $? "a BRANCH fails: said"

# The target dies in a window.
sleep 60 &
victim=$!
others="$others $victim"
run "$SNAPFLAME" record -p "$victim" --branches 3 --gap 0.01 -o dies.data -- sh -c "kill $victim; sleep 0.05"
wait "$victim" 2>/dev/null
is "$status" 1 "the target dies: status"
grep -q "process $victim exited after 1 of 3 BRANCHes" "$err"
ok $? "the target dies: said"
like "$(marks dies.data end)" '*"reason":"target-exited"*' "the target dies: kept what there was"

# A limit that is too small.
run "$SNAPFLAME" record -p "$vmm" --max-size 4k --branches 3 --gap 0.01 -o small.data -- $branch
is "$status" 1 "--max-size reached: status"
grep -q 'reached its limit.*raise --max-size' "$err"
ok $? "--max-size reached: said"
l=$(field "$(marks small.data end)" lost)
[ "${l:-0}" -gt 0 ]
ok $? "--max-size reached: what was lost is counted"

# Ctrl-C and SIGTERM: what was recorded is kept.
for sig in INT TERM; do
  # A background job of sh ignores SIGINT; a program started by env does as well unless it asks for it,
  # which the recorder does.
  "$SNAPFLAME" record -p "$vmm" --branches 50 --gap 0.2 -o $sig.data -- $branch >/dev/null 2>$sig.err &
  rec=$!
  i=0
  while [ $i -lt 200 ] && ! grep -q '^BRANCH 2' $sig.err 2>/dev/null; do sleep 0.05; i=$((i + 1)); done
  kill -$sig $rec
  wait $rec
  is $? 0 "SIG$sig: status"
  like "$(marks $sig.data end)" '*"reason":"interrupted"*' "SIG$sig: the file is whole"
  n=$(marks $sig.data window | wc -l)
  [ "$n" -ge 2 ] && [ "$n" -lt 50 ]
  ok $? "SIG$sig: the BRANCHes before it are there"
done
# In a BRANCH that would not end by itself.
"$SNAPFLAME" record -p "$vmm" -o stuck.data -- sh -c 'echo >begun; exec sleep 60' >/dev/null 2>&1 &
rec=$!
i=0
while [ $i -lt 200 ] && [ ! -f begun ]; do sleep 0.05; i=$((i + 1)); done
kill -TERM $rec
wait $rec
is $? 0 "interrupted in a BRANCH: status"
is "$(marks stuck.data window | wc -l)" 1 "interrupted in a BRANCH: its window is there"

# Killed: nothing is left in the kernel, no half-written file.
if [ $root -eq 1 ] && [ -d /sys/kernel/tracing/instances ]; then
  "$SNAPFLAME" record -p "$vmm" -o killed.data -- sleep 10 >/dev/null 2>&1 &
  rec=$!
  i=0
  while [ $i -lt 200 ] && [ "$(instances $rec)" -eq 0 ]; do sleep 0.05; i=$((i + 1)); done
  is "$(instances $rec)" 1 "there is an instance of tracefs while recording"
  kill -KILL $rec
  wait $rec 2>/dev/null
  i=0
  while [ $i -lt 100 ] && [ "$(instances $rec)" -ne 0 ]; do sleep 0.05; i=$((i + 1)); done
  is "$(instances $rec)" 0 "killed: the instance of tracefs is removed"
  is "$(ls killed.data* 2>/dev/null)" "" "killed: no half-written file"
else
  skip "killed" "needs root and a mounted tracefs"
fi

# tracefs need not be mounted, and is not mounted by us.
if [ $root -eq 1 ] && unshare -m true 2>/dev/null; then
  run unshare -m sh -c 'umount /sys/kernel/tracing /sys/kernel/debug 2>/dev/null
    "$0" record -p "$1" -o unmounted.data -- true && ! grep -q tracefs /proc/mounts' "$SNAPFLAME" "$vmm"
  is "$status" 0 "without a mounted tracefs"
  like "$(marks unmounted.data meta)" '*"wakings":"ftrace"*' "without a mounted tracefs: wakings all the same"
else
  skip "without a mounted tracefs" "needs root and unshare"
fi

# A full disk: the recording is kept elsewhere.
if [ $root -eq 1 ] && [ -w /dev/shm ] && mkdir full && mount -t tmpfs -o size=4k none full 2>/dev/null; then
  run "$SNAPFLAME" record -p "$vmm" -o full/x.data -- $branch
  umount full
  is "$status" 1 "full disk: status"
  kept=$(sed -n 's/.*the recording was kept as \(.*\)/\1/p' "$err")
  [ -n "$kept" ] && [ "$(marks "$kept" window | wc -l)" -eq 1 ]
  ok $? "full disk: the recording is kept elsewhere" || sed 's/^/# /' "$err"
  rm -f "$kept"
else
  skip "full disk" "needs root and mount"
fi

# Without root: as far as the kernel lets us, and says so.
if [ $root -eq 1 ] && command -v setpriv >/dev/null && [ "$(cat /proc/sys/kernel/perf_event_paranoid)" -le 2 ]; then
  mkdir -m 777 user && cp "$SNAPFLAME" "$BUILD/branchsim" user/ && chmod 711 "$TMP"
  run setpriv --reuid 65534 --regid 65534 --clear-groups sh -c '
    cd "$1/user" || exit 9
    pid=$(./branchsim vmm --sock s --cause user-cpu --no-kvm --dir . --daemon | sed "s/.*\"pid\": *\([0-9]*\).*/\1/")
    ./snapflame record -p "$pid" -o u.data -- ./branchsim branch --sock s
    echo "status $?"
    kill "$pid"' - "$TMP"
  grep -q '^status 0' "$out"
  ok $? "without root: it records" || sed 's/^/# /' "$err"
  like "$(marks user/u.data meta)" '*"scope":"vmm"*"missing":\["tracepoints*record as root"*' "without root: says what is missing"
  if command -v perf >/dev/null; then
    perf script -f -i user/u.data 2>/dev/null </dev/null | grep -q hash_entry
    ok $? "without root: the cause is in the stacks"
  fi
else
  skip "without root" "needs root to give it up, and perf_event_paranoid of at most 2"
fi
done_testing
