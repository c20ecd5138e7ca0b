#!/bin/sh
# record_cost.sh [SCENARIO…]: what recording costs the target: the median pause with a recorder over
# the median pause without, taken in turns, N times (30) each; behind it the spread, as the middle half
# of the ratios of neighbours in time. RECORDERS="plain snapflame vmm perf trace" chooses.
# SCENARIO: user kernel io rewrite switches.
set -u
TOP=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=${BUILD:-$TOP/build}
N=${N:-30}
RECORDERS=${RECORDERS:-plain snapflame perf trace}
[ $# -gt 0 ] || set -- user kernel io rewrite switches
state=$(mktemp -d "${TMPDIR:-/tmp}/record-cost.XXXXXX") || exit 1
vmm=
cleanup() {
  [ -n "$vmm" ] && kill "$vmm" 2>/dev/null && while kill -0 "$vmm" 2>/dev/null; do sleep 0.1; done
  sh "$TOP/samples/storage.sh" down "$state/disk" >/dev/null 2>&1
  rm -rf "$state"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# cause and its work, the same in each BRANCH: pauses of 50 to 150 ms
cause_of() {
  case $1 in
  user) echo "user-cpu --base 80" ;;
  kernel) echo "kernel-cpu --base 80" ;;
  io) echo "fsync-many --base 25" ;;
  rewrite) echo rewrite ;;
  switches) echo "ping-pong --base 80" ;;
  *) echo "$1" ;;
  esac
}

# storage: what samples/storage.sh sets up; within: how to start the VMM there
start_vmm() {
  dir=$state/tmpfs storage='' within=''
  mkdir -p "$dir"
  case $1 in
  io) storage=ext4 ;;
  rewrite) storage=disk within="sh $TOP/samples/storage.sh exec $state/disk" ;;
  *) [ ! -w /dev/shm ] || dir= ;;
  esac
  if [ -n "$storage" ]; then
    sh "$TOP/samples/storage.sh" up $storage "$state/disk" >/dev/null || return 1
    dir=$(sh "$TOP/samples/storage.sh" dir "$state/disk")
  fi
  # shellcheck disable=SC2046,SC2086 # lists of words
  vmm=$($within "$BUILD/branchsim" vmm --sock "$state/sock" --cause $(cause_of "$1") --grow 0 \
    ${dir:+--dir "$dir"} --daemon | sed 's/.*"pid": *\([0-9]*\).*/\1/')
  [ -n "$vmm" ]
}

# What is recorded: one BRANCH. That of rewrite comes 0.2 s after another one, whose file the disk
# does not have yet, in the same recording: so every recorder leaves the disk the same time.
write_cmd() {
  b="$BUILD/branchsim branch --sock $state/sock"
  case $1 in
  rewrite) echo "$b >/dev/null && sleep 0.2 && exec $b" ;;
  *) echo "exec $b" ;;
  esac >"$state/cmd"
}

branch() { sh "$state/cmd" >>"$state/$1"; }

# ns that the VMM's main thread has run
main_cpu() { cut -d' ' -f1 "/proc/$vmm/task/$vmm/schedstat"; }

# One BRANCH under the recorder $1, and what CPU time it took.
one() {
  cpu=$(main_cpu)
  perform "$1"
  echo $(($(main_cpu) - cpu)) >>"$state/$1.cpu"
}

