#!/bin/sh
# run.sh JOBS [TEST…]: runs the tests with prove. Units are the programs in $BUILD/tests/unit,
# command line tests are tests/*/*.t (POSIX sh, TAP). Skips are counted by prove and printed here
# with their reasons.
set -u
cd "$(dirname "$0")/.." || exit 1
jobs=$1
shift
if [ $# -eq 0 ]; then
  set --
  for t in "$BUILD"/tests/unit/* tests/cli/*.t tests/scenarios/*.t; do
    case $t in *.d | *.o | *\**) continue ;; esac
    [ -f "$t" ] && set -- "$@" "$t"
  done
fi
if ! command -v prove >/dev/null 2>&1; then
  echo "tests: prove is missing (Debian package: perl); run: make check as root, or install it" >&2
  exit 1
fi
export LC_ALL=C.UTF-8 CMOCKA_MESSAGE_OUTPUT=TAP
log=$BUILD/tests/skips
mkdir -p "$BUILD/tests"
prove -j "$jobs" --directives --timer --exec 'sh tests/exec.sh' "$@" >"$log.out" 2>&1
status=$?
cat "$log.out"
grep -i '# skip' "$log.out" | sed 's/.*# [Ss][Kk][Ii][Pp][: ]*/skipped: /' | sort | uniq -c
exit $status
