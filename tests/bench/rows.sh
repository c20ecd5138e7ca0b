#!/bin/sh
# rows.sh: how fast export --format rows makes and writes rows, and whether its memory grows: the
# windows of one recording 1, 4 and 16 times WINDOWS (2000). The limit: 500 thousand rows/s of CPU time
# in constant memory.
set -u
TOP=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=${BUILD:-$TOP/build}
WINDOWS=${WINDOWS:-2000}
tmp=$(mktemp -d /dev/shm/rows.XXXXXX) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

# Whether its verdict is right is no matter here: any recording will do.
sh "$TOP/samples/scenarios.sh" "$BUILD" -k "$tmp" user-cpu >"$tmp/said" 2>&1
if [ ! -s "$tmp/user-cpu.data" ]; then
  echo "rows: no recording could be made here: $(grep -E '^(skip|WRONG)' "$tmp/said" | head -n 1)"
  exit 0
fi
make -s -C "$TOP" O="$BUILD" "$BUILD/tests/bench/rows" || exit 1
base=
# line NAME WINDOWS [PACKING]
line() {
  name=$1
  shift
  set -- $("$BUILD/tests/bench/rows" "$tmp/user-cpu.data" "$@")
  [ $# -eq 4 ] || exit 1
  [ -n "$base" ] || base=$2
  awk -v x="$name" -v n="$1" -v t="$2" -v peak="$3" -v kb="$4" -v b="$base" 'BEGIN {
    printf "%-8s %.2f M rows  %.2f s CPU  %.0f thousand rows/s  %5.2f times the first  %d kB, %d more than at first\n",
      x, n / 1e6, t, n / t / 1e3, t / b, peak, kb }'
}
for times in 1 4 16; do
  line "${times}x" $((WINDOWS * times))
done
for z in zstd gzip; do
  line "4x $z" $((WINDOWS * 4)) $z
done
