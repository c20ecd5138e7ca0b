# record --firecracker: a VMM in a jail has another root, other pids and another network.
. "$TOP/tests/lib.sh"
. "$TOP/tests/branchsim.sh"
. "$TOP/tests/drivers.sh"
[ $root -eq 1 ] || skip_all "needs root"
unshare -m -p -n --fork true 2>/dev/null || skip_all "no new namespaces here"

jail=
inside=
jail_stop() {
  [ -z "$jail" ] || kill -KILL $inside 2>/dev/null # unshare itself ignores SIGTERM
  jail=
}
trap 'tap_status=$?; jail_stop; vmm_stop; [ $tap_status -eq 0 ] && [ $tap_failed -ne 0 ] && exit 1; exit $tap_status' EXIT

# jail_start hidden|seen: branchsim below $TMP/jail, on a tmpfs of its own where hidden
jail_start() {
  mkdir -p jail
  : >jail.out
  # shellcheck disable=SC2016 # for the shell inside
  unshare -m -p -n --fork --kill-child sh -c '
    [ "$1" = seen ] || mount -t tmpfs none jail
    mkdir -p jail/bin jail/run jail/tmp
    cp "$2" jail/bin/sim
    for l in $(ldd "$2" | grep -o "/[^ ]*"); do mkdir -p "jail${l%/*}" && cp "$l" "jail$l"; done
    exec chroot jail /bin/sim vmm --sock /run/api.sock --cause user-cpu --base 40 --no-kvm --dir /tmp
    ' - "$1" "$sim" >jail.out 2>&1 &
  jail=$!
  wait_for grep -q '"pid"' jail.out
  inside=$(cat "/proc/$jail/task/$jail/children")
  inside=${inside% }
  is "$(sed -n 's/.*"pid": \([0-9]*\),.*/\1/p' jail.out)" 1 "$1: its own pids"
}

# Another one here, whose socket has the same name, is not taken for it.
vmm_start none
jail_start seen
record --firecracker jail/run/api.sock --branches 2 --gap 0.1
is "$status" 0 "a chroot that we see: status" || diag "$(cat "$err")"
like "$(marks run.data meta)" "*\"pid\":$inside,*" "the target is its pid here"
[ -s jail/run/snapflame.mem ]
ok $? "the snapshot is beside the socket, by its name there"
like "$(marks run.data covariates | tail -n 1)" '*/root/run/snapflame.mem","bytes":[1-9]*' "and is looked at from here"
"$SNAPFLAME" fold run.data | grep -q 'create_snapshot;.*hash_entry'
ok $? "its functions have names"
record --firecracker jail/run/api.sock --snapshot-dir /none -q
is "$status" 1 "a directory that is not there inside: status"
jail_stop
wait_for test ! -e "/proc/$inside/exe"
rm -rf jail

jail_start hidden
[ ! -e jail/bin/sim ]
ok $? "its files are not to be seen from here"
record --firecracker "/proc/$inside/root/run/api.sock" --branches 2 --gap 0.1
is "$status" 0 "another mount namespace: status" || diag "$(cat "$err")"
like "$(marks run.data meta)" "*\"pid\":$inside,*" "the target is its pid here"
[ -s "/proc/$inside/root/run/snapflame.mem" ]
ok $? "the snapshot is beside the socket"
"$SNAPFLAME" fold run.data | grep -q 'create_snapshot;.*hash_entry'
ok $? "its functions have names"
jail_stop

# Who began to listen has handed the socket on and exited; another has a socket of the same name.
mkdir handed
perl -MIO::Socket::UNIX -e '
  my $l = IO::Socket::UNIX->new(Local => "handed/api.sock", Listen => 5) or die;
  $^F = 100; exit 0 if fork; $SIG{ALRM} = sub { exit 0 }; alarm 30; open STDOUT, ">", "handed/pid";
  syswrite STDOUT, $$;
  while (my $s = $l->accept) { next if fork; my $b; while (sysread $s, $b, 4096) {
    syswrite $s, "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"state\": \"Running\"}" } exit 0 }' \
  >/dev/null 2>&1
wait_for test -s handed/pid
record --firecracker handed/api.sock -q
like "$(marks run.data meta)" "*\"pid\":$(cat handed/pid),*" "a socket that was handed on: its holder is found" ||
  diag "$(cat "$err")"
kill "$(cat handed/pid)"
done_testing
