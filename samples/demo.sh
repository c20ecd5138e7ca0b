#!/bin/sh
# demo.sh BUILD REPORT: records five BRANCHes of a VMM whose disk is throttled, and explains them.
# What it starts it also ends: the VMM, its storage, its directory.
set -u
build=$1 report=$2
top=$(cd "$(dirname "$0")/.." && pwd)
tmp=$(mktemp -d "${TMPDIR:-/tmp}/snapflame-demo.XXXXXX") || exit 1
vmm= storage=

cleanup() {
  [ -z "$vmm" ] || kill "$vmm" 2>/dev/null
  [ -z "$vmm" ] || wait "$vmm" 2>/dev/null
  [ -z "$storage" ] || sh "$top/samples/storage.sh" down "$storage"
  rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

run() {
  echo "\$ $*"
  "$@"
}

# The story: the memory file of the last BRANCH is rewritten before a throttled disk has it.
cause=rewrite dir=$tmp/files
mkdir "$dir"
if why=$(sh "$top/samples/storage.sh" check disk "$tmp/storage" 2>&1) &&
  sh "$top/samples/storage.sh" up disk "$tmp/storage" --rate 10485760; then
  storage=$tmp/storage
  dir=$(sh "$top/samples/storage.sh" dir "$storage")
else
  echo "demo: the disk cannot be throttled here (${why#storage: }); a mutex will slow the VMM instead"
  cause=mutex-oncpu
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "demo: not root: record sees only what the kernel shows to users; sudo make demo shows all"
fi

set -- "$build/branchsim" vmm --sock "$tmp/api.sock" --cause "$cause" --dir "$dir"
[ -z "$storage" ] || set -- sh "$top/samples/storage.sh" exec "$storage" "$@"
"$@" >"$tmp/vmm.log" 2>&1 &
vmm=$!
n=0
while [ ! -S "$tmp/api.sock" ]; do
  n=$((n + 1))
  if [ $n -gt 100 ] || ! kill -0 "$vmm" 2>/dev/null; then
    echo "demo: the VMM did not start:" >&2
    cat "$tmp/vmm.log" >&2
    exit 1
  fi
  sleep 0.1
done

mkdir -p "$report" || exit 1
echo "A stand-in VMM runs a guest and is BRANCHed five times."
run "$build/snapflame" record -p "$vmm" -o "$report/run.data" --branches 5 --gap 0.2 -- \
  "$build/branchsim" branch --sock "$tmp/api.sock" >"$tmp/replies" || exit 1
echo
run "$build/snapflame" diff "$report/run.data" -o "$report"
status=$?
echo
echo "The cause that was built in: $("$build/branchsim" causes | sed -n "s/^$cause  *//p")"
echo "The report: $report/report.html"
exit $status
