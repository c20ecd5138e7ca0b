# The questions of a fleet on DuckDB and on Spark: every number is the same, and how their time grows with
# the rows. 2000 hosts with 50 pauses each out of one recording; HOSTS for another size.
. "$TOP/tests/lib.sh"
python=$BUILD/venv/bin/python
"$python" -c 'import duckdb, zstandard, pyspark' 2>/dev/null ||
  skip_all "no Python packages duckdb, zstandard and pyspark: $(cat "$BUILD/venv.why" 2>/dev/null || echo make check-long gets them)"
command -v java >/dev/null || skip_all "no java (Debian: openjdk-17-jre-headless)"
. "$TOP/tests/record.sh"
[ $root -eq 1 ] || { skip "fleet" "not root: a recording without switches"; done_testing; exit; }
fleet() { run "$python" "$TOP/contrib/fleet/fleet.py" "$@"; }

run "$SNAPFLAME" record -q -p "$vmm" --branches 6 --gap 0.05 -o run.data -- $branch
is "$status" 0 "six BRANCHes"
"$SNAPFLAME" export --format rows -o rows.jsonl.zst run.data &&
  "$SNAPFLAME" export --format rows --table windows -o windows.jsonl.zst run.data &&
  "$SNAPFLAME" export --format rows --table causes -o causes.jsonl.zst run.data
ok $? "rows, windows and causes"
fleet import store rows.jsonl.zst windows.jsonl.zst causes.jsonl.zst
is "$status" 0 "an import"

# docs/fleet.md
command=$(grep -e '^ .*--engine spark' "$TOP/docs/fleet.md" | sed 's/^ *//')
[ -n "$command" ]
ok $? "docs/fleet.md asks Spark"
ln -s "$TOP/contrib" contrib
fleet ask store costs
cp "$out" duckdb.costs
# shellcheck disable=SC2086 # words
run "$python" ${command#python3 }
is "$status" 0 "$command" || diag "$(tail -n 5 "$err")"
same "$out" duckdb.costs "and gets what DuckDB says"

# 1, 4 and 16 times the rows; the last one is the whole fleet.
hosts=${HOSTS:-2000}
for n in $((hosts / 16)) $((hosts / 4)) "$hosts"; do
  run "$python" "$TOP/tests/fleet/resample.py" store "fleet.$n" "$n" 50
  is "$status" 0 "a fleet of $n hosts with 50 pauses each" || diag "$(tail -n 3 "$err")"
  diag "$(grep pauses, "$err"); $(cut -f 1 "$out") rows"
done
run timeout 1500 "$python" "$TOP/tests/fleet/engines.py" --spark fleet.$((hosts / 16)) fleet.$((hosts / 4)) "fleet.$hosts"
ok "$status" "DuckDB and Spark agree in every number" || diag "$(tail -n 5 "$err")" "$(grep DIFFERENT "$out")"
diag "$(cat "$out")"
like "$(tail -n 1 "$out")" "[1-9]* fields compared" "and there were some"
done_testing
