# snapflame diff of real recordings: a VMM whose pauses grow by a cause that is known.
. "$TOP/tests/lib.sh"
. "$TOP/tests/record.sh"

# Pauses that sleep: however busy the machine is, they grow by what they should. Three are short, all
# others long.
cleanup
vmm=$("$BUILD/branchsim" vmm --sock "$TMP/naps" --cause backoff --base 20 --grow 600 --step 4 --daemon |
  sed 's/.*"pid": *\([0-9]*\).*/\1/')
branch="$BUILD/branchsim branch --sock $TMP/naps"

run "$SNAPFLAME" record -q -p "$vmm" --branches 5 --gap 0.1 -o run.data -- $branch
is "$status" 0 "a recording of 5 BRANCHes" || { done_testing; exit 1; }
run "$SNAPFLAME" record -q -p "$vmm" --branches 2 --gap 0.1 -o later.data -- $branch

flat() { tr '\n' ' ' <"$1" | tr -s ' '; }

check "one recording" "$SNAPFLAME" diff run.data
cp "$out" text
if [ $root -eq 0 ]; then
  # Users record too little for a proof: that is said, and no cause is named.
  like "$(flat text)" "proof FAILS: *needs root*verdict none: the proof fails*" "no proof, no verdict"
  grep -q because text
  is $? 1 "and no cause"
  check "--json" "$SNAPFLAME" diff --json run.data later.data
  grep -q '^  "verdict": null' "$out" && grep -q 'needs root' "$out"
  ok $? "verdict null, and the reason"
  run "$SNAPFLAME" diff --format folded run.data later.data
  like "$(cat "$err")" "snapflame diff: no verdict: *" "folded: the reason on standard error"
  skip "verdicts" "not root"
  done_testing
  exit 0
fi
like "$(flat text)" "proof 3 + 2 windows; *a step at BRANCH 4* verdict The pauses grew from *" "proof, split and verdict"
like "$(flat text)" "*timer*retry_with_backoff*" "the function that grows is there"
LC_ALL=C "$SNAPFLAME" diff run.data >ascii
awk 'length > 80 {exit 1}' ascii
ok $? "80 columns"
[ "$(wc -l <text)" -le 40 ]
ok $? "one screen"
grep -q "$(printf '\033')" text
is $? 1 "no colours in a file"
check "colours" "$SNAPFLAME" diff --color=always run.data
sed "s/$(printf '\033')\[[0-9]*m//g" "$out" | cmp -s - text
ok $? "and nothing else differs"
LC_ALL=C grep -q '[^ -~]' ascii
is $? 1 "ASCII where the locale asks for it"

check "two recordings" "$SNAPFLAME" diff run.data later.data
like "$(flat "$out")" "proof*5 + 2 windows;*" "all windows of each"
check "groups of files" "$SNAPFLAME" diff --fast run.data --slow later.data later.data
like "$(flat "$out")" "proof*5 + 4 windows;*" "of each file"
check "lists" "$SNAPFLAME" diff --fast 1 --slow 3-4 run.data
like "$(flat "$out")" "proof*1 + 2 windows;*" "the BRANCHes of the lists"
like "$(flat "$out")" "*n = 1: no interval*" "n = 1 is said"
check "warm-up" "$SNAPFLAME" diff --warmup 1 run.data later.data
like "$(flat "$out")" "proof*4 + 1 windows;*" "the first of each is left out"
check "API windows" "$SNAPFLAME" diff --api run.data later.data

check "-o" "$SNAPFLAME" diff -o report run.data
like "$(flat "$out")" "proof 3 + 2 windows;*" "the text is printed, too"
grep -q 'retry_with_backoff' report/report.html
ok $? "the report has the function"

# Fields that programs rely on, and that they hold together.
split="--fast 1-3 --slow 4,5 run.data"
# shellcheck disable=SC2086 # words
check "--json" "$SNAPFLAME" diff --json $split
cp "$out" json
for f in schema fast slow delta_ms coverage verdict causes passive covariates; do
  grep -q "^  \"$f\": " json
  ok $? "field $f"
done
for f in kind sentence delta_ms share_pct ci95_ms owner frames; do
  sed -n '/^  "verdict"/,/^  [}n]/p' json | grep -q "^    \"$f\": "
  ok $? "field verdict.$f"
done
grep -q -i -E ': -?(nan|inf)' json
is $? 1 "numbers are numbers"
if command -v jq >/dev/null; then
  jq -e '.causes as $c | ([$c[].delta_ms] | add) as $s | .delta_ms.median as $d |
    ($s - $d) * ($s - $d) < 0.01 * $d * $d' json >/dev/null
  ok $? "the causes sum to the difference"
  jq -e '.verdict | .owner.tid == '"$vmm"' and .kind == "timer" and .delta_ms > 300 and
    (.frames | index("retry_with_backoff"))' json >/dev/null
  ok $? "the verdict: the VMM's main thread, what it does, and where"
  jq -e '.verdict == (.causes[0] + {sentence: .verdict.sentence})' json >/dev/null
  ok $? "the verdict is the first cause"
else
  skip "sums" "no jq"
fi

