#!/bin/sh
# fold.sh: how fast fold is, and how much memory it takes: recordings of perf record -g of a machine
# that is busy with several programs, of 30 and 300 MB, and of 100 MB of stack dumps. With
# FLAMEGRAPH_DIR also against perf script --no-inline | stackcollapse-perf.pl: on the smaller one,
# where the lines are compared, too, and on stack dumps. Stack dumps are compared with perf script
# alone in any case, without and with inlined calls, which is how it comes.
# MB="30 300" sets the sizes, SECONDS_RECORDED=4 the length of the recording that they grow from.
set -u
TOP=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=${BUILD:-$TOP/build}
MB=${MB-30 300}
export LC_ALL=C
tmp=$(mktemp -d "${TMPDIR:-/tmp}/fold-bench.XXXXXX") || exit 1
[ -n "${KEEP:-}" ] || trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

# Programs that differ: an interpreter, tight loops, many system calls, short processes.
cat >"$tmp/load.sh" <<'END'
end=$(($(date +%s) + $1))
keep() { while [ "$(date +%s)" -lt "$end" ]; do "$@" >/dev/null 2>&1; done; }
keep perl -e 'for (1 .. 300000) { $h{$_ % 5000} .= $_ } print sort keys %h' &
keep gzip -9c "$0.data" &
keep find /usr -name '*.zzz' &
keep dd if=/dev/zero of="$0.dd" bs=64k count=1000 &
keep sh -c 'for i in 1 2 3 4 5 6 7 8 9; do sha256sum "$0" ; done' "$0" &
wait
END
head -c 3000000 /dev/urandom | od >"$tmp/load.sh.data"

if ! perf record -q -B -o "$tmp/seed.data" -F 4000 -e cpu-clock -g -a -- \
  sh "$tmp/load.sh" "${SECONDS_RECORDED:-4}" >"$tmp/log" 2>&1; then
  echo "fold: perf record is not possible here: $(tail -n 1 "$tmp/log")"
  exit 0
fi
make -s -C "$TOP" O="$BUILD" "$BUILD/tests/bench/grow" || exit 1

# timed RUNS COMMAND…: seconds of CPU and kB of memory, of the quickest
timed() {
  runs=$1
  shift
  for _ in $(seq "$runs"); do
    /usr/bin/env time -f '%U %S %M' "$@" 2>&1 >/dev/null | tail -n 1
  done | awk '{t = $1 + $2; if (NR == 1 || t < b) {b = t; m = $3}} END {print b, m}'
}

# timed10 RUNS COMMAND…: the same, of ten at once, because time counts in steps of 10 ms
timed10() {
  runs=$1
  shift
  set -- $(timed "$runs" sh -c 'for _ in 1 2 3 4 5 6 7 8 9 10; do "$@"; done' - "$@")
  echo "$(awk -v t="$1" 'BEGIN {print t / 10}') $2"
}

grow() { "$BUILD/tests/bench/grow" "$1" "$tmp/big.data" $(($2 * 1000000)); }
# MB of big.data: more than was asked for where the seed is larger
size() { echo $(($(stat -c %s "$tmp/big.data") / 1000000)); }

# fold_big MB: times fold of big.data, prints it; $fold is the time, $samples their number
fold_big() {
  "$BUILD/snapflame" fold -q --view samples --weight count "$tmp/big.data" >"$tmp/count" || exit 1
  "$BUILD/snapflame" fold -q --view samples "$tmp/big.data" >"$tmp/ours"
  samples=$(awk '{n += $NF} END {print n}' "$tmp/count")
  set -- "$1" "$2" $(timed10 2 "$BUILD/snapflame" fold -q --view samples "$tmp/big.data")
  fold=$3
  awk -v mb="$1" -v what="$2" -v n="$samples" -v lines="$(wc -l <"$tmp/count")" -v t="$3" -v kb="$4" \
    'BEGIN {printf "%4d MB%s, %.2f M samples, %d stacks: %.3f s CPU, %.0f MB/s, %.0f ns a sample, %.0f MB of memory\n",
      mb, what, n / 1e6, lines, t, mb / t, t * 1e9 / n, kb / 1024}'
}

# against WHAT SECONDS [OUR-SECONDS]
against() {
  awk -v what="$1" -v t="$2" -v f="${3:-$fold}" 'BEGIN {
    printf "         %s: %.2f s CPU: %.*f times as long\n", what, t, t / f < 20, t / f}'
}

usual='perf script --no-inline -i "$1" 2>/dev/null | perl "$2"'
per_sample=
for mb in $MB; do
  grow "$tmp/seed.data" "$mb" || exit 1
  fold_big "$(size)" ""
  [ -n "${FLAMEGRAPH_DIR:-}" ] || continue
  if [ "$mb" -le "${MAX_MB:-50}" ]; then
    collapse=$FLAMEGRAPH_DIR/stackcollapse-perf.pl
    sh -c "$usual" - "$tmp/big.data" "$collapse" 2>/dev/null >"$tmp/theirs"
    set -- $(timed "${RUNS:-1}" sh -c "$usual" - "$tmp/big.data" "$collapse")
    per_sample=$(awk -v t="$1" -v n="$samples" 'BEGIN {print t / n}')
    against "perf script | stackcollapse-perf.pl" "$1"
    echo "         of $(wc -l <"$tmp/theirs") lines $(sort "$tmp/theirs" | comm -23 - "$tmp/ours" | wc -l) differ"
  elif [ -n "$per_sample" ]; then
    # It works through text, line by line: its time is in proportion. MAX_MB=300 measures it.
    against "perf script | stackcollapse-perf.pl, from its time for a sample" \
      "$(awk -v t="$per_sample" -v n="$samples" 'BEGIN {print t * n}')"
  fi
