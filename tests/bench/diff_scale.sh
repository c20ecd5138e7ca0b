#!/bin/sh
# diff_scale.sh: 100 files (FILES) of 20 thousand call paths each (PATHS), half on either side:
# compared, with intervals and tests for every path. The limits are 2 s of CPU and 500 MB. Most of the
# time is reading two million lines of text; stats_calibration.sh has that of the statistics alone.
set -u
TOP=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=${BUILD:-$TOP/build}
FILES=${FILES:-100}
PATHS=${PATHS:-20000}
tmp=$(mktemp -d /dev/shm/diff-scale.XXXXXX) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

awk -v files="$FILES" -v paths="$PATHS" -v dir="$tmp" 'BEGIN {
  srand(1)
  for (i = 0; i < paths; i++)
    name[i] = sprintf("vmm;main;loop_%d;handle_%d;run_%d;step_%d;leaf_%d", i % 10, i % 100, i % 1000,
      i % 5000, i)
  for (f = 1; f <= files; f++) {
    out = sprintf("%s/%03d", dir, f)
    for (i = 0; i < paths; i++)
      printf "%s %d\n", name[i], (1000 / (1 + i / 100) + 100 * rand()) * (i % 10 == 3 && 2 * f > files ? 1.5 : 1) >out
    close(out)
  }
}'
fast= slow= n=0
for f in "$tmp"/*; do
  n=$((n + 1))
  if [ $((2 * n)) -le "$FILES" ]; then fast="$fast $f"; else slow="$slow $f"; fi
done
# Words are wanted.
# shellcheck disable=SC2086
best=$(for i in 1 2 3; do
  /usr/bin/env time -f '%U %S %M' "$BUILD/snapflame" diff --json --fast $fast --slow $slow 2>&1 >"$tmp/out" |
    tail -n 1
done | awk '{ t = $1 + $2; if (!n++ || t < b) { b = t; m = $3 } } END { print b, m }')
set -- $best
rows=$(grep -c '"delta_pct"' "$tmp/out")
awk -v n="$FILES" -v p="$PATHS" -v t="$1" -v m="$2" -v rows="$rows" 'BEGIN {
  bad = t > 2 || m > 500 * 1024 || !rows
  printf "%d files x %d paths  %.2f s CPU, %.0f ns a line  %.0f MB  %d rows%s\n", n, p, t,
    t * 1e9 / n / p, m / 1024, rows, bad ? "  <-- outside" : ""
  exit bad }'
