#!/bin/sh
# What is written goes where it was meant to, and programs that are started get no more than they need.
. "$TOP/tests/lib.sh"
cd "$TMP" || exit 1
[ -x "$BUILD/tests/tools/text_recording" ] || skip_all "the tool that makes a recording is not built"
"$BUILD/tests/tools/text_recording" a.data <"$TOP/tests/fuzz/corpus/marks/two-branches"
ok $? "a recording to work with"

# ------------------------------------------------------------------------- links of others
if [ "$(id -u)" -eq 0 ]; then
  echo precious >precious
  mkdir dir && ln -s dir theirs && chown -h 65534 theirs
  run "$SNAPFLAME" report a.data -o theirs
  is "$status" 1 "a directory that is another user's link is refused"
  like "$(cat "$err")" "*symbolic link of another user*" "and it says so"
  is "$(ls -A dir)" "" "nothing was written behind it"
  ln -s dir ours
  run "$SNAPFLAME" report a.data -o ours
  is "$status" 0 "our own link is followed"

  ln -s ../precious dir/report.html.x && mv -f dir/report.html.x dir/report.html && chown -h 65534 dir/report.html
  run "$SNAPFLAME" report a.data -o dir
  is "$(cat precious)" precious "a link in a result's place is replaced, not followed"
  [ -f dir/report.html ] && [ ! -L dir/report.html ]
  ok $? "by the result"

  ln -s precious out.json && chown -h 65534 out.json
  run "$SNAPFLAME" export a.data --format perfetto -o out.json
  is "$(cat precious)" precious "nor is one that an export is named as"
  mkfifo fifo && ln -s fifo to-fifo && chown -h 65534 to-fifo
  run timeout 10 "$SNAPFLAME" export a.data --format perfetto -o to-fifo
  is "$status" 1 "another user's link to a FIFO is refused"
  run timeout 10 "$SNAPFLAME" record --control to-fifo -p $$ -o c.data
  [ "$status" -ne 0 ] && [ "$status" -ne 124 ]
  ok $? "also as a control channel"

  # Names of JIT code that a stranger wrote
  sleep 60 &
  pid=$!
  (umask 022; echo "400000 1000 planted" >"/tmp/perf-$pid.map")
  printf 'sample %d 400010\nexit 1\n' $pid >text
  "$BUILD/tests/tools/text_recording" jit.data <text
  run "$SNAPFLAME" show jit.data events
  chown 65534 "/tmp/perf-$pid.map"
  run "$SNAPFLAME" fold jit.data
  case $(cat "$out") in *planted*) ok 1 "a stranger's perf-PID.map names nothing" ;;
  *) ok 0 "a stranger's perf-PID.map names nothing" ;; esac
  rm -f "/tmp/perf-$pid.map"
  kill $pid
else
  skip "links of other users" "not root: no file can be given away"
fi
run "$SNAPFLAME" export a.data --format perfetto -o /dev/null
is "$status" 0 "/dev/null is written to as it is"
run sh -c "\"$SNAPFLAME\" export a.data --format perfetto -o /dev/stdout | grep -c traceEvents"
is "$(cat "$out")" 1 "and so is /dev/stdout"

