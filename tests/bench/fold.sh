#!/bin/sh
# fold.sh: how fast fold is, and how much memory it takes: recordings of perf record -g of a machine
# that is busy with several programs, of 30 and 300 MB. With FLAMEGRAPH_DIR also against
# perf script --no-inline | stackcollapse-perf.pl on the smaller one, where the lines are compared, too.
# MB="30 300" sets the sizes, SECONDS_RECORDED=4 the length of the recording that they grow from.
set -u
TOP=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=${BUILD:-$TOP/build}
MB=${MB:-30 300}
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

# timed COMMAND…: seconds of CPU and kB of memory, of the quickest of five
timed() {
  for i in 1 2 3 4 5; do
    /usr/bin/env time -f '%U %S %M' "$@" 2>&1 >/dev/null | tail -n 1
  done | awk '{t = $1 + $2; if (NR == 1 || t < b) {b = t; m = $3}} END {print b, m}'
}

for mb in $MB; do
  "$BUILD/tests/bench/grow" "$tmp/seed.data" "$tmp/big.data" $((mb * 1000000)) || exit 1
  "$BUILD/snapflame" fold -q --view samples --weight count "$tmp/big.data" >"$tmp/count" || exit 1
  set -- $(timed "$BUILD/snapflame" fold -q --view samples "$tmp/big.data")
  fold=$1
  awk -v mb="$mb" -v t="$1" -v kb="$2" '{n += $NF} END {
    printf "%4d MB, %.2f M samples, %d stacks: %.2f s CPU, %.0f MB/s, %.0f ns a sample, %.0f MB of memory\n",
      mb, n / 1e6, NR, t, mb / t, t * 1e9 / n, kb / 1024}' "$tmp/count"
  [ -n "${FLAMEGRAPH_DIR:-}" ] && [ "$mb" -le 50 ] || continue
  set -- $(timed sh -c 'perf script --no-inline -i "$1" 2>"$2" | perl "$3"' - "$tmp/big.data" "$tmp/log" \
    "$FLAMEGRAPH_DIR/stackcollapse-perf.pl")
  perf script --no-inline -i "$tmp/big.data" 2>/dev/null |
    perl "$FLAMEGRAPH_DIR/stackcollapse-perf.pl" 2>/dev/null >"$tmp/theirs"
  "$BUILD/snapflame" fold -q --view samples "$tmp/big.data" >"$tmp/ours"
  awk -v t="$1" -v f="$fold" 'BEGIN {printf "         perf script | stackcollapse-perf.pl: %.2f s CPU: %.0f times as long\n", t, t / f}'
  echo "         of $(wc -l <"$tmp/theirs") lines $(sort "$tmp/theirs" | comm -23 - "$tmp/ours" | wc -l) differ"
done
