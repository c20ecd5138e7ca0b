# contrib/fleet on DuckDB: a recording's verdict in SQL, all questions of a fleet with known truths, what
# the intake says of bad input, and the commands of docs/fleet.md.
. "$TOP/tests/lib.sh"
python=$BUILD/venv/bin/python
"$python" -c 'import duckdb, zstandard' 2>/dev/null ||
  skip_all "no Python packages duckdb and zstandard: $(cat "$BUILD/venv.why" 2>/dev/null || echo make check gets them)"
. "$TOP/tests/record.sh"
[ $root -eq 1 ] || { skip "fleet" "not root: a recording without switches"; done_testing; exit; }
command -v bash >/dev/null || { skip "fleet" "no bash"; done_testing; exit; }
fleet() { run "$python" "$TOP/contrib/fleet/fleet.py" "$@"; }
# ask STORE QUESTION FILE: the answer, one JSON object a line
ask() {
  fleet ask "$1" "$2" --format json --a "kernel = '6.1-a'" --b "kernel = '6.9-b'"
  cp "$out" "$3"
  [ "$status" -eq 0 ] && [ -s "$3" ]
  ok $? "$2 is answered" || diag "$(tail -n 3 "$err")"
}
same_answer() {
  run "$python" "$TOP/tests/fleet/check.py" same "$1" "$2"
  ok "$status" "$3" || diag "$(cat "$err")"
}
said() { like "$(cat "$err")" "*$1*" "${2:-said: $1}"; }

run "$SNAPFLAME" record -q -p "$vmm" --branches 6 --gap 0.05 --label rack=7 -o run.data -- $branch
is "$status" 0 "six BRANCHes"
for z in "" .gz .zst; do
  "$SNAPFLAME" export --format rows -o rows.jsonl$z run.data &&
    "$SNAPFLAME" export --format rows --table windows -o windows.jsonl$z run.data &&
    "$SNAPFLAME" export --format rows --table causes -o causes.jsonl$z run.data
  ok $? "rows, windows and causes$z"
done
"$SNAPFLAME" diff --json run.data >diff.json
rows=$(wc -l <rows.jsonl)

# One recording: the same verdict.
causes=$(wc -l <causes.jsonl)
fleet import one rows.jsonl.zst windows.jsonl.gz causes.jsonl
is "$status" 0 "an import"
said "3 files, $((rows + 6 + causes)) lines, 0 of them refused"
said "6 pauses, 6 of them usable, of 1 hosts"
ask one verdict one.verdict
run "$python" "$TOP/tests/fleet/check.py" verdict diff.json one.verdict rows.jsonl windows.jsonl
ok "$status" "every cause by SQL, and its rows, are those of diff --json to 0.1 ms" || diag "$(cat "$err")"
diag "$(cat "$out")"

# Recordings of other causes: several threads that do the same, one who has the CPU, a lock's holder.
for cause in mutex-oncpu cpu-hog pool pipe-peer; do
  pid=$("$BUILD/branchsim" vmm --sock "$TMP/$cause.sock" --cause $cause --base 20 --grow 15 --daemon |
    sed 's/.*"pid": *\([0-9]*\).*/\1/')
  others="$others $pid"
  run "$SNAPFLAME" record -q -p "$pid" --branches 6 --gap 0.05 -o $cause.data -- \
    "$BUILD/branchsim" branch --sock "$TMP/$cause.sock"
  kill "$pid"
  for table in rows windows causes; do
    "$SNAPFLAME" export --format rows --table $table -o $cause.$table $cause.data || echo "$table failed"
  done >failed
  "$SNAPFLAME" diff --json $cause.data >$cause.json
  fleet import $cause $cause.rows $cause.windows $cause.causes
  ask $cause verdict $cause.verdict
  run "$python" "$TOP/tests/fleet/check.py" verdict $cause.json $cause.verdict $cause.rows $cause.windows
  [ "$status" -eq 0 ] && [ ! -s failed ]
  ok $? "$cause: every cause" || diag "$(cat "$err" failed)"
  diag "$(cat "$out")"
done

# Duplicates change nothing: the same file, and the same rows in another.
fleet import one rows.jsonl.zst
is "$status" 0 "the same file again"
said "rows.jsonl.zst: taken before, as rows.jsonl.zst: skipped"
fleet import one rows.jsonl windows.jsonl causes.jsonl.zst
said "6 pauses, 6 of them usable, of 1 hosts" "the same rows in another file: still six pauses"
ask one verdict again.verdict
same_answer again.verdict one.verdict "and the same answer"

