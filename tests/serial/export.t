# snapflame export: every format by its own rules, and its totals against fold, show and diff.
. "$TOP/tests/lib.sh"
. "$TOP/tests/record.sh"
check_file() { what=$1; shift; run python3 "$TOP/tests/export_check.py" "$@"; ok "$status" "$what" || diag "$(cat "$out" "$err")"; }
sum() { awk '{s += $NF; n++} END {printf "%.0f %d\n", s, n}'; }

# Usage.
: >some.data
run "$SNAPFLAME" export some.data
is "$status" 2 "no format: wrong usage"
like "$(cat "$err")" "snapflame export: which format? *pprof*rows*" "no format: the formats are named"
for args in "--format pprof" "--format pprof a b" "--format pprof --tsv a" "--format rows --mean a" "--format pprof -z gzip a" \
  "--format firefox --table windows a" "--format rows -o some.data some.data"; do
  # shellcheck disable=SC2086 # words
  run "$SNAPFLAME" export $args
  is "$status" 2 "$args: wrong usage"
done
[ -f some.data ]
ok $? "the recording is still there"
run "$SNAPFLAME" export --format rows none.data
is "$status" 1 "no such file"
if command -v script >/dev/null; then
  script -qec "'$SNAPFLAME' export --format pprof some.data" /dev/null >"$out" 2>&1 </dev/null
  like "$(cat "$out")" "*pprof is binary*-o*" "no binary on a terminal"
else
  skip "no binary on a terminal" "no script(1)"
fi

[ $root -eq 1 ] || { skip "formats" "not root: a recording without switches"; done_testing; exit; }
command -v python3 >/dev/null || { skip "formats" "no python3"; done_testing; exit; }
run "$SNAPFLAME" record -q -p "$vmm" --branches 5 --gap 0.1 --label rack=7 --label "odd=a=\"b" \
  -o run.data -- $branch
is "$status" 0 "five BRANCHes"
check "rows" "$SNAPFLAME" export --format rows -o rows run.data
check "windows" "$SNAPFLAME" export --format rows --table windows -o windows run.data
is "$(wc -l <windows)" 5 "a row for each window"
run "$SNAPFLAME" diff --json run.data
cp "$out" diff.json
check_file "rows sum to the pauses, and to the diff" rows rows windows diff.json
check "causes" "$SNAPFLAME" export --format rows --table causes -o causes run.data
check_file "causes sum to the pauses" causes causes windows
for table in rows windows causes; do
  check "$table as TSV" "$SNAPFLAME" export --format rows --table $table --tsv -o $table.tsv run.data
  check_file "$table: the same in TSV" tsv $table.tsv $table
done
for format in speedscope firefox perfetto; do
  check "$format" "$SNAPFLAME" export --format $format -o $format.json run.data
  check_file "$format: by its rules, with the same totals" $format $format.json windows
done

row=$(head -n 1 windows)
like "$row" "*\"vm\":\"firecracker-$vmm\"*" "a VM without a name is its process"
like "$row" '*"labels":{"rack":"7","odd":"a=\\"b"}*' "labels"
like "$row" "*\"kernel\":\"$(uname -r)\",\"vmm\":\"firecracker\",\"vmm_version\":null,*" "kernel and VMM"
id=$(readelf -n "$BUILD/branchsim" 2>/dev/null | sed -n 's/.*Build ID: //p')
like "$row" "*\"vmm_build_id\":\"$id\"*" "the VMM's build-id"
run "$SNAPFLAME" record -q --firecracker "$TMP/sock" --vm "vm 17" --snapshot-dir "$TMP" -o api.data
run "$SNAPFLAME" export --format rows --table causes api.data
is "$status,$(wc -c <"$out")" 0,0 "one BRANCH: no causes, and no failure"
like "$(cat "$err")" "*api.data: no causes: *" "which is said"
run "$SNAPFLAME" export --format rows --table windows api.data
place=$(df --output=fstype,source "$TMP" | tail -n 1)
like "$(cat "$out")" '*"vm":"vm 17"*"vmm_version":"1.*' "the VM's given name, and the version that the API says"
like "$(cat "$out")" "*\"file_system\":\"${place%% *}\"*" "the file system of the snapshot's file"
is "$(grep -o '"recording_id":"[0-9a-f]*"' rows windows | sed 's/.*://' | sort -u | wc -l)" 1 \
  "one recording, one id"
cp run.data renamed.data
run "$SNAPFLAME" export --format rows --table windows renamed.data api.data
is "$(cat "$out" windows | grep -o '"recording_id":"[0-9a-f]*"' | sort | uniq -c | awk '{print $1}' | sort -n | xargs)" \
  "1 10" "a copy has the same, another one its own"

# Compressed as it is written; a name says how.
for z in gzip zstd; do
  command -v $z >/dev/null || { skip "$z" "no $z here"; continue; }
  check "$z" "$SNAPFLAME" export --format rows --compress $z -o packed run.data
  $z -dc <packed >unpacked
  same unpacked rows "$z: the same rows"
done
check ".gz" "$SNAPFLAME" export --format rows -o rows.gz run.data
gzip -t rows.gz
ok $? "a name in .gz is gzip'd"
check ".zst" "$SNAPFLAME" export --format rows -o rows.zst run.data
is "$(od -An -tx1 -N4 rows.zst)" " 28 b5 2f fd" "a name in .zst is zstd's"
check "none" "$SNAPFLAME" export --format rows --compress none -o rows.gz run.data
same rows.gz rows "unless it is said otherwise"
if [ -w /dev/full ]; then
  "$SNAPFLAME" export --format rows -z gzip run.data >/dev/full 2>"$err"
  is $? 1 "full disk, compressed: status 1"
  is "$(wc -l <"$err")" 1 "full disk, compressed: reported once"
