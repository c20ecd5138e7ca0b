#!/bin/sh
# analysis_scale.sh: how diff grows with the events of a system-wide recording: 1, 2 and 4 times
# EVENTS (1.25 million). The limit: 5 million events in 5 s and 500 MB, growing linearly.
set -u
TOP=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=${BUILD:-$TOP/build}
EVENTS=${EVENTS:-1250000}
tmp=$(mktemp -d /dev/shm/analysis-scale.XXXXXX) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

if ! sh "$TOP/samples/scenarios.sh" "$BUILD" -k "$tmp" backoff >/dev/null || [ ! -s "$tmp/backoff.data" ]; then
  echo "analysis_scale: no recording could be made here"
  exit 0
fi
make -s -C "$TOP" O="$BUILD" "$BUILD/tests/bench/multiply" || exit 1
base=
for times in 1 2 4; do
  n=$("$BUILD/tests/bench/multiply" "$tmp/backoff.data" "$tmp/big.data" $((EVENTS * times))) || exit 1
  # user and system time and the largest memory, of the quickest of three
  best=$(for i in 1 2 3; do
    /usr/bin/env time -f '%U %S %M' "$BUILD/snapflame" diff --json "$tmp/big.data" 2>&1 >/dev/null | tail -n 1
  done | awk '{ t = $1 + $2; if (!n++ || t < b) { b = t; m = $3 } } END { print b, m }')
  set -- $best
  [ -n "$base" ] || base=$1
  awk -v n="$n" -v t="$1" -v m="$2" -v b="$base" -v x="$times" 'BEGIN {
    printf "%dx  %.1f M events  %.2f s CPU  %.0f ns an event  %.0f MB  %.2f times the first\n",
      x, n / 1e6, t, t * 1e9 / n, m / 1024, t / b }'
done
