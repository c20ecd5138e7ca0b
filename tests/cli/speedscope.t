# export --format speedscope in the real speedscope, in a real browser: its importer takes the file, every
# profile has the length of its BRANCH, and functions have the time that fold says. It reads the format of
# Perfetto and Chrome, too.
. "$TOP/tests/lib.sh"
. "$TOP/tests/browser.sh"
app=$BUILD/npm/speedscope/dist/release
[ -f "$app/index.html" ] ||
  skip_all "no speedscope: $(cat "$BUILD/npm/speedscope.why" 2>/dev/null || echo make check gets it)"
command -v python3 >/dev/null || skip_all "no python3"
. "$TOP/tests/record.sh"

run "$SNAPFLAME" record -q -p "$vmm" --branches 3 --gap 0.1 -o run.data -- $branch
is "$status" 0 "three BRANCHes"
"$SNAPFLAME" export --format speedscope -o run.json run.data &&
  "$SNAPFLAME" export --format rows --table windows -o windows run.data &&
  "$SNAPFLAME" fold --view critical --window 1 run.data >folded
ok $? "exported"

# The app as it is, but for two scripts: one says where the profile is, as its command line does; the other
# writes down the tables that are on the screen: of the profiles, and of the functions of the first one.
cp -r "$app" app
cat >before <<'EOT'
<script>
location.hash = 'localProfilePath=' + location.pathname.slice(1).replace('index.html', 'profile.js');
</script>
EOT
cat >after <<'EOT'
<script>
const rows = what => [...document.querySelectorAll('tr')].map(r => [what, ...[...r.cells].map(c =>
  c.textContent)].join('\t'));
const profiles = setInterval(() => {
  const found = rows('profile');
  if (found.length < 2) return;
  clearInterval(profiles);
  [...document.querySelectorAll('div')].find(d => d.lastChild && d.lastChild.nodeValue === 'Sandwich').click();
  const functions = setInterval(() => {
    const more = rows('function').slice(found.length);
    if (more.length < 2) return;
    clearInterval(functions);
    const p = document.createElement('pre');
    p.id = 'result';
    p.textContent = btoa(unescape(encodeURIComponent([document.title, ...found, ...more].join('\n'))));
    document.documentElement.appendChild(p);
  }, 100);
}, 100);
</script>
EOT
sed -e '/<body>/r before' -e '/<\/script>/r after' "$app/index.html" >app/index.html
# scope FILE: what it shows of it is in result
scope() {
  {
    printf 'speedscope.loadFileFromBase64("%s", "' "$1"
    base64 -w 0 "$1"
    printf '");\n'
  } >app/profile.js
  browse app/index.html --virtual-time-budget=30000
  sed -n 's/.*<pre id="result">\([^<]*\)<.*/\1/p' dom | base64 -d >result 2>/dev/null
}
scope run.json
grep -q 'Importing as speedscope json file' console
ok $? "speedscope takes it for what it is" || diag "$(head -n 5 console)"
is "$(grep -ci -e error -e uncaught console)" 0 "and complains of nothing"
is "$(head -n 1 result)" "run.data - speedscope" "its title is the recording's name"
cat >check.py <<'EOT'
import json, re, sys
windows, result, *rest = sys.argv[1:]
pause = {w["branch"]: w["pause_ms"] for w in map(json.loads, open(windows))}
shown = [line.rstrip("\n").split("\t") for line in open(result)][1:]
def near(text, b):
    """Is what is shown, two decimals and a unit, b ms?"""
    for unit, factor in (("ns", 1e-6), ("\u00b5s", 1e-3), ("ms", 1), ("s", 1e3)):
        if text.endswith(unit):
            return abs(float(text[:-len(unit)]) * factor - b) <= 0.006 * factor + 0.001
    return False
profiles = [r[2:] for r in shown if r[0] == "profile"][1:]
if not rest:  # a trace: one track for all BRANCHes
    track = dict(profiles)["snapflame (pid 0), BRANCHes (tid 2)"]
    sys.exit(None if near(track, sum(pause.values())) else f"{track}, and the pauses {sum(pause.values())} ms")
file, folded = json.load(open(rest[0])), rest[1]
assert [p[0] for p in profiles] == [p["name"] for p in file["profiles"]], "the names of the profiles"
assert len(profiles) >= 3 * 3 and sum("critical path" in p[0] for p in profiles) == 3, profiles
for name, total in profiles:
    branch = int(name.split()[1].rstrip(":"))
    assert near(total, pause[branch]), f"{name}: {total}, and the pause took {pause[branch]} ms"
took = {}
for line in open(folded):
    stack, us = line.rsplit(" ", 1)
    leaf = stack.split(";")[-1].removesuffix("_[k]")
    took[leaf] = took.get(leaf, 0) + int(us) / 1000
functions = {r[3]: r[2].split(" (")[0] for r in shown if r[0] == "function" and len(r) == 4
             and re.search(r"[0-9]m?s \(", r[2])}
assert functions, "no functions"
top = max(took, key=took.get)
assert top in functions, f"{top} is not shown"
for name, self in functions.items():
    assert near(self, took.get(name, 0)), f"{name}: {self}, and fold says {took.get(name)}"
print(f"{len(profiles)} profiles, {len(functions)} functions, {top} {functions[top]}")
EOT
run python3 check.py windows result run.json folded
ok "$status" "profiles have the length of their BRANCH, functions the time that fold says" ||
  diag "$(tail -n 1 "$err")" "$(head -n 3 result)"
diag "$(cat "$out")"

"$SNAPFLAME" export --format perfetto -o trace.json run.data
scope trace.json
grep -q 'Importing as Trace Event Format profile' console
ok $? "the Perfetto export is a trace" || diag "$(head -n 5 console)"
run python3 check.py windows result
ok "$status" "its BRANCHes take as long as the pauses" || diag "$(tail -n 1 "$err")"
done_testing