# ------------------------------------------------------------------------- what programs get
mkdir bin
cat >bin/gnuplot <<'EOF'
#!/bin/sh
tr '\0' '\n' </proc/$$/environ | sed 's/^/var /' >>"$TMPDIR/seen"
# They are set just after it was started, the one of files last.
while [ "$(ulimit -f)" = unlimited ] && [ -z "$waited" ]; do i=x$i; [ ${#i} -lt 100 ] || waited=long; sleep 0.1; done
{ echo limits $(ulimit -v) $(ulimit -f); env | sort; ls -l /proc/self/fd | sed -n 's/.* \([0-9]*\) -> .*/fd \1/p'; grep -E 'NoNewPrivs|CapEff|Seccomp:' /proc/self/status
  ulimit -c; } >>"$TMPDIR/seen"
exit 1
EOF
chmod +x bin/gnuplot
exec 7<a.data
run env PATH="$TMP/bin:$PATH" TMPDIR="$TMP" SECRET=hunter2 "$SNAPFLAME" report a.data -o rep
exec 7<&-
[ -s seen ]
ok $? "a program in gnuplot's place was run"
is "$(grep -c -E 'SECRET|hunter2' seen)" 0 "the environment is not handed on"
is "$(sed -n 's/^var \([^=]*\)=.*/\1/p' seen | sort -u | tr '\n' ' ')" "HOME LC_ALL PATH TMPDIR " "but for four variables"
is "$(grep -c '^fd 7' seen)" 0 "nor are descriptors that were open"
# in KiB, and blocks of 512 bytes (of 1024 where sh is bash)
like "$(grep '^limits' seen | sort -u)" "limits 2097152 *[0-9]" "memory and files are limited"
is "$(sed -n 's/NoNewPrivs:[[:space:]]*//p' seen | sort -u)" 1 "it can gain no privileges"
is "$(sed -n 's/CapEff:[[:space:]]*//p' seen | sort -u)" 0000000000000000 "it has no capability"
if grep -q 'Seccomp:' seen; then
  is "$(sed -n 's/Seccomp:[[:space:]]*//p' seen | sort -u)" 2 "its system calls are filtered"
fi

# ------------------------------------------------------------------------- what snapflame itself may
mkfifo slow
while read -r args; do
  # shellcheck disable=SC2086 # words
  "$SNAPFLAME" $args >/dev/null 2>&1 &
  pid=$!
  # It waits for somebody to write, and has shut itself in before; the filter comes last.
  wait_for grep -q '^Seccomp:.*2' /proc/$pid/status 2>/dev/null
  is "$(sed -n 's/^NoNewPrivs:[[:space:]]*//p; s/^Seccomp:[[:space:]]*//p' /proc/$pid/status | tr '\n' ' ')" "1 2 " \
    "$args: no new privileges, and filtered calls"
  # DAC_OVERRIDE, DAC_READ_SEARCH, SYS_PTRACE, SYSLOG at most
  caps=$(sed -n 's/^CapPrm:[[:space:]]*//p' /proc/$pid/status)
  is $((0x$caps & ~0x400080006)) 0 "$args: no capability but four ($caps)"
  is "$(sed -n 's/^CapInh:[[:space:]]*//p' /proc/$pid/status)" 0000000000000000 "$args: none to hand on"
  is "$(awk '/^Max core file size/ {print $5, $6}' /proc/$pid/limits)" "0 0" "$args: no core dump"
  kill $pid
  wait $pid 2>/dev/null
done <<'EOF'
fold slow
show slow branches
diff slow slow
report slow -o slowly
export slow --format perfetto
EOF

run sh -c "umask 022; \"$SNAPFLAME\" record -q --duration 0.05 -p $$ -o mode.data"
if [ "$status" -eq 0 ]; then
  is "$(stat -c %a mode.data)" 600 "a recording is its owner's only"
  # shellcheck disable=SC2016 # for the inner shell
  run sh -c 'ls /proc/$$/fd'
  inherited=$(cat "$out")
  # shellcheck disable=SC2016
  run "$SNAPFLAME" record -q -p $$ -o cmd.data -- sh -c 'ls /proc/$$/fd'
  is "$(cat "$out")" "$inherited" "CMD gets no descriptor of the recorder"
else
  skip "recordings" "$(tail -n 1 "$err")"
fi

# No command line is ever put together for a shell.
nm -D --undefined-only "$SNAPFLAME" 2>/dev/null | grep -E ' (system|popen|wordexp)(@|$)' >"$out"
is "$(cat "$out")" "" "nothing calls a shell"

done_testing
