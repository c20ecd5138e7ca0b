# Reports and flame graphs in a real browser: they load in silence, search and zoom work, numbers are
# those of diff, and no name is run.
. "$TOP/tests/lib.sh"
. "$TOP/tests/browser.sh"
cd "$TMP" || exit 1

# quiet FILE: loads without a word on the console
quiet() {
  [ -s "$1" ] || { ok 1 "$1 is there"; done_testing; exit 1; }
  browse "$1"
  [ $? -eq 0 ] && [ ! -s "$TMP/console" ]
  ok $? "$1 loads, and the console is silent" || sed 's/^/# /' "$TMP/console"
}
# result NAME: the line "NAME …" of what the script said, without NAME
result() { sed -n "s/^$1 //p" "$TMP/result"; }

# ---- a differential flame graph whose numbers are known
cat >two.folded <<'EOF'
main;foo 50 30
main;foo;bar_[k] 20 90
main;foo.part.0 30 60
x;f 300 300
y;f 300 0
z;f 1000 1000
EOF
"$SNAPFLAME" report -q two.folded -o known
cat >script <<'EOF'
const v = snapflame[0], m = v.model, out = [];
const find = (...names) => {
  let at = 0;
  for (const n of names)
    for (let i = 1; i < m.n; i++)
      if (m.parent[i] === at && m.name(i) === n) { at = i; break; }
  return at;
};
const say = (name, ...x) => out.push(name + ' ' + x.join(' '));
const press = (key, target) => (target || v.keys).dispatchEvent(
  new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
say('total', m.total[0][0], m.total[1][0]);
say('foo', m.total[0][find('main', 'foo')], m.total[1][find('main', 'foo')], m.x[find('main', 'foo')],
  m.width[find('main', 'foo')]);
say('xf', m.x[find('x', 'f')], m.width[find('x', 'f')]);
say('yf', m.x[find('y', 'f')], m.width[find('y', 'f')]);
v.search.value = '^ba.$';
v.search.dispatchEvent(new Event('input'));
say('found', v.found.textContent);
v.search.value = '(';
v.search.dispatchEvent(new Event('input'));
say('nothing', v.found.textContent);
press('Escape');
say('cleared', JSON.stringify(v.search.value));
/* Where a box is on the screen, as a mouse sees it. */
const seen = i => {
  const g = v.boxes === undefined && document.querySelector('.boxes [data-i="' + i + '"] rect');
  if (g) {
    const r = g.getBoundingClientRect();
    return [g, r.left + r.width / 2, r.top + r.height / 2, r.width];
  }
  const c = document.querySelector('canvas');
  for (const y in v.surface.rows)
    for (const [x, w, k] of v.surface.rows[y])
      if (k === i) {
        const r = c.getBoundingClientRect();
        return [c, r.left + x + w / 2, r.top - v.surface.top + (+y) + 5, w];
      }
  return null;
};
const mouse = (type, i) => {
  const [e, clientX, clientY] = seen(i);
  e.dispatchEvent(new MouseEvent(type, { clientX, clientY, bubbles: true }));
};
const all = seen(0)[3], before = seen(find('main'))[3];
mouse('mousemove', find('main', 'foo'));
say('details', v.details.textContent.split('\n').join(' | '));
mouse('click', find('main'));
say('zoomed', v.root === find('main'), Math.abs(seen(find('main'))[3] - all) < 2, before / all < 0.2);
say('gone', seen(find('z')) === null);
press('Escape');
say('back', v.root === 0, seen(find('z')) !== null);
press(v.icicle ? 'ArrowDown' : 'ArrowUp');
say('arrow', m.name(v.selected));
press('Enter');
say('enter', m.name(v.root));
press('Backspace');
say('out', m.name(v.root));
const top = seen(0)[2];
press('i');
say('flipped', (seen(0)[2] < top) !== (top < seen(find('main'))[2]));
const mode = v.mode;
press('c');
say('colours', v.mode !== mode, v.color.value === v.mode);
/* In every mode the boxes have the classes that its legend explains. */
const fills = [];
for (const k of Object.keys(m.data.legend)) {
  v.mode = k;
  v.draw();
  const known = m.data.legend[k].map(e => e[0].split(' ')[0]);
  for (let i = 1; i < m.n; i++)
    if (!known.includes(m.fill(k, i)))
      fills.push(k + ': ' + m.fill(k, i));
}
say('fills', fills.length, Object.keys(m.data.legend).join(','));
press('/');
say('slash', document.activeElement === v.search);
return out.join('\n');
EOF
for f in known/flame-diff.svg known/flame-diff.html known/report.html; do
  quiet $f
  drive $f script
  is "$(cat "$TMP/console")" "" "$f: silent while it is used"
  is "$(result total)" "1700 1480" "$f: the sums"
  is "$(result foo)" "70 120 0 120" "$f: foo is one box, though foo.part.0 sorts into it"
  is "$(result xf)" "180 300" "$f: x;f is there, though y;f vanished"
  is "$(result yf)" "480 300" "$f: y;f is there, as wide as it was"
  is "$(result found)" "20 → 90 samples, +70 samples in 1 box" "$f: search finds, and sums"
  is "$(result nothing)" "not found" "$f: what is no expression is looked for as it is"
  is "$(result cleared)" '""' "$f: Escape clears the search"
  like "$(result details)" "foo | 70 → 120 samples, +50 samples, *| under main" "$f: details"
  is "$(result zoomed)" "true true true" "$f: a click zooms"
  is "$(result gone)" "true" "$f: what is beside it is gone"
  is "$(result back)" "true true" "$f: Escape goes back"
  [ -n "$(result arrow)" ] && [ "$(result arrow)" = "$(result enter)" ]
  ok $? "$f: arrows move, Enter zooms" || sed 's/^/# /' "$TMP/result"
  is "$(result out)" "all" "$f: Backspace zooms out"
  is "$(result flipped)" "true" "$f: i turns it over"
  is "$(result colours)" "true true" "$f: c changes the colours"
  is "$(result fills)" "0 difference,owner,type" "$f: the legend explains every colour"
  is "$(result slash)" "true" "$f: / goes to the search"
  grep -q . "$TMP/result" || sed 's/^/# /' "$TMP/chromium" | tail -n 5
done

# ---- names that would like to run
{
  printf '<script>window.PWNED=1</script>;"q" & ]]> 10 300\n'
  printf '</script><script>window.PWNED=1</script>;x 5 0\n'
  printf ']]></script><script xmlns="http://www.w3.org/2000/svg">window.PWNED=1</script> 5 9\n'
  printf '<img src=x onerror=window.PWNED=1>;<svg onload=window.PWNED=1> 0 80\n'
  printf '&ltb&gt;\377\376\001;\\");window.PWNED=1;// 20 25\n'
  printf 'long;'
  head -c 10000 /dev/zero | tr '\0' A
  printf ' 10 90\n'
} >evil.folded
"$SNAPFLAME" report -q evil.folded -o evil
cat >script <<'EOF'
const v = snapflame[0], m = v.model, out = [];
for (let i = 0; i < m.n; i++) {
  v.zoom(i);
  v.show(i);
}
v.zoom(0);
v.search.value = 'script|img|PWNED';
v.search.dispatchEvent(new Event('input'));
out.push('pwned ' + window.PWNED);
out.push('images ' + document.querySelectorAll('img').length);
out.push('scripts ' + [...document.querySelectorAll('script')].filter(s =>
  !s.type && s.textContent.includes('PWNED') && !s.textContent.includes('querySelectorAll')).length);
const names = m.data.labels.join('\n');
out.push('shown ' + ['<script>window.PWNED=1<' + '/script>', '"q" & ]' + ']>', '\\xff\\xfe\\x01', '&ltb&gt',
  'A'.repeat(10000)].every(n => names.includes(n)));
return out.join('\n');
EOF
quiet evil/report.html
for f in evil/flame-diff.svg evil/flame-diff.html evil/report.html; do
  drive $f script
  is "$(cat "$TMP/console")" "" "$f: silent while it is used"
  is "$(result pwned)" "undefined" "$f: no name is run"
  is "$(result images),$(result scripts)" "0,0" "$f: no name becomes an element"
  is "$(result shown)" "true" "$f: all are shown"
done
if [ -f evil/flamegraph-pl.svg ]; then
  quiet evil/flamegraph-pl.svg
else
  skip "flamegraph-pl.svg" "no flamegraph.pl"
fi
# What the escaping rests on second: a page runs its own script and no other.
sed 's|</html>|<script>document.title = "PWNED"</script></html>|' evil/report.html >foreign.html
browse foreign.html
grep -q 'Content Security Policy' "$TMP/console" && ! grep -q '<title>PWNED' "$TMP/dom"
ok $? "a script that was put into the page does not run"

# ---- fifty thousand stacks
awk 'BEGIN {
  srand(7)
  for (i = 0; i < 50000; i++) {
    s = "thread_" int(rand() * 8)
    for (d = 0; d < 14; d++) s = s ";fn_" d "_" int(rand() * (d < 6 ? 2 : 4))
    print s, 1 + int(rand() * 100), 1 + int(rand() * 100)
  }
}' | sort | awk '{if ($1 == last) {b += $2; a += $3} else {if (last) print last, b, a; last = $1; b = $2; a = $3}}
  END {print last, b, a}' >large.folded
