# record --control: BRANCHes that somebody else performs and tells of.
. "$TOP/tests/lib.sh"
. "$TOP/tests/branchsim.sh"
. "$TOP/tests/drivers.sh"
vmm_start none --log "$TMP/log"
ok $? "a VMM" || { done_testing; exit 1; }

# started OPTION…: a recorder in the background that is ready for its first line
started() {
  rm -f ctl ack
  "$SNAPFLAME" record -p "$vmm" -o run.data "$@" >"$TMP/rec.out" 2>"$TMP/rec.err" &
  recorder=$!
  wait_for test -e ctl
}
# ended: waits for it; leaves its $status
ended() {
  (sleep 60; kill -KILL $recorder) >/dev/null 2>&1 &
  guard=$!
  wait $recorder
  status=$?
  kill $guard
}
say() {
  echo "$1" >&3
  read -r reply <&4
}

started --control ctl,ack
wait_for test -e ack
exec 3>ctl 4<>ack
for name in one "two words"; do
  say "begin $name"
  is "$reply" ok "begin: answered"
  branches 1
  say "end $(cat branches)"
  is "$reply" ok "end: answered"
done
say "end"
is "$reply" "error: end without begin" "end without begin"
say "begin 3"
say "begin 4"
like "$reply" "error: begin before the end*" "begin in a BRANCH"
say "what"
like "$reply" "error: unknown command*" "unknown"
say "$(printf '%020000d' 0)"
like "$reply" "error: the line is longer*" "too long"
say "end not JSON"
is "$reply" ok "end"
say "begin $(printf '%0300d' 0)"
like "$reply" "error: a name may have*" "a name that is too long"
say quit
is "$reply" ok "quit"
ended
exec 3>&- 4<&-
is $status 0 "quit: status" || diag "$(cat rec.err)"
is "$(marks run.data window | wc -l)" 3 "three windows"
is "$(marks run.data window | sed -n 's/.*"trial":1,"name":"\([^"]*\)".*/\1/p' | tr '\n' ,)" "one,two words,3," "their names"
is "$(marks run.data window | grep -c '"json":{.*"pause_ms":.*"source":"control"\|"source":"control".*"pause_ms":')" 2 \
  "the service's own figures"
like "$(marks run.data window | tail -n 1)" '*"json_text":"not JSON"*' "what is no JSON is kept as text"
like "$(marks run.data end)" '*"reason":"done"*' "the end"
is "$(ls ctl ack 2>/dev/null)" "" "the pipes are removed"
# Who waits for the answer misses nothing: the dark window begins within the window that was told.
"$SNAPFLAME" show run.data branches --json >show.json
branches 1
perl -MJSON::PP -e 'local $/; open my $f, "<", "log"; my @own = map { decode_json($_) } split /\n/, <$f>;
  open my $g, "<", "show.json"; my @s = @{decode_json(<$g>)};
  for (0, 1) { die "BRANCH $_: $s[$_]{dark_ms} and $own[$_]{dark_ms}\n" unless defined $s[$_]{dark_ms} &&
    abs($s[$_]{dark_ms} - $own[$_]{dark_ms}) < 1 && abs($s[$_]{start_ns} - $own[$_]{dark_start_ns}) < 1e6 }' 2>"$err"
ok $? "the dark windows are the VMM's" || diag "$(cat "$err")"

# A socket; one client after the other.
started --control unix:ctl --branches 3
perl -MIO::Socket::UNIX -e 'sub talk { my $s = IO::Socket::UNIX->new(Peer => "ctl") or die "connect: $!";
    for (@_) { syswrite $s, "$_\n"; my $l = <$s>; print $l; } }
  talk("begin a", "end {\"pause_ms\": 5}", "begin b"); talk("end", "begin c", "end");' >answers 2>&1
ended
is $status 1 "a client that hangs up in a BRANCH: status"
is "$(tr '\n' , <answers)" "ok,ok,ok,error: end without begin,ok,ok," "a socket: answers"
is "$(marks run.data window | grep -c '"error":"the connection was closed')" 1 "it is marked"
is "$(marks run.data window | wc -l)" 3 "and the recording goes on to the number asked for"
is "$(ls ctl 2>/dev/null)" "" "the socket is removed"

# A FIFO alone: nobody can be answered.
mkfifo there
"$SNAPFLAME" record -p "$vmm" --control there -o run.data >/dev/null 2>rec.err &
recorder=$!
echo begin >there
sleep 0.5
printf 'end\n\nend\nbegin\n' >there
ended
is $status 1 "a FIFO: a line out of order: status"
like "$(cat rec.err)" "*snapflame record: there: end without begin*" "a FIFO: said"
is "$(marks run.data window | wc -l)" 1 "a FIFO: the BRANCH before is kept"
[ -p there ]
ok $? "a FIFO that was there stays"
started --control ctl
printf 'begin\nbegin\nend\nquit\n' >ctl
ended
is $status 1 "a FIFO: begin in a BRANCH: status"
like "$(cat rec.err)" "*BRANCH 1: another began before its end*" "a FIFO: begin in a BRANCH: said"
started --control unix:ctl
perl -MIO::Socket::UNIX -e 'my $s = IO::Socket::UNIX->new(Peer => "ctl") or die "connect: $!";
  syswrite $s, "begin x\n"; <$s>; kill "INT", $ARGV[0]; alarm 20; <$s>' $recorder
ended
is $status 0 "interrupted in a BRANCH: status"
like "$(marks run.data window)" '*"error":"it had not ended*' "interrupted in a BRANCH: it is marked"

run "$SNAPFLAME" record -p "$vmm" --control run.data -o x.data
like "$status $(cat "$err")" "1 *run.data is there and is not a FIFO" "a file is no FIFO"
for args in "--control x" "-p 1 --control x -- true" "-p 1 --control x --qmp y"; do
  # shellcheck disable=SC2086 # words
  run "$SNAPFLAME" record $args
  is "$status" 2 "wrong usage: $args"
done
done_testing
