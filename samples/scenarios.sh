#!/bin/sh
# scenarios.sh BUILD [-n TRIALS] [-k DIR] [CAUSE…]: runs a VMM through five BRANCHes with a known
# cause, asks snapflame diff why they got slower, and prints expected and found. Without CAUSE: all
# that branchsim has. Leaves with 1 when an answer was wrong. What cannot run here is skipped, and
# said. -k keeps recordings and diffs in DIR.
set -u
build=$1
shift
trials=1 keep=
while getopts n:k: opt; do
  case $opt in
  n) trials=$OPTARG ;;
  k) keep=$OPTARG ;;
  *) exit 2 ;;
  esac
done
shift $((OPTIND - 1))
top=$(cd "$(dirname "$0")/.." && pwd)
tmp=$(mktemp -d "${TMPDIR:-/tmp}/snapflame-scenario.XXXXXX") || exit 1
vmm=

end_trial() {
  [ -z "$vmm" ] || { kill "$vmm" && wait "$vmm"; } 2>/dev/null
  vmm=
  [ ! -d "$tmp/storage" ] || sh "$top/samples/storage.sh" down "$tmp/storage"
  rm -rf "$tmp/files" "$tmp/storage" "$tmp/api.sock"
}
trap 'end_trial; rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

# Snapshot files go to memory unless the cause is about a disk.
memory=$tmp/files
[ -d /dev/shm ] && [ -w /dev/shm ] && memory=/dev/shm/${tmp##*/}

skipped() {
  echo "skip  $1: $2"
  skips=$((skips + 1))
}

# start CAUSE STORAGE: the VMM, ready for its first BRANCH; 2: cannot be had here
start() {
  dir=$memory
  set -- "$1" "$2" "$build/branchsim" vmm --sock "$tmp/api.sock" --cause "$1"
  kind=$2
  shift 2
  if [ "$kind" != - ]; then
    why=$(sh "$top/samples/storage.sh" check "$kind" "$tmp/storage" 2>&1) || return 2
    # Slow enough that a busy machine, which leaves longer gaps, does not catch up meanwhile.
    rate=
    [ "$kind" != disk ] || rate="--rate 10485760"
    # shellcheck disable=SC2086 # two words
    why=$(sh "$top/samples/storage.sh" up "$kind" "$tmp/storage" $rate 2>&1) || return 2
    dir=$(sh "$top/samples/storage.sh" dir "$tmp/storage")
    set -- sh "$top/samples/storage.sh" exec "$tmp/storage" "$@"
  fi
  mkdir -p "$dir"
  "$@" --dir "$dir" >"$tmp/vmm.log" 2>&1 &
  vmm=$!
  n=0
  while [ ! -S "$tmp/api.sock" ]; do
    n=$((n + 1))
    if [ $n -gt 150 ] || ! kill -0 $vmm 2>/dev/null; then
      why=$(cat "$tmp/vmm.log")
      return 2
    fi
    sleep 0.1
  done
}

# trial CAUSE STORAGE
trial() {
  start "$1" "$2"
  case $? in
  2) skipped "$1" "$why" && end_trial && return 0 ;;
  esac
  if ! "$build/snapflame" record -q -p $vmm -o "$tmp/run.data" --branches 5 --gap 0.2 -- \
    "$build/branchsim" branch --sock "$tmp/api.sock" >"$tmp/replies" 2>"$tmp/err"; then
    echo "WRONG $1: record failed: $(tail -n 1 "$tmp/err")"
    end_trial
    return 1
  fi
  end_trial
  rm -rf "$memory"
  "$build/snapflame" diff --json "$tmp/run.data" >"$tmp/diff.json" 2>"$tmp/err"
  "$build/branchsim" score "$1" <"$tmp/diff.json"
  result=$?
  if [ -n "$keep" ]; then
    mkdir -p "$keep"
    cp "$tmp/run.data" "$keep/$1.data"
    cp "$tmp/diff.json" "$keep/$1.json"
  fi
  return $result
}

wrong=0 skips=0 right=0
printf '%-5s %-15s %-12s %-15s %-12s %-15s %-24s %7s %8s\n' "" cause expected of found of frame \
  share coverage
"$build/branchsim" causes --storage >"$tmp/causes" || exit 1
while read -r cause storage; do
  [ $# -eq 0 ] || case " $* " in *" $cause "*) ;; *) continue ;; esac
  t=0
  while [ $t -lt "$trials" ]; do
    t=$((t + 1))
    if trial "$cause" "$storage" </dev/null; then right=$((right + 1)); else wrong=$((wrong + 1)); fi
  done
done <"$tmp/causes"
echo "$((right - skips)) right, $wrong wrong, $skips skipped"
[ $wrong -eq 0 ]
