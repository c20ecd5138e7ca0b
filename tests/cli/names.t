#!/bin/sh
# Names are data. Threads, programs, functions, files, BRANCHes, covariates and devices whose names hold
# terminal escapes, HTML, gnuplot and shell characters, separators, bidirectional marks and broken UTF-8
# go through every command and output. They must do nothing there: no command is run, no file appears
# but those that are meant to, nothing reaches a terminal but text, and what is JSON, XML or a folded
# line stays one.
. "$TOP/tests/lib.sh"
. "$TOP/tests/names.sh"

# json FILE WHAT
json() {
  perl -MJSON::PP -e 'local $/; decode_json(<STDIN>)' <"$1" >/dev/null 2>&1
  ok $? "$2"
}

snap() { run "$SNAPFLAME" "$@" && inert "$out" "$1 ${3:-} ${4:-} prints inert text"; inert "$err" "and what it says is"; }

for view in samples wall oncpu offcpu critical; do
  snap fold ../bad.data --view $view --kernel
done
awk '!/^[^ ;].* [0-9]+$/ {bad = 1} END {exit bad}' "$out"
ok $? "each folded line has a stack and a number"
for table in branches phases threads states futex syscalls io wakeups coverage growth events; do
  snap show ../bad.data $table
  snap show ../bad.data $table --csv
  snap show ../bad.data $table --json
  [ "$status" -ne 0 ] || json "$out" "show $table --json is JSON"
done
snap diff ../bad.data --fast 1 --slow 2
snap diff ../bad.data --fast 1 --slow 2 --json
json "$out" "diff --json is JSON"
snap diff ../bad.data --fast 1 --slow 2 --format folded
for format in speedscope firefox perfetto rows; do
  run "$SNAPFLAME" export ../bad.data --format $format -o ../out.$format
  [ "$status" -eq 0 ] || { skip "export $format" "$(cat "$err")"; continue; }
  inert ../out.$format "export $format is inert text"
  case $format in rows) ;; *) json ../out.$format "export $format is JSON" ;; esac
done

run "$SNAPFLAME" report ../bad.data -o ../report
is "$status" 0 "a report is made"
inert "$err" "what it says is inert"
for f in ../report/*; do
  case $f in *.png | *.pdf) continue ;; esac
  inert "$f" "${f#../} is inert text"
done
grep -l 'alert(1)' ../report/* | while read -r f; do grep -n '<script>alert' "$f"; done >"$out"
is "$(cat "$out")" "" "no name is a tag"
grep -c '`id`\|\$(id)' ../report/*.gp >"$out" 2>/dev/null
is "$(grep -v ':0$' "$out")" "" "no name is in a gnuplot script"
if command -v gnuplot >/dev/null 2>&1; then
  [ -s ../report/pauses.svg ]
  ok $? "gnuplot draws it"
fi
for f in ../report/*.svg; do
  run perl -0777 -ne 's/<!\[CDATA\[.*?\]\]>//gs; s/<!--.*?-->//gs; s/<\?.*?\?>//gs; s/<!DOCTYPE[^\[>]*(\[.*?\])?>//gs;
    my @open; while (/<(\/?)([A-Za-z][\w:.-]*)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|\x27[^\x27<]*\x27))*)\s*(\/?)>|(<)/g) {
      die "a stray < in $ARGV" if defined $5; next if $4;
      if ($1) { my $o = pop @open // ""; die "$2 ends $o" if $o ne $2 } else { push @open, $2 } }
    die "open: @open" if @open' "$f"
  is "$status" 0 "${f#../} is well-formed"
done
is "$(find .. -type f -newer ../bad.data ! -path '../report/*' ! -name 'out.*' ! -name '.out' ! -name '.err' | sort)" "" \
  "no other file has appeared"
is "$(find ../report -name '*[!a-z0-9.-]*')" "" "no name is part of a file's name"
[ "$(find ../report -type f | wc -l)" -gt 5 ]
ok $? "the report has its files"

# Names that came as text, one of them of 10 kB, and names of the files themselves.
long=$(perl -e 'print "x\e]0;t\a<b>" x 1000')
evil=$(printf 'evil\033[31m<script>alert(1)<script>\n`touch PWNED`$(touch PWNED)\302\233;\377')
for n in 1 2 3; do
  printf '%s' 'main\033[2J;<script>alert(1)</script>;`id`;a\342\200\256b;\377\302\233' | sed 's/.*/&/' >line
  printf "$(cat line);%s %s\nmain;b 100\n" "$(printf '%s' "$long" | tr -d ';\n')" $((n * 100)) >"../$n.folded"
  {
    printf 'c\033[2Jm 7 [000] %s.000000: %s cpu-clock: \n' $n $((n * 1000))
    printf '\t    401000 <script>alert(1)</script>\033]0;t\007+0x10 (/tmp/\033[31m`id`)\n'
    printf '\t    402000 %s+0x1 (/bin/x)\n\n' "$(printf '%s' "$long" | tr -d '\n')"
  } >"../$n.script"
done
for kind in folded script; do
  snap fold ../1.$kind
  snap diff ../1.$kind ../3.$kind
  snap diff ../1.$kind ../3.$kind --json
  json "$out" "diff --json of $kind text is JSON"
  run "$SNAPFLAME" report ../1.$kind ../3.$kind -o ../report.$kind
  is "$status" 0 "a report of $kind text" || diag "$(cat "$err")"
  inert "$err" "what it says of $kind text is inert"
  for f in ../report.$kind/*; do
    case $f in *.png | *.pdf) continue ;; esac
    inert "$f" "${f#../} is inert text"
    case $f in
    *.html | *.svg)
      grep -q '<script>alert' "$f"
      is $? 1 "${f#../}: no name is a tag" ;;
    esac
  done
done
mkdir ../evil && cp ../bad.data "../evil/$evil"
ok $? "a file with such a name"
for args in "show branches" "show coverage --csv" "fold" "diff --fast 1 --slow 2" "diff --fast 1 --slow 2 --json" \
  "export --format perfetto" "export --format rows" "show branches --json"; do
  # shellcheck disable=SC2086 # words
  set -- $args
  command=$1
  shift
  run "$SNAPFLAME" "$command" "../evil/$evil" "$@"
  is "$status" 0 "$args of a file with such a name: status"
  inert "$out" "$args of a file with such a name prints inert text"
  inert "$err" "$args of a file with such a name says inert text"
  run "$SNAPFLAME" "$command" "../evil/none$evil" "$@"
  [ "$status" -ne 0 ] && inert "$err" "$args of no file with such a name says so in inert text"
done
run "$SNAPFLAME" report "../evil/$evil" -o ../evil/report
is "$status" 0 "a report of a file with such a name" || diag "$(cat "$err")"
inert ../evil/report/report.html "and it is inert"
grep -q '<script>alert' ../evil/report/report.html
is $? 1 "and has it not as a tag"
run "$SNAPFLAME" record -q --duration 0.01 -p $$ --label "x=$evil" --vm "$evil" -o "../evil/rec$evil"
inert "$err" "record to a file with such a name says inert text"
run "$SNAPFLAME" "$evil"
inert "$err" "nor does a command of such a name act"
is "$(find .. -name PWNED)" "" "and no command was run"

done_testing
