# snapflame report: what is in the directory, for each kind of input, and what is refused.
. "$TOP/tests/lib.sh"
. "$TOP/tests/record.sh"

run "$SNAPFLAME" record -q -p "$vmm" --branches 4 --gap 0.1 -o run.data -- $branch
is "$status" 0 "four BRANCHes are recorded"
have_gnuplot=0
command -v gnuplot >/dev/null && have_gnuplot=1

# has WHAT PATTERN FILE
has() {
  grep -q -e "$2" "$3"
  ok $? "$1"
}

# ---- one recording
run "$SNAPFLAME" report -v run.data -o out
is "$status" 0 "one recording: status" || sed 's/^/# /' "$err"
grep -qx 'snapflame report: out/report.html' "$err" # a busy machine's doubts may come behind it
ok $? "-v says where the page is" || sed 's/^/# /' "$err"
is "$(cat "$out")" "" "nothing on standard output"
for f in report.html report.md flame-diff.svg flame-diff.html flame-fast.svg flame-slow.svg diff.folded \
  pauses.tsv pauses.gp budget.tsv causes.tsv growth.tsv timeline.tsv kernel.tsv; do
  [ -s "out/$f" ]
  ok $? "there is $f"
done
is "$(find out -name '.*' ! -name . | head -n 1)" "" "no temporary file is left"
"$SNAPFLAME" diff --json run.data >diff.json 2>/dev/null
if command -v python3 >/dev/null; then
  python3 - diff.json out <<'EOF' >"$TMP/checks"
import json, sys, html
d = json.load(open(sys.argv[1])); out = sys.argv[2]
page = open(out + '/report.html').read(); text = open(out + '/report.md').read()
v = d['verdict']
def check(name, good): print('ok' if good else 'not', name)
def plain(s): return html.unescape(s)
if v is None:
    check('no verdict in the page', 'No verdict' in page)
    check('no verdict in the text', 'No verdict' in text)
    check('the reason stands in both', all(p in plain(page) for p in d['coverage']['problems']))
else:
    check('the verdict stands in the page', v['sentence'] in plain(page))
    check('the verdict stands in the text', v['sentence'].replace('_', '').replace('\\', '') in
          text.replace('\\', '').replace('_', ''))
    check('no other verdict', 'No verdict' not in page + text)
rows = [l.rstrip('\n').split('\t') for l in open(out + '/causes.tsv')][1:]
want = [c['delta_ms'] for c in d['causes']][:len(rows)]
check('causes.tsv has the differences of diff --json',
      len(rows) == min(12, len(d['causes'])) and
      all(abs(float(r[4]) - w) < 1e-4 * max(1, abs(w)) for r, w in zip(rows, want)))
folded = [l.split() for l in open(out + '/diff.folded')]
total = [sum(int(l[-2]) for l in folded), sum(int(l[-1]) for l in folded)]
check('diff.folded sums to the medians', all(
      abs(t / 1000 - d[s]['pause_ms']['median']) < 0.1 + 0.001 * len(folded)
      for t, s in zip(total, ('fast', 'slow'))))
EOF
  while read -r good what; do
    [ "$good" = ok ]
    ok $? "$what"
  done <"$TMP/checks"
  [ -s "$TMP/checks" ]
  ok $? "the page was checked"
else
  skip "page against diff --json" "no python3"
fi
like "$(cat out/report.html)" '*snapflame report -v run.data -o out*' "the page has the command"
has "nothing is fetched" "default-src 'none'" out/report.html
is "$(grep -c -E '(src|href)="(https?:)?//' out/report.html)" 0 "no address of another host"
hash=$(sed -n "s/.*script-src 'sha256-\([^']*\)'.*/\1/p" out/report.html)
if command -v python3 >/dev/null; then
  is "$(python3 -c 'import sys, hashlib, base64
s = open("out/report.html").read(); a = s.rindex("<script>") + 8; b = s.rindex("</script>")
print(base64.b64encode(hashlib.sha256(s[a:b].encode()).digest()).decode())')" "$hash" \
    "the page names the hash of its script"
else
  skip "the hash" "no python3"