"$SNAPFLAME" report -q large.folded -o large
cat >script <<'EOF'
const v = snapflame[0], t = [];
for (const i of [1, 2, 5, 0]) {
  const from = performance.now();
  v.zoom(i);
  t.push(performance.now() - from);
}
const from = performance.now();
v.find('fn_9_1');
return 'boxes ' + v.model.n + '\nloaded ' + Math.round(from) + '\nzoom ' + Math.round(Math.max(...t)) +
  '\nfind ' + Math.round(performance.now() - from);
EOF
drive large/flame-diff.html script
diag "50000 stacks: $(tr '\n' ' ' <"$TMP/result")ms"
[ "$(result boxes)" -gt 200000 ] && [ "$(result loaded)" -lt 15000 ] && [ "$(result zoom)" -lt 400 ]
ok $? "50000 stacks open and zoom" || sed 's/^/# /' "$TMP/result"

# ---- a recording: the page has the numbers of diff
recorded() {
  [ -x "$BUILD/branchsim" ] || return 1
  vmm=$("$BUILD/branchsim" vmm --sock "$TMP/sock" --cause user-cpu --base 30 --grow 30 --no-kvm --daemon |
    sed 's/.*"pid": *\([0-9]*\).*/\1/')
  [ -n "$vmm" ] || return 1
  "$SNAPFLAME" record -q -p "$vmm" --branches 4 --gap 0.1 -o run.data -- \
    "$BUILD/branchsim" branch --sock "$TMP/sock" >/dev/null 2>"$err"
  recorded_status=$?
  kill "$vmm"
  return $recorded_status
}
if ! command -v python3 >/dev/null; then
  skip "numbers of a recording" "no python3"
