#!/bin/sh
# run.sh JOBS [TEST…]: runs the tests with prove. Units are the programs in $BUILD/tests/unit,
# command line tests are tests/cli/*.t (POSIX sh, TAP), several at a time. What measures time, or
# needs the CPUs for itself, is in tests/serial and runs alone afterwards. What failed runs once more,
# alone: others had the CPU, or the host of this machine had. Skips are counted by prove and printed
# here with their reasons.
set -u
cd "$(dirname "$0")/.." || exit 1
jobs=$1
shift
if ! command -v prove >/dev/null 2>&1; then
  echo "tests: prove is missing (Debian package: perl); run: make check as root, or install it" >&2
  exit 1
fi
# Tests that run make themselves are not its children.
unset MAKEFLAGS MFLAGS MAKELEVEL
export LC_ALL=C.UTF-8 CMOCKA_MESSAGE_OUTPUT=TAP
log=$BUILD/tests/log
mkdir -p "$BUILD/tests"
: >"$log"

# prove_them JOBS TEST…: those that exist
prove_them() {
  n=$1
  shift
  for t in "$@"; do
    shift
    case $t in *.d | *.o | *.gcno | *.gcda) continue ;; esac
    [ -f "$t" ] && set -- "$@" "$t"
  done
  [ $# -gt 0 ] || return 0
  prove -j "$n" --directives --timer --exec 'sh tests/exec.sh' "$@" >"$log.part" 2>&1
  ret=$?
  cat "$log.part"
  cat "$log.part" >>"$log"
  return $ret
}

# What failed just now has to pass alone.
once_more() {
  failed=$(sed -n 's/^\([^ ]*\) *(Wstat: .*/\1/p' "$log.part")
  # shellcheck disable=SC2086 # a list of words
  echo "once more, alone:" $failed
  # shellcheck disable=SC2086
  [ -n "$failed" ] && prove_them 1 $failed
}

status=0
if [ $# -gt 0 ]; then
  prove_them "$jobs" "$@" || status=1
else
  prove_them "$jobs" "$BUILD"/tests/unit/* tests/cli/*.t || once_more || status=1
  prove_them 1 tests/serial/*.t || once_more || status=1
fi
grep -i '# skip' "$log" | sed 's/.*# [Ss][Kk][Ii][Pp][: ]*/skipped: /' | sort | uniq -c
exit $status
