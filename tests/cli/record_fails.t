# snapflame record when something is wrong: usage, the target, the command, the disk, signals, rights.
. "$TOP/tests/lib.sh"
. "$TOP/tests/record.sh"

# Wrong usage: status 2, one line and where help is.
for args in "" "-p x -- true" "-p 0 -- true" "-p $vmm --branches 0 -- true" "-p $vmm -F 0 -- true" \
  "-p $vmm --comm x -- true" "-p $vmm --branches 2" "--branches 2 -- true" \
  "-p $vmm --duration 1 -- true" "-p $vmm --label x -- true" "-p $vmm --scope all -- true" \
  "-p $vmm --duration 0" "-p $vmm --snapshot-type Full -- true" "-p $vmm --json-fields pause=x -- true" \
  "-p $vmm --json-fields pause_ms -- true" "-p $vmm --json-fields pause_ms=x --duration 1" \
  "-p $vmm --gap -1 -- true" "-p $vmm --max-size x -- true" \
  "-p $vmm --max-size 0 -- true" "-p $vmm --poll 100000 -- true"; do
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
echo no program >text
wrong "not a program" "*cannot be run: Permission denied" -p "$vmm" -o bad.data -- "$TMP/text"
wrong "no such directory" "*/none/x: the directory */none: No such file*" -p "$vmm" -o "$TMP/none/x" -- true
wrong "an empty name" "the name of the recording is empty" -p "$vmm" -o "" -- true
wrong "a file as a directory" "*text/x: *text is not a directory" -p "$vmm" -o "$TMP/text/x" -- true
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
like "$(marks dies.data window)" '*"error":"process '$victim' exited in it"*' \
  "the target dies: its window says so"
like "$(marks dies.data end)" '*"reason":"target-exited"*' "the target dies: kept what there was"

# More samples than the kernel allows: as many as it does, and that is said.
if [ "$(cat /proc/sys/kernel/perf_event_max_sample_rate)" -lt 10000000 ]; then
  run "$SNAPFLAME" record -p "$vmm" -F 10000000 -o fast.data -- $branch
  is "$status" 0 "too many samples a second: status"
  grep -q 'not recorded: 10000000 samples a second.*perf_event_max_sample_rate' "$err"
  ok $? "too many samples a second: said, with what helps" || sed 's/^/# /' "$err"
  ! grep -q 'not recorded: cpu-clock' "$err"
  ok $? "too many samples a second: there are samples"
fi

# The target dies between two, and before the first.
for when in gap warm-up; do
  sleep 60 &
  victim=$!
  others="$others $victim"
  if [ $when = gap ]; then
    run "$SNAPFLAME" record -p "$victim" --branches 2 --gap 5 -o $when.data -- sh -c "(sleep 0.5; kill $victim) >/dev/null & :"
    n=1
  else
    run "$SNAPFLAME" record -p "$victim" --branches 2 --warmup 1 -o $when.data -- kill "$victim"
    n=0
  fi
  wait "$victim" 2>/dev/null
  is "$status" 1 "the target dies in the $when: status"
  grep -q "process $victim exited after $n of 2 BRANCHes" "$err"
  ok $? "the target dies in the $when: said" || sed 's/^/# /' "$err"
  is "$(marks $when.data window | wc -l)" $n "the target dies in the $when: kept what there was"
done

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
    "$0" record -p "$1" -o unmounted.data -- true && ! grep -q "/sys/kernel/.*tracefs" /proc/mounts' "$SNAPFLAME" "$vmm"
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