done

# Stack dumps: a program with frames of several depths, without frame pointers.
cat >"$tmp/deep.c" <<'END'
#include <stdlib.h>
#include <string.h>
static volatile long n;
static int by_value(const void *a, const void *b) { n++; return *(const int *)a - *(const int *)b; }
__attribute__((noinline)) static long deep(int d)
{
	char pad[64];
	int v[200];

	memset(pad, d, sizeof(pad));
	if (d)
		return deep(d - 1) + pad[d % 64];
	for (int i = 0; i < 200; i++)
		v[i] = rand();
	qsort(v, 200, sizeof(*v), by_value);
	return v[7];
}
int main(int argc, char **argv)
{
	for (long end = atol(argv[1]), i = 0; i < end; i++)
		n += deep((int)(i % 40));
	return 0;
}
END
cc -g -O2 -fomit-frame-pointer -o "$tmp/deep" "$tmp/deep.c" || exit 0
# With build-ids, as perf record does it unless told otherwise: then it keeps a copy of kallsyms, too.
HOME=$tmp/home
export HOME
mkdir "$HOME"
perf record -q -o "$tmp/seed.data" -F 4000 -e cpu-clock --call-graph dwarf,8192 -- \
  "$tmp/deep" "${DEEP:-60000}" >"$tmp/log" 2>&1 || exit 0
grow "$tmp/seed.data" "${DWARF_MB:-100}" || exit 1
fold_big "$(size)" " of stack dumps"
if [ -n "${FLAMEGRAPH_DIR:-}" ]; then
  collapse=$FLAMEGRAPH_DIR/stackcollapse-perf.pl
  set -- $(timed "${RUNS:-1}" sh -c "$usual" - "$tmp/big.data" "$collapse")
  against "perf script --no-inline | stackcollapse-perf.pl" "$1"
fi
set -- $(timed 3 perf script -i "$tmp/big.data") $(timed10 2 "$BUILD/snapflame" fold -q --inline "$tmp/big.data")
against "perf script, which looks for inlined calls" "$1"
against "the same, against fold --inline ($3 s)" "$1" "$3"
set -- $(timed 3 perf script --no-inline -i "$tmp/big.data")
against "perf script --no-inline" "$1"
perf script --no-inline -i "$tmp/big.data" 2>/dev/null >"$tmp/text"
awk -v t="$fold" -v p="$1" '/^\t/ {frames++} /^$/ {n++} END {
  printf "         %.1f frames a sample: %.0f ns a frame, perf %.0f ns\n", frames / n, t * 1e9 / frames, p * 1e9 / frames}' \
  "$tmp/text"
"$BUILD/snapflame" fold -q "$tmp/text" >"$tmp/theirs"
# perf calls stubs of the PLT _init where it finds that symbol first.
awk '{n = $NF; sub(/ [0-9]+$/, ""); gsub(/;[^;]*@plt/, ";_init")}
  FILENAME == ARGV[1] {theirs[$0] += n; all += n}
  FILENAME == ARGV[2] {ours[$0] += n}
  END {
    for (s in theirs) same += s in ours ? (ours[s] < theirs[s] ? ours[s] : theirs[s]) : 0
    printf "         %.3f %% of the samples have the same frames (a stub of the PLT may be _init)\n", 100 * same / all
  }' "$tmp/theirs" "$tmp/ours"
# The same where the kernel has to write its list, and what is left without the start of both programs.
rm -rf "$HOME/.debug"
set -- $(timed10 3 "$BUILD/snapflame" fold -q "$tmp/big.data")
echo "         without perf's copy of kallsyms: $1 s CPU"
perf record -q -N -B -o "$tmp/tiny.data" -F 4000 -e cpu-clock --call-graph dwarf,8192 -- \
  "$tmp/deep" 300 >"$tmp/log" 2>&1 || exit 0
set -- $(timed10 3 "$BUILD/snapflame" fold -q "$tmp/tiny.data") $(timed 3 perf script --no-inline -i "$tmp/tiny.data")
echo "         of a tiny recording with kernel samples: $1 s CPU, perf script $3 s"

# Start-up: what a run costs that has nothing to do, and one with samples of user space alone.
perf record -q -N -B -o "$tmp/user.data" -F 4000 -e cpu-clock:u -g -- "$tmp/deep" 300 >"$tmp/log" 2>&1
# each RUNS COMMAND…: milliseconds of wall time of one of RUNS runs
each() {
  runs=$1
  shift
  from=$(date +%s%N)
  for _ in $(seq "$runs"); do "$@" >/dev/null 2>&1; done
  echo $((($(date +%s%N) - from) / runs / 10000)) | awk '{printf "%.1f ms", $1 / 100}'
}
echo "start-up: --version $(each 50 "$BUILD/snapflame" --version), fold of a tiny recording" \
  "$(each 50 "$BUILD/snapflame" fold -q "$tmp/user.data"), /bin/true $(each 50 /bin/true) (wall, of 50)"
