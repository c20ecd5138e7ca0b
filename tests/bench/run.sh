#!/bin/sh
# run.sh: runs every benchmark, tests/bench/*.sh: ratios within one run, never absolute times.
# N=30 sets the repetitions.
set -u
cd "$(dirname "$0")/../.." || exit 1
status=0
for b in tests/bench/*.sh; do
  [ "$b" = tests/bench/run.sh ] && continue
  echo "== $(basename "$b" .sh)"
  sh "$b" || status=1
done
exit $status
