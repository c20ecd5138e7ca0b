# record --firecracker, interrupted, killed or out of time while a snapshot is written: the VM runs
# afterwards.
. "$TOP/tests/lib.sh"
. "$TOP/tests/branchsim.sh"
. "$TOP/tests/drivers.sh"
[ $root -eq 1 ] || skip_all "needs root to see when the snapshot is under way"

# What the stand-in writes takes as long as it says: main sleeps in it.
in_snapshot() { grep -q hrtimer_nanosleep "/proc/$vmm/stack" 2>/dev/null; }
# in_pause SIGNAL: the recorder gets it while the snapshot is written
in_pause() {
  "$SNAPFLAME" record --firecracker "$sock" --branches 2 --gap 0.01 -o "$1.data" >/dev/null 2>"$1.err" &
  recorder=$!
  wait_for in_snapshot
  kill "-$1" $recorder
  wait $recorder 2>/dev/null
}

vmm_start backoff --base 1200
in_pause INT
is "$?" 0 "SIGINT in a snapshot: status"
is "$(marks INT.data window | wc -l)" 1 "SIGINT in a snapshot: it is complete"
goes_on "SIGINT in a snapshot"
vmm_stop
vmm_start backoff --base 1200
in_pause KILL
goes_on "SIGKILL in a snapshot"
vmm_stop
vmm_start backoff --base 15000
in_pause TERM
in_snapshot
ok $? "SIGTERM in a long snapshot: the recorder does not wait for its end"
goes_on "SIGTERM in a long snapshot" 20
vmm_stop
vmm_start backoff --base 5000 --grow 0
wrong "time-out" "*PUT /snapshot/create: no reply within 2 s*" --firecracker "$sock" --timeout 2
goes_on "time-out"
vmm_stop

done_testing
