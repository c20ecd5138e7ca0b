# storage.sh, and the causes of branchsim that need it.
. "$TOP/tests/lib.sh"
. "$TOP/tests/branchsim.sh"

st="sh $TOP/samples/storage.sh"

# A busy machine blurs pauses: what is to be seen must be seen in one of three runs.
# attempt CAUSE N PATTERN TEST: N BRANCHes; leaves whether TEST holds in $holds, and whether main has
# been in PATTERN in $seen
attempt() {
  for try in 1 2 3; do
    vmm_start "$1" || { holds=1 seen=1; return; }
    watch "$3" "$2"
    seen=$?
    $4
    holds=$?
    what=$(pauses)
    vmm_stop
    [ $holds -ne 0 ] || [ $seen -ne 0 ] || return
  done
}

level() {
  field dark_ms "$TMP/branches" | awk '
    { p[NR] = $1 } END { exit !(NR == 5 && p[1] > 100 && p[4] + p[5] < 1.6 * (p[1] + p[2])) }'
}

# in_storage CAUSE N PATTERN: N BRANCHes; the pauses grow, and main has been in PATTERN
in_storage() {
  attempt "$1" "$2" "$3" grew
  ok $holds "$1: the pauses grow" || diag "pauses: $what"
  ok $seen "$1: main is in $3" || diag "pauses: $what"
}

steady() {
  attempt "$1" "$2" "$3" level
  ok $holds "$1: the pauses are long and do not grow" || diag "pauses: $what"
  ok $seen "$1: main is in $3" || diag "pauses: $what"
}

with() {
  kind=$1
  shift
  if ! storage_up "$kind"; then
    for c in "$@"; do skip "$c" "$why"; done
    return 1
  fi
  ok 0 "$kind is set up"
}

# gone KIND: down leaves nothing behind
gone() {
  group=$(cat "$storage/cgroup" 2>/dev/null)
  loop=$(cat "$storage/loop" 2>/dev/null)
  at=$storage
  storage_down
  ok $? "$1 goes down"
  [ ! -e "$at" ] && { [ -z "$group" ] || [ ! -e "$group" ]; } &&
    { [ -z "$loop" ] || ! losetup "$loop" >/dev/null 2>&1; }
  ok $? "$1 leaves nothing behind"
}

if with plain io-read aio-read mapped-read; then
  in_storage io-read 4 'dio_rw|do_blockdev_direct_IO|io_schedule'
  in_storage aio-read 4 read_events
  in_storage mapped-read 4 filemap_fault
  gone plain
fi
gap=0.1
if with disk rewrite; then
  in_storage rewrite 4 truncate_inode_pages_range
  gone disk
fi
if with disk-read read-limit; then
  in_storage read-limit 4 'dio_rw|do_blockdev_direct_IO'
  gone disk-read
fi
if with ext4 fsync-many lock-io; then
  in_storage fsync-many 4 jbd2_log_wait_commit
  in_storage lock-io 4 futex
  gone ext4
fi
if with ext4-slow rewrite-sparse flat-fsync other-writer other-dirty; then
  in_storage rewrite-sparse 3 'wbt_wait|rq_qos_wait'
  steady flat-fsync 5 'wbt_wait|rq_qos_wait'
  in_storage other-writer 4 ext4_sync_file
  in_storage other-dirty 4 ext4_sync_file
  vmm_start rewrite-sparse --prealloc
  branches 4
  field dark_ms "$TMP/branches" | awk '$1 > 150 { n++ } END { exit n > 1 }'
  ok $? "rewrite-sparse: preallocation removes the growth" || diag "pauses: $(pauses)"
  vmm_stop
  gone ext4-slow
fi

run $st up nonsense "$TMP/x"
like "$status $(cat "$err")" "1 *no kind is called nonsense*" "an unknown kind is refused"
run $st down "$TMP/x"
is "$status" 0 "down of nothing is harmless"
run $st exec "$TMP/x" true
is "$status" 1 "exec without a setup is refused"
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null 2>&1; then
  run setpriv --reuid 65534 --clear-groups sh "$TOP/samples/storage.sh" check ext4 /tmp
  like "$status $(cat "$err")" "1 *it takes root*" "without root it says so"
else
  skip "without root it says so" "not root, or no setpriv"
fi
done_testing
