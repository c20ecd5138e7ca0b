# snapflame doctor: what it finds is so, and the exit status says whether a recording would work.
. "$TOP/tests/lib.sh"
cd "$TMP" || exit 1
root=0
[ "$(id -u)" -eq 0 ] && root=1

run "$SNAPFLAME" doctor
cp "$out" machine
machine=$status
[ "$status" -le 1 ] && [ ! -s "$err" ]
ok $? "the machine: status 0 or 1, nothing on standard error" || diag "$status: $(cat "$err")"
grep -v -q -E '^(ok    |warn  |fail  |      )' machine
is $? 1 "each line has a level"
awk 'length > 80 {exit 1}' machine
ok $? "80 columns"
fails=$(grep -c '^fail' machine)
[ "$fails" -gt 0 ]
is $((1 - $?)) "$machine" "the status is 1 if something fails"
awk '/^(warn|fail)/ {level = $1; wants++} /to fix it:/ {fixes++} END {exit fixes < wants / 2}' machine
ok $? "most of what is wrong has a remedy"
for topic in rights perf_event kallsyms tracefs clock CPUs memory disk; do
  grep -q -E "^(ok|warn|fail) +$topic " machine
  ok $? "$topic is looked at"
done

run "$SNAPFLAME" doctor --json
n=$(grep -c '"level"' "$out")
is "$n" "$(grep -c -E '^(ok|warn|fail)' machine)" "--json has as many findings"
run "$SNAPFLAME" doctor -o /no/such/directory
is "$status" 1 "recordings cannot be written to a directory that is not there"
like "$(cat "$out")" "*fail  disk*No such file*" "and that is found"

run "$SNAPFLAME" doctor -o machine
is "$status" 1 "nor to a file"
like "$(cat "$out")" "*fail  disk*is no directory*" "and that is found"
mkdir full
# The mount is gone with its namespace.
small='mount -t tmpfs -o size=1m none full'
if [ $root -eq 1 ] && unshare -m sh -c "$small" 2>/dev/null; then
  run unshare -m sh -c "$small"' && exec "$0" doctor -o full' "$SNAPFLAME"
  is "$status" 1 "nor to a full one"
  like "$(cat "$out")" "*fail  disk*has room for ? MB*" "and that is found"
else
  skip "a full directory" "cannot mount one here"
fi

if [ $root -eq 1 ] && grep -q '^ok    tracefs' machine; then
  grep -q -E '^(ok    events +tried on|fail  cpu-clock|warn  sched_switch|fail  switches)' machine
  ok $? "the events were tried"
  grep -q -E '^(ok|warn)  +wakings ' machine
  ok $? "and the wakings"
  own=$(sh -c 'echo $$; exec "$0" doctor >/dev/null' "$SNAPFLAME")
  [ -n "$own" ] && [ ! -e "/sys/kernel/tracing/instances/snapflame-$own" ]
  ok $? "nothing is left in tracefs"
  if command -v setpriv >/dev/null; then
    cp "$SNAPFLAME" user-snapflame && chmod 755 user-snapflame . && mkdir user && chown 65534 user
    run setpriv --reuid=65534 --regid=65534 --clear-groups ./user-snapflame doctor -o user -p $$
    grep -q '^warn  rights' "$out"
    ok $? "a user is told what root would see"
    grep -q 'run snapflame as root' "$out"
    ok $? "and how"
    grep -q -E '^warn  (maps|stack|syscall) ' "$out"
    ok $? "and what of the target may not be read"
    is "$status" 1 "who may not record the target is told so by the status"
    grep -q '^fail  target .*cannot be recorded' "$out"
    ok $? "and by name"
    grep -q '^warn  symbols ' "$out"
    ok $? "what could not be looked at is not left out"
    run setpriv --reuid=65534 --regid=65534 --clear-groups ./user-snapflame doctor -o /
    grep -q '^fail  disk .*cannot be written' "$out"
    ok $? "a directory of somebody else is found"
    if grep -q -E '^(warn|ok) +perf_event' "$out"; then
      grep -q -E '^fail  cpu-clock' "$out"
      is $? 1 "a user's own samples arrive"
    else
      skip "a user's own samples arrive" "users may open no events here"
    fi
  else
    skip "an unprivileged user" "no setpriv"
  fi
else
  skip "the positive control" "not root, or no tracefs"
fi

# The target.
if [ -x "$BUILD/branchsim" ]; then
  vmm=
  trap 'tap_status=$?; [ -z "$vmm" ] || kill "$vmm" 2>/dev/null; [ $tap_status -eq 0 ] && [ $tap_failed -ne 0 ] && exit 1; exit $tap_status' EXIT
  for bin in branchsim branchsim-stripped; do
    vmm=$("$BUILD/$bin" vmm --sock "$TMP/sock" --cause none --daemon | sed 's/.*"pid": *\([0-9]*\).*/\1/')
    run "$SNAPFLAME" doctor -p "$vmm"
    cp "$out" target
    grep -q -E '^ok    threads +[0-9]+, of them 2 vCPUs' target
    ok $? "$bin: its threads and vCPUs" || grep threads target | sed 's/^/# /'
    if [ $bin = branchsim ]; then
      grep -q '^ok    symbols ' target && grep -q '^ok    frames ' target
      ok $? "symbols and frame pointers"
    else
      grep -q '^warn  symbols .*stripped\|^warn  symbols' target && grep -q '^warn  frames ' target
      ok $? "stripped, without frame pointers"
    fi
    kill "$vmm"
    while kill -0 "$vmm" 2>/dev/null; do sleep 0.05; done
    vmm=
    rm -f "$TMP/sock"
  done
else
  skip "a target" "branchsim is not built"
fi
run "$SNAPFLAME" doctor -p $$
grep -q '^warn  threads .*none of them a vCPU' "$out"
ok $? "a shell is no VMM"
done_testing