elif ! recorded; then
  skip "numbers of a recording" "cannot be recorded here: $(tail -n 1 "$err")"
else
  "$SNAPFLAME" diff -q --json run.data -o rec >diff.json 2>/dev/null
  cat >script <<'EOF'
const v = snapflame[0], m = v.model, paths = [];
for (let i = 0; i < m.n; i++) {
  const path = [];
  for (let k = i; k > 0; k = m.parent[k])
    path.push(m.name(k));
  paths.push({ path, before: m.total[0][i], after: m.total[1][i] });
}
return JSON.stringify({ paths, figures: document.querySelectorAll('figure svg').length,
  text: document.querySelector('.answer').textContent });
EOF
  quiet rec/report.html
  drive rec/report.html script
  is "$(cat "$TMP/console")" "" "the report: silent while it is used"
  python3 - diff.json "$TMP/result" >checks <<'EOF'
import json, sys
d, p = json.load(open(sys.argv[1])), json.load(open(sys.argv[2]))
def check(name, good): print('ok' if good else 'not', name)
paths = {tuple(x['path']): x for x in p['paths']}
root = paths[()]
check('the root is the medians of diff', all(abs(root[s] - d[k]['pause_ms']['median']) < 0.01
      for s, k in (('before', 'fast'), ('after', 'slow'))))
good = seen = 0
for c in d['causes']:
    if not c['owner'] or not c['frames']: continue
    at = [x for x in paths if len(x) == len(c['frames']) + 2 and list(x[:-2]) == c['frames'] and
          x[-1] == c['owner']['label']]
    seen += 1
    good += any(abs(paths[x]['after'] - paths[x]['before'] - c['frame_ms']) < 0.01 for x in at)
check('boxes have the numbers of the causes', seen > 0 and good == seen)
check('the verdict is the sentence of diff', not d['verdict'] or d['verdict']['sentence'] in p['text'])
EOF
  while read -r good what; do
    [ "$good" = ok ]
    ok $? "$what"
  done <checks
  [ -s checks ]
  ok $? "the numbers were compared" || sed 's/^/# /' "$TMP/result" | cut -c 1-300
fi
done_testing
