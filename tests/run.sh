#!/bin/sh
# run.sh JOBS [TEST…]: runs the tests with prove. Units are the programs in $BUILD/tests/unit,
# command line tests are tests/cli/*.t (POSIX sh, TAP), several at a time. What measures time, or
# needs the CPUs for itself, is in tests/serial and runs alone afterwards. What failed runs again,
# alone, once the host of this machine leaves it its CPUs. What fails then, too, is printed at the end
# with what it said. Skips are counted by prove and printed here with their reasons.
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
export TAP_DIR=$BUILD/tests/tap
mkdir -p "$TAP_DIR"
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

# stolen: ticks of CPU time that a hypervisor gave to somebody else
stolen() { awk '$1 == "cpu" {print $9 + 0}' /proc/stat 2>/dev/null || echo 0; }

# Waits, a minute at most, for two seconds in which the host takes no more than 2 % of the CPUs.
settle() {
  for _ in $(seq 30); do
    before=$(stolen)
    sleep 2
    [ $(($(stolen) - before)) -gt $(($(nproc) * 4)) ] || return 0
  done
}

# The tests that failed in the last call of prove.
failed() { sed -n 's/^\([^ ]*\) *(Wstat: .*/\1/p' "$log.part"; }

# What failed just now has to pass alone; two tries. Where prove itself failed it has said why.
once_more() {
  for try in 1 2; do
    again=$(failed)
    [ -n "$again" ] || return 1
    settle
    # shellcheck disable=SC2086 # a list of words
    echo "once more, alone ($try):" $again
    # shellcheck disable=SC2086
    prove_them 1 $again && return 0
  done
  gave_up="$gave_up $(failed)"
  return 1
}

# What the tests that failed to the end said, where it is not ok.
say_failed() {
  for t in $gave_up; do
    echo "failed: $t"
    awk '/^not ok/ && !/# (SKIP|TODO)/ {left = 9} left > 0 {left--; print "  " $0}' \
      "$TAP_DIR/$(basename "$t").tap" | head -n 60
  done
}

status=0 gave_up=
if [ $# -gt 0 ]; then
  prove_them "$jobs" "$@" || status=1 gave_up=$(failed)
else
  prove_them "$jobs" "$BUILD"/tests/unit/* tests/cli/*.t || once_more || status=1
  prove_them 1 tests/serial/*.t || once_more || status=1
fi
grep -i '# skip' "$log" | sed 's/.*# [Ss][Kk][Ii][Pp][: ]*/skipped: /' | sort | uniq -c
say_failed
exit $status