fi

# Several recordings, one table; windows and groups.
cp run.data again.data
run "$SNAPFLAME" export --format rows --table windows --tsv run.data again.data
is "$(wc -l <"$out")" 11 "two recordings: one header"
is "$(awk -F '\t' 'NR > 1 {print $4}' "$out" | sort | uniq -c | xargs)" "5 again.data 5 run.data" "by recording"
run "$SNAPFLAME" export --format rows --table windows --window slow,1 run.data
fast=$(grep -c '"group":"fast"' windows) slow=$(grep -c '"group":"slow"' windows)
[ "$fast" -ge 1 ] && [ "$slow" -ge 1 ]
ok $? "fast and slow are told apart"
is "$(grep -c '"group":"slow"' "$out") $(grep -c '"branch":1,' "$out")" "$slow 1" "--window slow,1"
run "$SNAPFLAME" export --format rows --window 7 run.data
is "$status" 1 "no such BRANCH"
like "$(cat "$err")" "*no BRANCH 7*show FILE branches*" "no such BRANCH: the remedy"

# Files appear whole or not at all.
echo old >keep
run "$SNAPFLAME" export --format rows --window 7 -o keep run.data
is "$(cat keep)" old "a failure leaves what was there"
is "$(ls keep*)" keep "and nothing beside it"
check "replaced" "$SNAPFLAME" export --format rows -o keep run.data
same keep rows "by the same rows"
check "/dev/null stays what it is" "$SNAPFLAME" export --format rows -o /dev/null run.data
[ -c /dev/null ]
ok $? "a device"
run "$SNAPFLAME" export --format rows -o none/rows run.data
is "$status" 1 "no such directory"
if [ -w /dev/full ]; then
  "$SNAPFLAME" export --format rows run.data >/dev/full 2>"$err"
  is $? 1 "full disk: status 1"
  is "$(wc -l <"$err")" 1 "full disk: reported once"
  run "$SNAPFLAME" export --format rows -o /dev/full run.data
  is "$status" 1 "full disk, by name: status 1"
else
  skip "full disk" "no /dev/full"
fi

# Names are data.
cat >odd.py <<'EOF'
import sys, time
with open("/proc/self/comm", "wb") as f:
    f.write(b'a"\\<\xff;\tb')
end = time.monotonic() + 0.3
while time.monotonic() < end:
    pass
EOF
run "$SNAPFLAME" record -q -o odd.data -- python3 odd.py
for format in speedscope firefox perfetto rows; do
  run "$SNAPFLAME" export --format $format -o odd.$format odd.data
  python3 -c 'import json, sys
for text in open(sys.argv[1], encoding="utf-8") if sys.argv[1].endswith("rows") else [open(sys.argv[1], encoding="utf-8").read()]:
    json.loads(text)
if "\\\\xff" not in open(sys.argv[1]).read(): sys.exit("the name is not there")' odd.$format >"$out" 2>"$err"
  ok $? "$format: names that want to be something else" || diag "$(cat "$err")"
done
run "$SNAPFLAME" export --format rows --tsv -o odd.tsv odd.data
is "$(awk -F '\t' '{print NF}' odd.tsv | sort -u)" 15 "TSV: no tab in a field"

# pprof, by its own program. Go builds it when it is first asked for.
pprof() { PPROF_TMPDIR=$TMP timeout 240 go tool pprof "$@" 2>pprof.err; }
check "pprof" "$SNAPFLAME" export --format pprof -o run.pb.gz run.data
if ! command -v go >/dev/null || ! pprof -raw run.pb.gz >raw; then
  skip "go tool pprof reads it" "no go tool pprof"
  done_testing
  exit
fi
total() { echo "$1 $("$SNAPFLAME" fold --view "$1" run.data | sum)"; }
check_file "pprof: the same totals as fold" pprof raw "$(total wall)" "$(total oncpu)" \
  "$(total critical)"
pprof -top -unit=ms -sample_index=critical run.pb.gz >top
total=$(sed -n 's/.* of \([0-9.]*\)ms total.*/\1/p' top)
run python3 -c 'import json, sys
sys.exit(abs(sum(json.loads(w)["pause_ms"] for w in open("windows")) - float(sys.argv[1])) > 0.01)' "$total"
ok "$status" "pprof -top: the total, $total ms, is that of the pauses"
grep -q 'branchsim [0-9a-f]\{40\} \[FN\]' raw
ok $? "pprof: build-ids"
pprof -tags run.pb.gz >tags
is "$(sed -n 's/^ *\([a-z]*\): Total.*/\1/p' tags | sort | xargs)" "branch group kind owner state thread tid" \
  "pprof: labels"
for group in fast slow; do
  check "pprof of $group" "$SNAPFLAME" export --format pprof --mean --window $group -o $group.pb.gz run.data
done
verdict=$(python3 -c 'import json
v = json.load(open("diff.json"))["verdict"]
print(v["kind"], (v["frames"] or [""])[0])')
kind=${verdict% *} frame=${verdict#* }
if [ -n "$frame" ] && [ "$kind" != none ]; then
  pprof -top -flat -nodecount=1 -sample_index=critical -tagfocus="kind=$kind" -diff_base fast.pb.gz slow.pb.gz >top
  is "$(tail -n 1 top | awk '{print $NF}')" "$frame" "pprof -diff_base: the diff's cause on top"
else
  skip "pprof -diff_base" "the machine is too busy for a verdict"
fi
done_testing
