# branchsim: each cause makes the pauses longer, and in the way it says.
. "$TOP/tests/lib.sh"
. "$TOP/tests/branchsim.sh"

# cpu_ms COMM: CPU time so far of the VMM's thread, or child process, of that name
cpu_ms() {
  for stat in /proc/"$vmm"/task/*/schedstat; do
    [ "$(cat "${stat%/*}/comm")" != "$1" ] || awk '{ print int($1 / 1e6) }' "$stat"
  done
  for s in $(grep -l "^PPid:[[:space:]]*$vmm\$" /proc/[0-9]*/status 2>/dev/null); do
    # stat knows the threads that have ended, too; ticks of 10 ms
    [ "$(cat "${s%/*}/comm")" != "$1" ] || awk '{ print ($14 + $15) * 10 }' "${s%/*}/stat"
  done
}

# grows CAUSE [COMM [PATTERN [MS]]]: four BRANCHes whose pauses grow; leaves what they cost COMM's CPU
# in $cost, and whether main has been in PATTERN in $seen. A busy machine blurs all of it: it must be
# seen in one of three runs.
grows() {
  for try in 1 2 3; do
    if ! vmm_start "$1"; then
      cost=
      case $(cat "$err") in
      *"cannot run here: "*) skip "$1: the pauses grow" "$(sed 's/.*cannot run here: //' "$err")" ;;
      *) ok 1 "$1: the VMM starts" ;;
      esac
      return 1
    fi
    seen=0
    before=$([ -z "${2:-}" ] || cpu_ms "$2")
    if [ -n "${3:-}" ]; then
      watch "$3" 4
      seen=$?
    else
      branches 4
    fi
    grew
    grown=$?
    cost=$([ -z "${2:-}" ] || echo $(($(cpu_ms "$2") - before)))
    what=$(pauses)
    vmm_stop
    [ $grown -eq 0 ] && [ $seen -ne 1 ] && [ "${cost:-0}" -ge "${4:-0}" ] && break
  done
  ok $grown "$1: the pauses grow" || diag "pauses: $what"
}

# burns CAUSE COMM [MS]: the growth is CPU time of that thread or process; of about 280 ms of work
# in all, because a cause that works for a given time gets less done on a busy machine
burns() {
  grows "$1" "$2" "" "${3:-180}" || { skip "$1: $2 has used the CPU" "not run"; return; }
  [ "$cost" -ge "${3:-180}" ]
  ok $? "$1: $2 has used the CPU" || diag "$cost ms"
}

# sits CAUSE PATTERN: main has been in those kernel functions
sits() {
  grows "$1" "" "$2" || { skip "$1: main is in $2" "not run"; return; }
  if [ $seen -eq 2 ]; then
    skip "$1: main is in $2" "/proc/PID/stack takes root"
  else
    ok $seen "$1: main is in $2"
  fi
}

burns user-cpu firecracker
burns mutex-oncpu fc_blk_flush
burns ping-pong fc_ring
burns rpc-cpu snap-helper
burns two-hop snap-codec
burns tcp-peer state-server
burns signal-peer snap-notifier
burns slow-vcpu 'fc_vcpu 0'
burns kernel-cpu firecracker
burns page-faults firecracker
burns cpu-hog cpu-hog
burns mem-fault uffd-handler
burns mmap-lock fc_balloon 60
sits backoff hrtimer_nanosleep
sits flock 'locks_lock_inode_wait|flock_lock_inode_wait'
sits pipe-peer pipe_read
sits stopped do_signal_stop
sits vcpu-stop futex
sits cpu-quota .

grows pool
grows one-shot
grows small-writes

for variant in nofp stripped; do
  vmm_bin=$BUILD/branchsim-$variant
  grows user-cpu
done
vmm_bin=

vmm_start none
branches 5
field dark_ms "$TMP/branches" | sort -n | awk '{ p[NR] = $1 } END { exit !(NR == 5 && p[3] < 25) }'
ok $? "none: the pauses stay short" || diag "pauses: $(pauses)"
vmm_stop
done_testing
