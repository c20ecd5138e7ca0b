# record --qmp against a QMP that misbehaves: what it says is passed on, and the VM runs in the end.
. "$TOP/tests/lib.sh"
run "$SNAPFLAME" record -q --duration 0.01 -p $$ -o "$TMP/probe"
[ "$status" -eq 0 ] || skip_all "recording does not work here: $(tail -n 1 "$err")"
cd "$TMP" || exit 1
fake=
trap 'tap_status=$?; [ -z "$fake" ] || kill $fake 2>/dev/null; [ $tap_status -eq 0 ] && [ $tap_failed -ne 0 ] && exit 1; exit $tap_status' EXIT
marks() { tr '\000' '\n' <"$1" | grep -a "^{.*\"type\":\"$2\""; }
# num JSON NAME
num() { echo "$1" | grep -o "\"$2\":[-0-9]*" | head -n 1 | cut -d: -f2; }

fake_start() {
  [ -z "$fake" ] || { kill $fake 2>/dev/null; wait $fake 2>/dev/null; }
  rm -f q.sock q.sock.free log
  perl "$TOP/tests/tools/fake_qmp.pl" q.sock "$1" log &
  fake=$!
  i=0
  while [ $i -lt 100 ] && [ ! -S q.sock ]; do i=$((i + 1)); sleep 0.02; done
}
# broken MODE WORDS [LAST]: fails with those words; the last command that changed anything is LAST
broken() {
  fake_start "$1"
  run "$SNAPFLAME" record -q --qmp q.sock --timeout 0.3 -o run.data
  is "$status" 1 "$1: status"
  like "$(cat "$err")" "snapflame record: $2" "$1: said"
  is "$(grep -E '^(stop|cont|migrate)$' log 2>/dev/null | tail -n 1)" "${3:-}" "$1: ${3:-nothing} at last"
}
fake_start fine
run "$SNAPFLAME" record -q --qmp q.sock --branches 2 --gap 0.01 -o run.data
is "$status$(cat "$err")" 0 "it replies as it should"
is "$(marks run.data window | grep -c '"dark_begin":.*"dark_end":')" 2 "the events are the dark window"
is "$(grep -Ev '^query|^qmp' log | tr '\n' ' ')" "getfd stop migrate cont getfd stop migrate cont " "the calls"
# Others may have put something in the place of the memory's file: it must be a file, of no other name.
# planted WHAT COMMAND...: puts it there
planted() {
  rm -f snapflame.mem && echo precious >precious
  what=$1
  shift
  "$@"
  fake_start fine
  run timeout 20 "$SNAPFLAME" record -q --qmp q.sock -o run.data
  is "$status" 1 "$what in the place of the memory's file: refused" || diag "$(cat "$err")"
  is "$(cat precious)$(grep -c migrate log)" precious0 "$what: nothing was written"
  is "$(grep -E '^(stop|cont)$' log | tail -n 1 | grep -c stop)" 0 "$what: the VM runs"
}
planted "a symbolic link" ln -s precious snapflame.mem
planted "a second name" ln precious snapflame.mem
planted "a FIFO" mkfifo snapflame.mem
rm -f snapflame.mem
clocks=$BUILD/tests/clocks.so
if [ -e "$clocks" ]; then
  for by in 3600000000000 30000000 -3600000000000; do
    fake_start set
    run env LD_PRELOAD="$clocks" CLOCK_WHEN=q.sock.set CLOCK_SET=$by "$SNAPFLAME" record -q --qmp q.sock -o run.data
    rm -f q.sock.set
    w=$(marks run.data window)
    [ "$(num "$w" begin)" -le "$(num "$w" dark_begin)" ] && [ "$(num "$w" dark_begin)" -le "$(num "$w" dark_end)" ] &&
      [ "$(num "$w" dark_end)" -le "$(num "$w" end)" ]
    ok $? "the clock is set by $by ns in a BRANCH: the dark window stays in it" || diag "$w"
    like "$w" '*"kind":"clock"*' "and the recording says so"
  done
else
  skip "the clock is set in a BRANCH" "$clocks is not built (not with sanitizers)"
fi
fake_start other-id
run "$SNAPFLAME" record -q --qmp q.sock -o run.data
is "$status" 0 "replies to somebody else's commands are passed over"

broken hang "q.sock: no greeting within 0.3 s*"
broken close "q.sock: greeting: the connection was closed*"
broken nonsense "q.sock: greeting: the reply is not QMP"
broken object "q.sock: greeting: the reply is not QMP"
broken huge "q.sock: greeting: the reply is longer*"
broken no-qmp_capabilities 'q.sock: qmp_capabilities: not qmp_capabilities \\x1b\[31m'
broken null "query-status: the reply is not QMP"
broken neither "query-status: the reply is not QMP"
broken paused "the VM is not running: it is paused"
broken no-getfd "BRANCH 1: getfd: not getfd *"
broken no-stop "BRANCH 1: stop: not stop *" cont
broken no-migrate "BRANCH 1: migrate: not migrate *" cont
broken fails "BRANCH 1: migrate: no room" cont
broken endless "BRANCH 1: migrate: no reply within 0.3 s*" cont
# The connection breaks while the VM is stopped: somebody else resumes it.
fake_start drop-query-migrate
run "$SNAPFLAME" record -q --qmp q.sock --timeout 1 -o run.data
is "$status" 1 "the connection breaks: status"
like "$(cat "$err")" "*could not be resumed: *process * goes on trying" "the connection breaks: said"
i=0
while [ $i -lt 100 ] && [ "$(grep -c '^cont$' log)" -eq 0 ]; do i=$((i + 1)); sleep 0.05; done
is "$(grep -c '^cont$' log)" 1 "the connection breaks: resumed on another"
fake_start stuck
run "$SNAPFLAME" record -q --qmp q.sock --timeout 1 -o run.data
is "$status" 1 "it does not resume: status"
: >q.sock.free
i=0
while [ $i -lt 100 ] && [ "$(tail -n 1 log)" != query-status ]; do i=$((i + 1)); sleep 0.05; done
is "$(tail -n 1 log)" query-status "it does not resume: until it can be"
done_testing