# shellcheck disable=SC2086 # words
check "folded" "$SNAPFLAME" diff --format folded $split
cp "$out" folded
grep -v -q -E '^[^ ;].* [0-9]+ [0-9]+$' folded
is $? 1 "each line has two weights"
sed 's/ [0-9]* [0-9]*$//' folded | sort | uniq -d >twice
is "$(cat twice)" "" "no line twice"
medians=$(sed -n '/^  "fast"/,/^  }/p; /^  "slow"/,/^  }/p' json | sed -n 's/.*"median": \([0-9.]*\).*/\1/p' | tr '\n' ' ')
# shellcheck disable=SC2086 # two words
awk -v want="$medians" '{b += $(NF-1); a += $NF} END {split(want, w, " ")
  for (i = 1; i <= 2; i++) {got = (i == 1 ? b : a) / 1000; d = got - w[i]; if (d < 0) d = -d
    if (d > 0.005 * w[i] + 0.1) {print "# " got " is not " w[i]; bad = 1}}
  exit bad}' folded
ok $? "the weights sum to the medians"
flame=$(command -v flamegraph.pl || ls /usr/share/perl5/Devel/NYTProf/flamegraph.pl 2>/dev/null)
if [ -n "$flame" ]; then
  perl "$flame" folded >flame.svg 2>flame.err
  [ -s flame.svg ] && grep -q '</svg>' flame.svg && ! grep -q -i error flame.svg
  ok $? "flamegraph.pl draws it" || sed 's/^/# /' flame.err
else
  skip "flamegraph.pl draws it" "not installed"
fi

# The gate: exceeded only where noise is ruled out.
# shellcheck disable=SC2086 # words
run "$SNAPFLAME" diff --fail-over 5 $split
is "$status" 3 "a limit that is exceeded"
like "$(cat "$err")" "*at least * % with 95 % confidence: the limit of 5 % is exceeded*grew +* ms: *" "and said, with what grew"
# shellcheck disable=SC2086 # words
run "$SNAPFLAME" diff --fail-over 100000 $split
is "$status" 0 "a limit that is kept"
run "$SNAPFLAME" diff --fail-over 5 --fast 1 --slow 5 run.data
is "$status" 0 "n = 1 exceeds nothing"
like "$(cat "$err")" "*not decided, n = 1 has no interval*" "and that is said"
run "$SNAPFLAME" diff --fail-over 5 --fast 4,5 --slow 1-3 run.data
is "$status" 0 "faster is not slower"

# Windows that are not there.
run "$SNAPFLAME" diff --fast 1 --slow 7 run.data
is "$status" 1 "a BRANCH that is not there"
like "$(cat "$err")" "*no BRANCH 7 here*branches lists them*" "and where to look"
run "$SNAPFLAME" diff --fast 1,2 --slow 2-4 run.data
is "$status" 2 "a BRANCH on both sides"
run "$SNAPFLAME" diff --warmup 2 run.data later.data
is "$status" 1 "a warm-up that leaves none"

run "$SNAPFLAME" diff --event cpu-clock run.data later.data
is "$status" 2 "--event has nothing to do with BRANCHes"

# The end of a file names its events. Without it all looks like one long BRANCH: no verdict.
size=$(wc -c <run.data)
head -c $((size / 2)) run.data >cut.data
run "$SNAPFLAME" diff --json run.data cut.data
is "$status" 0 "a file that was cut off"
like "$(cat "$err")" "*cut.data: is cut off: *" "is reported"
sed -n '/^  "coverage"/,/^  }/p' "$out" | tr '\n' ' ' >coverage
like "$(cat coverage)" '*"ok": false*cut.data is cut off*' "and fails the proof"
run "$SNAPFLAME" show cut.data branches
like "$(cat "$err")" "snapflame show: cut.data: is cut off: *" "show reports it, too"

if [ "$(id -u)" -eq 0 ] && command -v perf >/dev/null &&
  perf record -q -a -e sched:sched_switch -g -o switches.data -- sleep 0.1 >/dev/null 2>&1 </dev/null; then
  run "$SNAPFLAME" diff run.data switches.data
  like "$(flat "$out")" "proof FAILS*switches.data has no BRANCHes*verdict none: *" "BRANCHes against none"
else
  skip "BRANCHes against none" "perf cannot record switches"
fi

# What is no recording of windows is compared by its stacks.
"$SNAPFLAME" fold --view samples --event cpu-clock run.data >run.folded 2>/dev/null
check "a recording against folded stacks" "$SNAPFLAME" diff run.data run.folded
like "$(flat "$out")" "*verdict none: stacks without BRANCHes*" "gives no verdict"
is "$(grep -c ' %  ' "$out")" 0 "and they are the same"
if command -v perf >/dev/null; then
  perf script -i run.data 2>/dev/null </dev/null | grep -v '^$' >/dev/null
  perf record -q -g -e cpu-clock -o plain.data -- "$BUILD/branchsim" causes >/dev/null 2>&1 </dev/null
  if [ -s plain.data ] && perf script -i plain.data 2>/dev/null | grep -q .; then
    run "$SNAPFLAME" diff plain.data plain.data
    is "$status" 0 "a plain perf.data against itself"
    like "$(flat "$out")" "*no function's share differs*" "no difference"
  else
    skip "a plain perf.data" "perf record does not work here"
  fi
else
  skip "a plain perf.data" "no perf"
fi
done_testing
