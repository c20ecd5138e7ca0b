# flamegraph.pl takes every line that fold writes, in the oldest version that is in use.
. "$TOP/tests/lib.sh"
draw=$TOP/contrib/flamegraph/draw.sh
script=$(sh "$draw" --find 2>/dev/null) || skip_all "no flamegraph.pl"
command -v perl >/dev/null || skip_all "no perl"
LC_ALL=C
export LC_ALL
fixtures=$SHARED/fixtures
mkdir "$TMP/empty"

# drawn WHAT: of the lines in $TMP/lines none is ignored, and all of them count
drawn() {
  run sh "$draw" "$TMP/lines"
  if grep -q Ignored "$err" || ! grep -q '</svg>' "$out"; then
    ok 1 "$1" || sed 's/^/# /' "$err"
  else
    ok 0 "$1"
  fi
}

[ -d "$fixtures" ] || skip "fixtures" "no fixtures in $SHARED"
for f in "$fixtures"/perfscript/*.txt "$fixtures"/perfdata/*; do
  "$SNAPFLAME" fold -q --view samples --all --symfs "$TMP/empty" "$f" >"$TMP/lines" 2>/dev/null
  [ -s "$TMP/lines" ] && drawn "$(basename "$f")"
done

# Names that are made to be misread.
printf 'a 12 1/1 1.0: 2 e:\n\t10 x 12 (/x)\n\t20 y 1.5 (/x)\n\t30 z\r (/x)\n\t40 ;;; (/x)\n\n' |
  "$SNAPFLAME" fold - >"$TMP/lines"
drawn "names that end in numbers"
like "$(cat "$out")" "*x_12*" "names that end in numbers: drawn whole"

# draw.sh
printf 'a;b 3\n' >"$TMP/lines"
run sh "$draw" --title 'two words' --flamechart --subtitle 'of today' --colors=java "$TMP/lines"
is "$status" 0 "draw.sh: draws with options of any age"
grep -q 'two words' "$out"
ok $? "draw.sh: passes on what is known"
if grep -q "'flamechart'" "$script"; then
  is "$(cat "$err")" "" "draw.sh: this flamegraph.pl knows all of them"
else
  is "$(grep -c 'left out' "$err")" 2 "draw.sh: says what it leaves out"
fi
run sh "$draw" --colors nonsense "$TMP/lines"
like "$(cat "$err")" "*the colours nonsense; left out*" "draw.sh: colours that are none"
mkdir "$TMP/dir"
cp "$script" "$TMP/dir/flamegraph.pl"
is "$(FLAMEGRAPH_DIR=$TMP/dir sh "$draw" --find)" "$TMP/dir/flamegraph.pl" "draw.sh: FLAMEGRAPH_DIR"
done_testing
