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
for times in 1 4 16; do
  set -- $("$BUILD/tests/bench/rows" "$tmp/user-cpu.data" $((WINDOWS * times)))
  [ $# -eq 3 ] || exit 1
  [ -n "$base" ] || base=$2
  awk -v x="$times" -v n="$1" -v t="$2" -v kb="$3" -v b="$base" 'BEGIN {
    printf "%2dx  %.2f M rows  %.2f s CPU  %.0f thousand rows/s  %.2f times the first  %d kB more memory\n",
      x, n / 1e6, t, n / t / 1e3, t / b, kb }'
done
