#!/bin/sh
# Names are data, continued: in pprof, in what a server for profiles gets, in rows and their tables, in
# tables of pauses that came as CSV, and where a process that is recorded has such a name.
. "$TOP/tests/lib.sh"
. "$TOP/tests/names.sh"
server='' pid=''
trap 'tap_status=$?; kill $server $pid 2>/dev/null; [ $tap_status -eq 0 ] && [ $tap_failed -ne 0 ] && exit 1; exit $tap_status' EXIT

# strings FILE: the string table of a pprof (field 6), one a line, a line end in one as "<LF>"
strings() {
  gzip -dc "$1" | perl -e 'local $/; my $t = <STDIN>; my $i = 0;
    sub varint { my ($v, $s) = (0, 0); for (;;) { my $b = ord substr $t, $i++, 1; $v |= ($b & 127) << $s; $s += 7; return $v if $b < 128 } }
    while ($i < length $t) { my $tag = varint(); my $kind = $tag & 7;
      if ($kind == 0) { varint(); next } die "kind $kind" if $kind != 2;
      my $n = varint(); my $s = substr $t, $i, $n; $i += $n;
      if ($tag >> 3 == 6) { $s =~ s/\n/<LF>/g; print "$s\n" } }'
}

# ------------------------------------------------------------------------- files for other tools
check "export --format pprof" "$SNAPFLAME" export -q ../bad.data --format pprof -o x.pprof
strings x.pprof >names
[ "$(wc -l <names)" -gt 10 ] && grep -q 'x1b\[2J<b>' names
ok $? "its table of strings holds the names"
inert names "and they are inert"
is "$(grep -c '<LF>' names)" 0 "without line ends"
for table in rows windows causes; do
  for how in "" --tsv; do
    run "$SNAPFLAME" export -q ../bad.data --format rows --table $table $how
    is "$status" 0 "rows of $table $how: status" || sed 's/^/# /' "$err"
    inert "$out" "rows of $table $how are inert"
    case $how in
    "") perl -MJSON::PP -ne 'decode_json($_)' <"$out" 2>"$err" ;;
    *) awk -F '\t' 'NR == 1 {n = NF} NF != n {exit 1}' "$out" ;;
    esac
    ok $? "rows of $table $how: each line is one row"
  done
done

# ------------------------------------------------------------------------- servers
run "$SNAPFLAME" export --push http://127.0.0.1:1/ingest --spool probe
case $(cat "$err"),$(command -v python3) in
*"built without libcurl"* | *,) skip "export --push" "no libcurl or no python3" ;;
*)
  for path in ingest api/profiles/writeraw; do
    rm -rf got && mkdir got
    python3 "$TOP/tests/tools/fake_server.py" got take &
    server=$!
    wait_for test -s got/port
    run "$SNAPFLAME" export --push "http://127.0.0.1:$(cat got/port)/$path" --spool spool ../bad.data
    is "$status" 0 "$path: taken" || sed 's/^/# /' "$err"
    inert "$err" "$path: what is said is inert"
    is "$(cat got/wrong 2>/dev/null)" "" "$path: as the interface wants it"
    perl -MJSON::PP -e 'local $/; my $l = decode_json(<STDIN>)->{labels}; binmode STDOUT, ":utf8"; print "$_=$l->{$_}\n" for sort keys %$l' \
      <got/1.json >labels
    inert labels "$path: labels are inert"
    is "$(grep -c '^[A-Za-z_][A-Za-z0-9_]*=' labels)" "$(wc -l <labels)" "$path: and have names that servers take"
    is "$(find spool -type f ! -name '.lock' ! -name lock | grep -cv '/[0-9.]*-[0-9a-f]*\.push$')" 0 "$path: nothing is called by them in the spool"
    kill $server
    wait $server 2>/dev/null
  done ;;
esac

# ------------------------------------------------------------------------- tables of pauses
evil=$(printf 'e\033[31m<script>alert(1)</script>`touch PWNED`$(touch PWNED);\302\233\342\200\256\377')
for side in 100 150; do
  {
    printf 'branch_idx,pause_ms,"%s","x%s\n2"\n' "$evil" "$evil"
    for i in 1 2 3 4; do echo "$i,$((side + i)),$((side / 10 + i)),\"$evil\""; done
  } >"$side$evil.csv"
done 2>/dev/null
# "/" is in the name: as a file it is another.
ls | grep -q csv || for side in 100 150; do
  name=$side$(printf '%s' "$evil" | tr / _).csv
  {
    printf 'branch_idx,pause_ms,"%s","x%s"\n' "$evil" "$evil"
    for i in 1 2 3 4; do echo "$i,$((side + i)),$((side / 10 + i)),\"$evil\""; done
  } >"$name"
done
is "$(ls | grep -c '\.csv$')" 2 "two tables of pauses with such names"
run "$SNAPFLAME" diff ./100*.csv ./150*.csv
is "$status" 0 "diff of tables: status" || sed 's/^/# /' "$err"
inert "$out" "diff of tables is inert"
inert "$err" "and what it says"
run "$SNAPFLAME" diff ./100*.csv ./150*.csv --json
inert "$out" "diff --json of tables is inert"
perl -MJSON::PP -e 'local $/; decode_json(<STDIN>)' <"$out" 2>/dev/null
ok $? "and JSON"
run "$SNAPFLAME" report ./100*.csv -o ../report
is "$status" 0 "a report of a table" || sed 's/^/# /' "$err"
inert "$err" "what it says is inert"
for f in ../report/*; do
  case $f in *.png | *.pdf) continue ;; esac
  inert "$f" "${f#../} is inert"
  case $f in *.html | *.svg | *.gp | *.md)
    grep -q '<script>alert\|`touch\|\$(touch' "$f"
    [ $? -eq 1 ] || [ "${f##*.}" = md ] || [ "${f##*.}" = html ]
    ok $? "${f#../}: no name acts" ;;
  esac
done
grep -q '<script>alert' ../report/report.html
is $? 1 "no name is a tag"

# ------------------------------------------------------------------------- a process with such a name
name=$(printf 'a\033[2J;$(x)\377b')
cp "$(command -v sleep)" "./$name"
"./$name" 60 &
pid=$!
run "$SNAPFLAME" doctor -p $pid
inert "$out" "doctor of a process with such a name is inert"
inert "$err" "and what it says"
run "$SNAPFLAME" record --duration 0.05 -p $pid -o named.data
inert "$err" "record says inert text of it"
if [ "$status" -eq 0 ]; then
  for what in "show named.data threads" "show named.data coverage" "fold named.data"; do
    # shellcheck disable=SC2086 # words
    run "$SNAPFLAME" $what
    inert "$out" "$what is inert"
    inert "$err" "and what it says"
  done
  rm -f n2.data
  run "$SNAPFLAME" record -p 999999999 -o "$name.data"
  inert "$err" "nor does a file that is not made act"
else
  skip "a recording of it" "$(tail -n 1 "$err")"
fi
is "$(find .. -name 'PWNED*')" "" "no command was run"
done_testing
