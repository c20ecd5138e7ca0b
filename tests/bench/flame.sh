#!/bin/sh
# flame.sh [STACKS…]: drawing flame graphs against flamegraph.pl, in CPU time, best of N (7) turns
# taken alternately. Fails where one of 10000 stacks takes more than 0.2 s or 5 MB.
set -u
TOP=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=${BUILD:-$TOP/build}
N=${N:-7}
[ $# -gt 0 ] || set -- 1000 10000 50000
mkdir -p "$BUILD/tests/bench" || exit 1
draw=$BUILD/tests/bench/flame_draw
libs=$(sed -n 's/^DEP_LIBS := //p' "$BUILD/config.mk")
# shellcheck disable=SC2086 # a list of words
(cd "$TOP" && ${CC:-cc} -std=gnu11 -O2 -Wall -Ilib/include -o "$draw" tests/bench/flame_draw.c \
  "$BUILD/libsnapflame.a" $libs -lpthread -lm) || exit 1
perl_script=$(sh "$TOP/contrib/flamegraph/draw.sh" --find 2>/dev/null)
dir=$(mktemp -d "${TMPDIR:-/tmp}/flame-bench.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM

# Stacks as programs have them: 20 to 50 deep, most of each in common with the one before.
stacks() {
  awk -v n="$1" -v two="$2" 'BEGIN {
    srand(5)
    for (k = 0; k < n; k++) {
      keep = k ? int(depth * (0.5 + 0.5 * sqrt(rand()))) : 0
      depth = 20 + int(rand() * 30)
      if (keep > depth) keep = depth
      for (d = keep; d < depth; d++) f[d] = "module_" d % 7 "::function_with_a_name_" d "_" int(rand() * 40)
      s = "thread_" int(k * 8 / n)
      for (d = 0; d < depth; d++) s = s ";" f[d]
      print s ";leaf_" k, 1 + int(rand() * 1000) (two ? " " int(rand() * 1000) : "")
    }
  }'
}

# cpu COMMAND…: its user and system time, ms; what it prints goes to $dir/out
cpu() {
  ( "$@" <"$dir/stacks" >"$dir/out" 2>/dev/null; times ) | awk 'END {
    for (i = 1; i <= NF; i++) { split($i, t, /[ms]/); ms += (t[1] * 60 + t[2]) * 1000 }
    printf "%.0f\n", ms }'
}
least() { [ -z "$1" ] || [ "$2" -lt "$1" ] && echo "$2" || echo "$1"; }

status=0
printf '%-8s %-5s %9s %9s %7s %10s %10s\n' stacks kind "ours ms" "perl ms" ratio "ours kB" "perl kB"
for n in "$@"; do
  for kind in svg diff html; do
    stacks "$n" "$([ $kind = diff ] && echo 1)" >"$dir/stacks"
    ours= perl=
    ours_kb=- perl_kb=-
    i=0
    while [ $i -lt "$N" ]; do
      i=$((i + 1))
      ours=$(least "$ours" "$(cpu "$draw" $([ $kind = html ] && echo html || echo svg))")
      ours_kb=$(($(wc -c <"$dir/out") / 1000))
      if [ -n "$perl_script" ] && [ $kind != html ] && [ $i -le 3 ]; then
        perl=$(least "$perl" "$(cpu perl "$perl_script" --hash)")
        perl_kb=$(($(wc -c <"$dir/out") / 1000))
      fi
    done
    ratio=-
    [ -n "$perl" ] && ratio=$(awk -v a="$perl" -v b="$ours" 'BEGIN {printf "%.0fx", a / (b > 0 ? b : 1)}')
    printf '%-8s %-5s %9s %9s %7s %10s %10s\n' "$n" $kind "$ours" "${perl:--}" "$ratio" "$ours_kb" "$perl_kb"
    if [ "$n" -eq 10000 ] && { [ "$ours" -gt 200 ] || [ "$ours_kb" -gt 5000 ]; }; then
      echo "flame.sh: 10000 stacks: more than 200 ms or 5000 kB" >&2
      status=1
    fi
  done
done
exit $status
