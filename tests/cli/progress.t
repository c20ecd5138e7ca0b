# What takes long says how far it is: on a terminal only, and it is gone before anything else is printed.
. "$TOP/tests/lib.sh"
cd "$TMP" || exit 1
command -v script >/dev/null || skip_all "no script(1) to make a terminal"
# on_tty FILE COMMAND: what COMMAND writes to a terminal, in FILE; its status
on_tty() {
  TERM=xterm script -qec "$2" -O /dev/null -B "$1" </dev/null >/dev/null 2>&1
}
on_tty probe true || skip_all "script(1) cannot make a terminal here"
awk 'BEGIN { for (i = 0; i < 500000; i++) print "main;a_function_" i % 500 ";another_function_" i % 7 " 1" }' >x.folded
export SNAPFLAME_DEBUG=progress # what takes no time is shown, too
cr=$(printf '\r') esc=$(printf '\033')
on_tty tty "\"$SNAPFLAME\" fold x.folded"
is $? 0 "fold on a terminal"
like "$(head -c 400 tty)" "*reading x.folded: * % (* of * MB), * MB/s*" "how far, and how fast"
grep -q "${cr}${esc}\[Kmain;a_f" tty
ok $? "the line is taken away before the stacks are printed"
run "$SNAPFLAME" fold x.folded
is "$status,$(cat "$err")" "0," "no line where standard error is no terminal"
on_tty tty "\"$SNAPFLAME\" fold -q x.folded >/dev/null"
is "$(grep -c reading tty)" 0 "nor with -q"
TERM=dumb script -qec "\"$SNAPFLAME\" fold x.folded >/dev/null" -O /dev/null -B tty </dev/null >/dev/null 2>&1
is "$(grep -c reading tty)" 0 "nor on a terminal that cannot take it away"
run "$SNAPFLAME" record -q --duration 0.01 -p $$ -o probe.data
if [ "$status" -eq 0 ]; then
  on_tty tty "\"$SNAPFLAME\" record --duration 4.2 -p $$ -o run.data"
  like "$(cat tty)" "*recording: * % ([123] of 4 s), * s left*" "record says how long it still takes"
  like "$(cat tty)" "*events (*/s), * lost*" "and how many events a second there were"
else
  skip "record" "cannot be recorded here: $(tail -n 1 "$err")"
fi
done_testing