# Recordings go to memory.
perform() {
  out=/dev/shm/record-cost.$$
  case $1 in
  # As long after the BRANCH before as one whose recorder has to start first: disks and CPUs rest.
  plain) sleep 0.4; branch plain ;;
  snapflame) "$BUILD/snapflame" record -q -p "$vmm" -o "$out" -- \
    sh "$state/cmd" >>"$state/$1" ;;
  vmm) "$BUILD/snapflame" record -q --scope vmm -p "$vmm" -o "$out" -- \
    sh "$state/cmd" >>"$state/$1" ;;
  nopoll) "$BUILD/snapflame" record -q --poll 0 -p "$vmm" -o "$out" -- \
    sh "$state/cmd" >>"$state/$1" ;;
  dwarf) "$BUILD/snapflame" record -q --call-graph dwarf -p "$vmm" -o "$out" -- \
    sh "$state/cmd" >>"$state/$1" ;;
  syscalls) "$BUILD/snapflame" record -q --syscalls -p "$vmm" -o "$out" -- \
    sh "$state/cmd" >>"$state/$1" ;;
  perf | trace)
    if [ "$1" = perf ]; then
      perf record -q -e cpu-clock,sched:sched_switch -g -p "$vmm" -o "$out" >/dev/null 2>&1 &
    else
      perf trace -s -p "$vmm" -o "$out" >/dev/null 2>&1 &
    fi
    tool=$!
    sleep 0.4
    branch "$1"
    kill -INT $tool
    wait $tool 2>/dev/null ;;
  esac
  rm -f "$out" "$out.old"
}

# Pauses of a recorder, one a line.
pauses() { sed -n 's/^{"pause_ms": *\([0-9.]*\).*/\1/p' "$state/$1"; }

# quantiles FILE: 25 %, median, 75 %
quantiles() {
  sort -n "$1" | awk '{v[NR] = $1}
    function q(p,  at, lo) { at = 1 + p * (NR - 1); lo = int(at)
      return v[lo] + (at - lo) * (v[lo < NR ? lo + 1 : lo] - v[lo]) }
    END { if (NR) printf "%.3f %.3f %.3f\n", q(0.25), q(0.5), q(0.75) }'
}

# compare WHAT FILE BASE: one line: median and middle half, and their ratio to those of BASE
compare() {
  what=$1 base=$(quantiles "$3" | cut -d' ' -f2)
  paste "$2" "$3" | awk 'NF == 2 && $2 > 0 {print $1 / $2}' >"$state/ratio"
  # shellcheck disable=SC2046 # three words
  set -- $(quantiles "$2") $(quantiles "$state/ratio")
  [ $# -eq 6 ] || { printf '  %-16s nothing\n' "$what"; return; }
  printf '  %-16s median %8.2f ms (%.2f .. %.2f)  ratio %s (%.2f .. %.2f)\n' "$what" "$2" "$1" "$3" \
    "$(echo "$2 $base" | awk '{printf "%.3f", $1 / $2}')" "$4" "$6"
}

report() {
  for r in $RECORDERS; do
    pauses "$r" >"$state/$r.ms"
    awk '{print $1 / 1e6}' "$state/$r.cpu" >"$state/$r.cpu.ms"
  done
  for r in $RECORDERS; do compare "$r" "$state/$r.ms" "$state/plain.ms"; done
  for r in $RECORDERS; do compare "$r, CPU" "$state/$r.cpu.ms" "$state/plain.cpu.ms"; done
}

for scenario in "$@"; do
  rm -f "$state"/plain
  for r in $RECORDERS; do : >"$state/$r"; : >"$state/$r.cpu"; done
  if ! start_vmm "$scenario" 2>"$state/why"; then
    echo "$scenario: left out: $(tail -n 1 "$state/why")"
    sh "$TOP/samples/storage.sh" down "$state/disk" >/dev/null 2>&1
    continue
  fi
  write_cmd "$scenario"
  echo "$scenario ($(cause_of "$scenario")), $N times each"
  for r in $RECORDERS; do perform "$r"; : >"$state/$r"; done # the first of each is not counted
  i=0
  while [ $i -lt "$N" ]; do
    i=$((i + 1))
    for r in $RECORDERS; do one "$r"; done
    # Turn the order: who comes after whom must not matter.
    RECORDERS="${RECORDERS#* } ${RECORDERS%% *}"
  done
  report
  kill "$vmm"
  while kill -0 "$vmm" 2>/dev/null; do sleep 0.1; done
  vmm=
  sh "$TOP/samples/storage.sh" down "$state/disk" >/dev/null 2>&1
  rm -rf "$state/disk"
done