fi
if [ $have_gnuplot -eq 1 ]; then
  for f in pauses budget causes growth timeline kernel covariates; do
    [ -f out/$f.tsv ] || continue
    grep -q '</svg>' out/$f.svg
    ok $? "$f.svg is drawn"
  done
  is "$(grep -c '<figure' out/report.html)" "$(ls out/*.gp | wc -l)" "the page has them all"
  cp -r out again && rm again/*.svg
  (cd again && gnuplot pauses.gp) >"$out" 2>&1
  [ ! -s "$out" ] && cmp -s out/pauses.svg again/pauses.svg
  ok $? "an author's gnuplot draws the same from .gp and .tsv"
  run "$SNAPFLAME" report run.data -o all --figures png,pdf
  is "$status" 0 "--figures png,pdf"
  is "$(head -c 4 all/pauses.pdf)" "%PDF" "a PDF"
  is "$(head -c 8 all/pauses.png | tail -c 7 | head -c 3)" "PNG" "a PNG"
else
  skip "figures" "no gnuplot"
fi
if [ -f out/flamegraph-pl.svg ]; then
  has "flamegraph.pl drew its own" '</svg>' out/flamegraph-pl.svg
else
  skip "flamegraph-pl.svg" "no flamegraph.pl"
fi

# ---- without gnuplot: everything else
mkdir bin
run env PATH="$TMP/bin" "$SNAPFLAME" report run.data -o bare
is "$status" 0 "no gnuplot: status"
has "no gnuplot: said" "gnuplot is not installed" "$err"
[ -s bare/report.html ] && [ -s bare/flame-diff.svg ] && [ -s bare/pauses.gp ] && [ ! -e bare/pauses.svg ]
ok $? "no gnuplot: the rest is there"

# ---- a pair, lists, one BRANCH
run "$SNAPFLAME" report run.data -o lists --fast 1,2 --slow 3-4
is "$status" 0 "lists: status"
has "lists: two and two" "2 fast + 2 slow" lists/report.html
run "$SNAPFLAME" record -q -p "$vmm" -o one.data -- $branch
run "$SNAPFLAME" report one.data run.data -o pair
is "$status" 0 "a pair: status"
has "a pair: both are named" "one.data, run.data" pair/report.html
run "$SNAPFLAME" report one.data -o single
is "$status" 0 "one BRANCH: status"
has "one BRANCH: why there is no verdict" "Nothing is compared" single/report.html
has "one BRANCH: the text says so, too" "a split is found from 3 on" single/report.md
[ -s single/flame.svg ] && [ -s single/stacks.folded ] && [ ! -e single/causes.tsv ]
ok $? "one BRANCH: a flame graph of it"
run "$SNAPFLAME" diff -q run.data -o diffdir
is "$status" 0 "diff -o: status"
[ -s diffdir/report.html ] && [ -s "$out" ]
ok $? "diff -o writes the same, and prints"

# ---- a table of pauses, stacks
printf 'trial,branch_idx,pause_ms,diff_ms,diff_physical_bytes\n1,1,288,286,1163264\n1,2,263,,null\n1,3,1321,1300,900000\n' >sweep.csv
run "$SNAPFLAME" report sweep.csv -o sweep
is "$status" 0 "a sweep: status" || sed 's/^/# /' "$err"
is "$(awk -F '\t' 'NR > 1 && NF > 2 {print $1, $2}' sweep/pauses.tsv)" "1 288
2 263
3 1321" "a sweep: its pauses"
has "a sweep: bytes in the text" "1.2 MB" sweep/report.md
has "a sweep: how its pauses went" "The pauses grew from 275.5 to 1321.0 ms" sweep/report.html
run "$SNAPFLAME" report --warmup 1 sweep.csv -o warm
is "$status$(awk -F '\t' 'NR > 1 && NF > 2 {print $1}' warm/pauses.tsv | tr '\n' ' ')" "02 3 " "a sweep: without its warm-up"
"$SNAPFLAME" show run.data branches --csv >show.csv 2>/dev/null
run "$SNAPFLAME" report show.csv -o sweep2
is "$status" 0 "what show --csv prints is read" || sed 's/^/# /' "$err"
same sweep2/sweep.csv show.csv "and written again"
is "$(cut -d, -f1,2 out/sweep.csv)" "$(cut -d, -f1,2 show.csv)" "a recording: its sweep is there, too"
is "$(cut -d, -f1 pair/sweep.csv | uniq | tr '\n' ' ')" "trial 1 2 " "a pair: two trials"
printf 'branch,pause_ms\n1,1\n2,x\n' >bad.csv
run "$SNAPFLAME" report bad.csv -o bad
is "$status" 1 "a bad table is refused"
like "$(cat "$err")" "snapflame report: bad.csv:3: *" "with its line"
[ ! -e bad/report.html ]
ok $? "and nothing is written"
printf 'a;b 3 5\na;c 2 0\n' >two.folded
run "$SNAPFLAME" report two.folded -o folded
is "$status" 0 "folded stacks: status"
has "folded stacks: the vanished one is listed" "1 vanished stack" folded/flame-diff.html
printf 'a;b 3\n' >x.folded
printf 'a;b 5\na;d 15\n' >y.folded
run "$SNAPFLAME" report x.folded y.folded -o folded2
is "$status,$(cat folded2/diff.folded)" "0,a;b 100000 25000
a;d 0 75000" "two files with stacks are compared by shares"
has "and there is no verdict" "Nothing is compared" folded2/report.html
printf 'prog 12/12 1.000000: 2 cycles:\n\t10 x (/x)\n\t20 y (/x)\n\n' >perf.txt
run "$SNAPFLAME" report perf.txt -o script
is "$status,$(cat script/stacks.folded)" "0,prog;y;x 2" "text of perf script: its stacks"

# ---- refused
run "$SNAPFLAME" report run.data
is "$status" 2 "without -o: wrong usage"
run "$SNAPFLAME" report run.data -o out --figures svg,gif
is "$status" 2 "an unknown format: wrong usage"
: >file
run "$SNAPFLAME" report run.data -o file
is "$status" 1 "-o with a file: refused"
like "$(cat "$err")" "snapflame report: file: *" "by name"
if [ "$root" -eq 0 ]; then
  mkdir locked && chmod 555 locked
  run "$SNAPFLAME" report run.data -o locked
  is "$status" 1 "a directory that is not writable: refused"
  like "$(cat "$err")" "snapflame report: locked: not writable*" "and said"
elif command -v setpriv >/dev/null; then
  mkdir locked && chmod 755 locked "$TMP" && chmod 644 two.folded
  run setpriv --reuid 12345 --clear-groups "$SNAPFLAME" report two.folded -o locked
  is "$status" 1 "a directory that is not writable: refused"
  like "$(cat "$err")" "snapflame report: locked: not writable*" "and said"
else
  skip "a directory that is not writable" "root, and no setpriv"
fi
echo precious >victim
mkdir trap
ln -s "$TMP/victim" trap/report.html
ln -s "$TMP/victim" trap/pauses.svg
run "$SNAPFLAME" report run.data -o trap
is "$status,$(cat victim)" "0,precious" "planted links are not followed"
done_testing
