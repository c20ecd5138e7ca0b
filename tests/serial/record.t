# snapflame record against the stand-in VMM: what is recorded, and that perf reads it.
. "$TOP/tests/lib.sh"
. "$TOP/tests/record.sh"

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
# The command's start and end, by its own clock, lie inside; what is around it is short where the machine lets it.
marks run.data window | perl -MJSON::PP -ne 'my $w = decode_json($_); my $j = $w->{json};
  die "BRANCH $w->{branch}: $w->{begin} $j->{start_ns} $j->{end_ns} $w->{end}\n"
    unless $j->{start_ns} && $w->{begin} <= $j->{start_ns} && $j->{start_ns} < $j->{end_ns} && $j->{end_ns} <= $w->{end};
  my $around = ($w->{end} - $w->{begin} - $j->{end_ns} + $j->{start_ns}) / 1e6;
  $least = $around if !defined $least || $around < $least;
  END { die "$least ms around the shortest\n" unless defined $least && $least < 200 }' 2>"$err"
ok $? "the windows hold what the BRANCHes report" || diag "$(cat "$err")"
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
  # They come with the CPU's time: who gets less of a busy machine, or has less of its clock, has fewer.
  for n in 1 2 3; do
    w=$(marks run.data window | sed -n ${n}p)
    ran=$(marks run.data threads | sed -n "$((2 * n - 1)),$((2 * n))p" | sed -n 's/.*"cpu_ns":\([0-9]*\).*/\1/p' |
      awk '{c = $1 - c} END {print c / 1e6}')
    awk -v b="$(field "$w" begin)" -v e="$(field "$w" end)" -v ran="$ran" -v n=$n '
      /cpu-clock/ && /^ *firecracker/ {t = $(NF - 1) * 1e9; if (t >= b && t <= e) got++}
      END {print "# BRANCH " n ": " got + 0 " samples of " ran " ms"; exit !(got >= 3 && got >= ran / 10)}' times.txt
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
  marks run.data symbols | grep -q '/branchsim".*"hash_entry"'
  ok $? "the names are in the recording"
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

done_testing