# Other versions and what is no row are kept, counted and not guessed.
sed '1,2s|snapflame.rows/1|snapflame.rows/2|' rows.jsonl >other.jsonl
echo "no row" >>other.jsonl
fleet import other other.jsonl windows.jsonl
is "$status" 1 "lines of another version: status 1"
said "other.jsonl: 2 lines of another version, snapflame.rows/2: kept in other/refused"
said "other.jsonl: 1 lines that are no rows"
said "3 of them refused"
is "$(cat other/refused/* | wc -l)" 3 "they are kept"
head -n 2 other.jsonl >want
grep rows/2 other/refused/* >got
same got want "as they came"
said "1 not compared: its rows do not sum to it"
said "1 recordings without causes (export --table causes): in no verdict"

# Cut: plain, gzip and zstd. The pauses whose rows were lost are in no answer, and come back with them.
for z in "" .gz .zst; do
  head -c $(($(wc -c <rows.jsonl$z) * 2 / 3)) rows.jsonl$z >cut.jsonl$z
  # Not just behind a line: that is no cut.
  [ -n "$(tail -c 1 cut.jsonl$z | tr -d '\n')" ] || truncate -s -1 cut.jsonl$z
  fleet import cut$z cut.jsonl$z windows.jsonl
  is "$status" 1 "cut$z: status 1"
  like "$(cat "$err")" "*cut.jsonl$z: it*s*cut: whole lines are taken*" "cut$z: said"
  like "$(cat "$err")" "*not compared: its rows *" "cut$z: pauses that are not whole are told"
done
fleet import cut rows.jsonl causes.jsonl
said "6 pauses, 6 of them usable" "the whole file mends it"
ask cut verdict cut.verdict
same_answer cut.verdict one.verdict "and the answer is whole"
echo "not gzip" | gzip | head -c 12 >bad.gz
printf 'xxxxxxxxxxxx' >>bad.gz
fleet import bad bad.gz none.jsonl
is "$status" 1 "damaged and missing files: status 1"
said "bad.gz: it is damaged"
said "none.jsonl: No such file"

# Clocks that were never set, covariates that are not there, windows without rows, rows without windows.
sed -e '1s/"start_realtime_ns":[0-9]*/"start_realtime_ns":5/' -e '2s/"start_realtime_ns":[0-9]*/"start_realtime_ns":null/' \
  -e '3s/"covariates":{.*}},"kernel"/"covariates":{},"kernel"/' -e '4s/"host":"[^"]*"/"host":null/' windows.jsonl >odd.jsonl
fleet import odd odd.jsonl rows.jsonl
said "1 in no question about time: their host's clock was wrong"
said "1 in no question about time: when they were is not recorded"
said "1 without dirty_kb"
said "1 not compared: it names no host"
said "6 pauses, 5 of them usable"
fleet import alone windows.jsonl
said "6 not compared: its rows are not there"
fleet import alone2 rows.jsonl
said "rows of 6 pauses whose window has not been imported"
fleet ask none costs
is "$status" 1 "no store"
said "fleet.py import none FILE..."
fleet ask one nothing
said "no question nothing"
fleet ask one paths
is "$status" 2 "two cohorts are asked for"

# A fleet with known truths, out of pauses that are always the same.
run "$python" "$TOP/tests/fleet/check.py" pauses six.jsonl sixw.jsonl sixc.jsonl
fleet import six six.jsonl sixw.jsonl sixc.jsonl
said "6 pauses, 6 of them usable"
run "$python" "$TOP/tests/fleet/resample.py" six fleet 50 50
is "$status" 0 "a fleet of 50 hosts with 50 pauses" || diag "$(tail -n 3 "$err")"
cp "$out" dear
said "2500 pauses, 2500 of them usable, of 50 hosts"
set --
fleet questions
cp "$out" questions
is "$(awk '{print $1}' questions | xargs)" "costs paths turned verdict worst" "the questions"
for q in $(awk '{print $1}' questions); do
  ask fleet "$q" "fleet.$q"
  set -- "$@" "$q" "fleet.$q"
done
run "$python" "$TOP/tests/fleet/check.py" truth dear "$@"
ok "$status" "the answers are what was made true" || diag "$(cat "$err")"
diag "$(cat "$out")"

# docs/fleet.md, in its order; what asks Spark is run by tests/long/fleet.t.
mkdir doc doc/bin
ln -s "$SNAPFLAME" doc/bin/snapflame
ln -s "$TOP/contrib" doc/contrib
printf '#!/bin/sh\necho %s\n' "$vmm" >doc/bin/pidof
printf '#!/bin/sh\nexec %s\n' "$branch" >doc/branch.sh
printf '#!/bin/sh\nexec "%s" "$@"\n' "$python" >doc/bin/python3
chmod +x doc/bin/* doc/branch.sh
grep '^    ' "$TOP/docs/fleet.md" | grep -v -e '--engine spark' | sed "s/^ *//" >doc/commands
is "$(grep -c -e '^snapflame ' -e '^python3 ' doc/commands)" "$(wc -l <doc/commands)" "docs/fleet.md: all of it commands"
(cd doc && PATH=$PWD/bin:$PATH timeout 60 bash -e commands) >doc.out 2>doc.err
ok $? "docs/fleet.md: its commands run" || diag "$(tail -n 5 doc.err)"
grep -q 'firecracker (main) *cpu-user' doc.out
ok $? "docs/fleet.md: and answer"
done_testing
