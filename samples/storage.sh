#!/bin/sh
# storage.sh: slow or journaled storage for branchsim, and its removal.
#
#   storage.sh check KIND DIR         can it be set up here? Prints why not and leaves with 1
#   storage.sh up KIND DIR [options]  set it up; everything it makes and knows is in DIR
#   storage.sh dir DIR                the directory for the snapshot files
#   storage.sh exec DIR CMD...        run CMD as one whom the throttling applies to
#   storage.sh down DIR...            remove it all; harmless where there is nothing
#
# KIND     what it is                                                    needs
#   plain      a directory on a disk, as it is
#   disk       a directory on DIR's own disk, whose writes are throttled    root, cgroup blkio or io
#   disk-read  the same for reads                                        root, cgroup blkio or io
#   ext4       ext4 with a journal on a loop device                      root, loop devices
#   ext4-slow  the same, and the disk below is throttled                 root, both
#
# Options of up: --rate BYTES (per second), --size MB and --journal MB (of the ext4 image).
# In a script:   trap 'sh samples/storage.sh down "$dir"' EXIT
set -u

say() { echo "storage: $*" >&2; }
fail() { say "$*"; exit 1; }
usage() { sed -n '2,/^set -u/{/^set -u/d;s/^# \{0,1\}//;p}' "$0"; exit "$1"; }

# The disk (major:minor) under a directory; a partition's whole disk, as throttling wants it.
disk_of() {
  dev=$(stat -c '%Hd:%Ld' "$1") || return 1
  sys=/sys/dev/block/$dev
  [ -e "$sys" ] || return 1
  if [ -e "$sys/partition" ]; then cat "$(readlink -f "$sys")/../dev"; else echo "$dev"; fi
}

# Where throttling groups are made: "v1 DIR" or "v2 DIR".
throttle_root() {
  for d in /sys/fs/cgroup/blkio /sys/fs/cgroup/blkio,*; do
    if [ -e "$d/blkio.throttle.write_bps_device" ]; then echo "v1 $d"; return; fi
  done
  for d in /sys/fs/cgroup /sys/fs/cgroup/unified; do
    case " $(cat "$d/cgroup.controllers" 2>/dev/null) " in
    *" io "*) echo "v2 $d"; return ;;
    esac
  done
  return 1
}

# What KIND needs beyond the directory: prints the first thing that is missing.
missing() {
  case $1 in
  plain)
    disk_of "$2" >/dev/null || echo "$2 is not on a disk"
    return ;;
  disk | disk-read | ext4 | ext4-slow) ;;
  *) echo "no kind is called $1"; return ;;
  esac
  if [ "$(id -u)" != 0 ]; then echo "it takes root"; return; fi
  case $1 in
  disk | disk-read | ext4-slow)
    throttle_root >/dev/null ||
      { echo "no cgroup controller that throttles disks (blkio or io)"; return; }
    disk_of "$2" >/dev/null || { echo "$2 is not on a disk that could be throttled"; return; } ;;
  esac
  case $1 in
  ext4 | ext4-slow)
    [ -c /dev/loop-control ] || { echo "no loop devices (/dev/loop-control)"; return; }
    for cmd in losetup mkfs.ext4 mount umount; do
      command -v $cmd >/dev/null 2>&1 || { echo "$cmd is not installed"; return; }
    done ;;
  esac
}

# The nearest directory of a path that exists: DIR itself may not be made yet.
existing() {
  d=$1
  while [ ! -d "$d" ]; do d=$(dirname "$d"); done
  echo "$d"
}

check() {
  why=$(missing "$1" "$(existing "$2")")
  [ -z "$why" ] || fail "$1: $why"
}

# make_group read|write: a cgroup in which the disk under $state is throttled to $rate.
make_group() {
  root=$(throttle_root) || return 1
  disk=$(disk_of "$state") || return 1
  group=${root#* }/branchsim-$$
  case $root in
  v1*)
    mkdir "$group" && echo "$group" >"$state/cgroup" &&
      echo "$disk $rate" >"$group/blkio.throttle.${1}_bps_device" ;;
  v2*)
    { grep -qw io "${root#* }/cgroup.subtree_control" ||
      echo +io >"${root#* }/cgroup.subtree_control"; } &&
      mkdir "$group" && echo "$group" >"$state/cgroup" &&
      case $1 in
      write) echo "$disk wbps=$rate" >"$group/io.max" ;;
      read) echo "$disk rbps=$rate" >"$group/io.max" ;;
      esac ;;
  esac
}

