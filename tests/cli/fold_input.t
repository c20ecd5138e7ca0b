# What fold takes: every kind of input, packed, from a pipe, several; and what its options select.
. "$TOP/tests/lib.sh"
LC_ALL=C
export LC_ALL
cd "$TMP" || exit 1

fold() { "$SNAPFLAME" fold "$@"; }

cat >text <<'END'
alpha 10/11 [000] 1.000000: 5 cycles:
	ffffffff81000010 do_it+0x10 ([kernel.kallsyms])
	401000 main+0x1 (/bin/alpha)

alpha 10/11 [001] 2.000000: 7 cycles:
	401000 main+0x2 (/bin/alpha)

beta 20/21 [000] 3.500000: 11 cycles:
	402000 [unknown] (/bin/beta)

beta 20/22 [000] 4.000000: 13 instructions:
	402000 [unknown] (/bin/beta)

END
cat >want <<'END'
alpha;main 7
alpha;main;do_it 5
beta;[beta] 11
END
fold -q text >got
same got want "text"
fold -q - <text >got
same got want "standard input"
# shellcheck disable=SC2002 # a pipe on purpose
cat text | fold -q - >got
same got want "a pipe"
mkfifo fifo
cat text >fifo &
fold -q fifo >got
same got want "a named pipe"
gzip -k text
fold -q text.gz >got
same got want "gzip"
gzip -dc text.gz | gzip -c | fold -q - >got
same got want "gzip in a pipe"
if command -v zstd >/dev/null; then
  zstd -q text
  fold -q text.zst >got
  same got want "zstd"
else
  skip "zstd" "no zstd"
fi
fold -q text >folded
fold folded >got
same got want "folded text"
# A byte order mark, as Windows' editors write it: before text, before folded text, and alone.
printf '\357\273\277' >mark
cat mark text | fold -q - >got
same got want "text behind a byte order mark"
cat mark folded >got.folded
fold -q got.folded >got
same got want "folded text behind a byte order mark"
is "$(fold mark 2>&1)" "snapflame fold: mark: empty" "a byte order mark alone"
fold -q text folded text.gz >got
sed 's/ 7$/ 21/; s/ 5$/ 15/; s/ 11$/ 33/' want >want3
same got want3 "three inputs, of two kinds"

run "$SNAPFLAME" fold text
like "$(cat "$err")" "*folded is cycles; --event NAME folds the others: instructions" \
  "other events are told of"
is "$(fold --event instructions text)" "beta;[beta] 13" "--event"
is "$(fold --event-filter=instructions text)" "beta;[beta] 13" "--event-filter, its name elsewhere"
run "$SNAPFLAME" fold --event nonsense text
is "$status" 1 "--event of none: failed"
like "$(cat "$err")" "*no samples of event nonsense; there are: cycles, instructions" \
  "--event of none: says which there are"

is "$(fold -q --weight count text)" "alpha;main 1
alpha;main;do_it 1
beta;[beta] 1" "--weight count"
is "$(fold -q --pid text)" "alpha-10;main 7
alpha-10;main;do_it 5
beta-20;[beta] 11" "--pid"
is "$(fold -q --tid text)" "alpha-10/11;main 7
alpha-10/11;main;do_it 5
beta-20/21;[beta] 11" "--tid"
is "$(fold -q --kernel text | grep do_it)" "alpha;main;do_it_[k] 5" "--kernel"
is "$(fold -q --addrs text | grep beta)" "beta;[beta <402000>] 11" "--addrs"
is "$(fold -q --time 1.5,3.5 text)" "alpha;main 7
beta;[beta] 11" "--time A,B takes both ends"
is "$(fold -q --time ,1.5 text)" "alpha;main;do_it 5" "--time ,B"
is "$(fold -q --time 3, text)" "beta;[beta] 11" "--time A,"
is "$(fold -q --thread beta text)" "beta;[beta] 11" "--thread"
is "$(fold -q --thread 'b*' --thread alpha text | wc -l)" 3 "--thread with a pattern, twice"

# Names that could not be read back.
printf 'evil\033[31m 1/1 1.0: 2 e:\n\t10 a;b (/x)\n\t20 c 12 (/x)\n\t30 \377\001 (/x)\n\n' |
  fold - >got
printf 'evil\\x1b[31m;\\xff\\x01;c_12;a:b 2\n' >want
same got want "control characters, separators and numbers in names"

# Faults of the script that are kept, because the lines are to be the same: see COMPATIBILITY.
printf 'X  4242 1.0: 2 e:\n\t10 f (/x)\n\n%s\n\n%s\n\n' \
  "x 51234 1.0: 3 e:
	10 f (/x)" "fc_vcpu 0 7 1.0: 4 e:
	10 [unknown] (/x (deleted))
	20 g+0x1 (/x (deleted))" | fold - >got
printf 'X_;f 2\nfc_vcpu;g;[unknown]  4\nx_51234_1.0:;f 3\n' >want
same got want "names of threads as the script reads them"

# Views of windows need windows.
run "$SNAPFLAME" fold --view wall text
is "$status" 1 "--view wall of text: failed"
run "$SNAPFLAME" fold --time 3,1 text
is "$status" 2 "--time backwards: wrong usage"
: >nothing
run "$SNAPFLAME" fold nothing
is "$status" 0 "empty input: done"
like "$(cat "$err")" "*nothing: empty" "empty input: told"
run "$SNAPFLAME" fold missing
is "$status" 1 "no such file: failed"
like "$(cat "$err")" "snapflame fold: missing: *" "no such file: named"
run "$SNAPFLAME" fold "$SNAPFLAME"
is "$status" 1 "neither kind: failed"
printf 'a;b 1 2\n' >diff
run "$SNAPFLAME" fold diff
is "$status" 1 "two columns: failed"
like "$(cat "$err")" "snapflame fold: diff:1: *" "two columns: with file and line"
run "$SNAPFLAME" fold
is "$status" 1 "no perf.data here: failed"
like "$(cat "$err")" "snapflame fold: perf.data: *" "no perf.data here: named"

if [ -w /dev/full ]; then
  fold text >/dev/full 2>"$err"
  is $? 1 "full disk: failed"
else
  skip "full disk" "no /dev/full"
fi
done_testing
