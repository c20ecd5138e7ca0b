#!/bin/sh
# fleet.sh: how long DuckDB takes for each question of contrib/fleet, and for the import that makes its
# tables: HOSTS (7000) hosts with 50 pauses each, out of measured ones; about 10 million rows. The limit:
# 10 s for a question on 2 CPUs with 2 GB. ENGINES="--spark" asks Spark, too.
set -u
TOP=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=${BUILD:-$TOP/build}
HOSTS=${HOSTS:-7000}
python=$BUILD/venv/bin/python
sh "$TOP/tests/fleet/venv.sh" "$BUILD" duckdb zstandard ${ENGINES:+pyspark}
"$python" -c 'import duckdb' 2>/dev/null || { echo "fleet: no DuckDB: $(cat "$BUILD/venv.why")"; exit 0; }
tmp=$(mktemp -d "${TMPDIR:-/tmp}/fleet.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

# Whether their verdicts are right is no matter here: any recordings with fast and slow BRANCHes will do.
sh "$TOP/samples/scenarios.sh" "$BUILD" -k "$tmp" user-cpu mutex-oncpu pool >"$tmp/said" 2>&1
for f in "$tmp"/*.data; do
  [ -s "$f" ] || { echo "fleet: no recording could be made here: $(grep -E '^(skip|WRONG)' "$tmp/said" | head -n 1)"; exit 0; }
  for table in rows windows causes; do
    "$BUILD/snapflame" export --format rows --table $table -o "${f%.data}.$table" "$f"
  done
done
"$python" "$TOP/contrib/fleet/fleet.py" import "$tmp/base" "$tmp"/*.rows "$tmp"/*.windows "$tmp"/*.causes 2>/dev/null
"$python" "$TOP/tests/fleet/resample.py" "$tmp/base" "$tmp/fleet" "$HOSTS" 50 >/dev/null 2>"$tmp/said" ||
  { cat "$tmp/said"; exit 1; }
# shellcheck disable=SC2086 # words
"$python" "$TOP/tests/fleet/engines.py" ${ENGINES:-} "$tmp/fleet"