make_ext4() {
  truncate -s "${size}M" "$state/disk.img" &&
    mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 -J "size=$journal" \
      "$state/disk.img" >&2 &&
    loop=$(losetup -f --show --direct-io=on "$state/disk.img") && echo "$loop" >"$state/loop" &&
    mkdir "$state/mnt" && mount "$loop" "$state/mnt" && mkdir -m 1777 "$state/mnt/snapshots" &&
    echo "$state/mnt/snapshots" >"$state/dir"
}

make_dir() {
  mkdir -m 1777 "$state/snapshots" && echo "$state/snapshots" >"$state/dir"
}

up() {
  kind=$1 state=$2
  shift 2
  size=1500 journal=200
  case $kind in ext4-slow) rate=31457280 ;; *) rate=20971520 ;; esac
  while [ $# -gt 1 ]; do
    case $1 in
    --rate) rate=$2 ;;
    --size) size=$2 ;;
    --journal) journal=$2 ;;
    *) usage 2 >&2 ;;
    esac
    shift 2
  done
  [ $# -eq 0 ] || usage 2 >&2
  check "$kind" "$state"
  [ ! -e "$state/dir" ] || fail "$state is in use; first: storage.sh down $state"
  mkdir -p "$state" || exit 1
  state=$(cd "$state" && pwd)
  case $kind in
  plain) make_dir ;;
  disk) make_dir && make_group write ;;
  disk-read) make_dir && make_group read ;;
  ext4) make_ext4 ;;
  ext4-slow) make_ext4 && make_group write ;;
  esac && return
  down "$state"
  fail "$kind could not be set up in $state"
}

# Whoever is still in the group goes back to its parent: a group with members cannot be removed.
leave_group() {
  for tries in 1 2 3 4 5; do
    for pid in $(cat "$1/cgroup.procs" 2>/dev/null); do
      echo "$pid" >"$(dirname "$1")/cgroup.procs" 2>/dev/null
    done
    rmdir "$1" 2>/dev/null
    [ -d "$1" ] || return 0
    sleep 0.2
  done
  say "could not remove $1 (try $tries)"
  return 1
}

down() {
  state=$1 bad=0
  [ -d "$state" ] || return 0
  # First the throttling: what is still to be written goes at full speed.
  if [ -s "$state/cgroup" ]; then leave_group "$(cat "$state/cgroup")" || bad=1; fi
  if [ -d "$state/mnt" ] && mountpoint -q "$state/mnt"; then
    umount "$state/mnt" || umount -l "$state/mnt" || bad=1
  fi
  if [ -s "$state/loop" ]; then losetup -d "$(cat "$state/loop")" || bad=1; fi
  [ $bad = 0 ] || return 1
  rm -rf "$state/mnt" "$state/snapshots" "$state/disk.img"
  rm -f "$state/cgroup" "$state/loop" "$state/dir"
  rmdir "$state" 2>/dev/null || :
}

[ $# -ge 1 ] || usage 2 >&2
command=$1
shift
case $command in
--help | -h | help) usage 0 ;;
check) [ $# -eq 2 ] || usage 2 >&2; check "$@" ;;
up) [ $# -ge 2 ] || usage 2 >&2; up "$@" ;;
dir) [ $# -eq 1 ] || usage 2 >&2; cat "$1/dir" ;;
exec)
  [ $# -ge 2 ] || usage 2 >&2
  [ -s "$1/dir" ] || fail "nothing is set up in $1"
  if [ -s "$1/cgroup" ]; then echo $$ >"$(cat "$1/cgroup")/cgroup.procs" || exit 1; fi
  shift
  exec "$@" ;;
down)
  status=0
  for d in "$@"; do down "$d" || status=1; done
  exit $status ;;
*) usage 2 >&2 ;;
esac
