#!/bin/sh
# stats_calibration.sh: how often the statistics are right, on synthetic windows with a known truth
# (docs/statistics.md). ROUNDS sets how many synthetic pairs and series are behind each figure: 1000
# take two minutes. Fails where a figure is outside its limit. Seeds are printed.
set -u
TOP=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=${BUILD:-$TOP/build}
mkdir -p "$BUILD/tests/bench" || exit 1
bin=$BUILD/tests/bench/stats_calibration
${CC:-cc} -std=gnu11 -O2 -Wall -I"$TOP/lib/include" -o "$bin" \
  "$TOP/tests/bench/stats_calibration.c" "$BUILD/libsnapflame.a" -lm || exit 1
exec "$bin" "${ROUNDS:-1000}"
