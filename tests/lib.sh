# lib.sh: TAP for tests in POSIX sh. Sourced: . "$TOP/tests/lib.sh"
#
#   plan 3                        how many tests there are (or done_testing at the end)
#   ok STATUS WHAT                ok when STATUS is 0:  cmp -s a b; ok $? "files are the same"
#   is GOT WANT WHAT              ok when the two texts are the same
#   like TEXT PATTERN WHAT        ok when TEXT matches the shell pattern
#   same FILE WANTED WHAT         ok when the files are the same; shows a diff
#   skip WHAT REASON              one test that cannot be made here
#   skip_all REASON               ends the script: nothing of it, or nothing more, can be tested here
#   run COMMAND…                  runs it; leaves $status, and what it printed in $out and $err
#   check WHAT COMMAND…           run and expect status 0 and nothing on standard error
#   wait_for COMMAND…             tries it until it is true; 1 when that takes more than half a minute
#
# The scratch directory is $TMP and is removed by who starts the test.

tap_n=0
tap_failed=0
out=$TMP/.out err=$TMP/.err
status=0

plan() { echo "1..$1"; }
done_testing() { echo "1..$tap_n"; }
diag() { printf '%s\n' "$*" | sed 's/^/# /'; }

ok() {
  tap_n=$((tap_n + 1))
  if [ "$1" -eq 0 ]; then
    echo "ok $tap_n - $2"
  else
    echo "not ok $tap_n - $2"
    tap_failed=1
    return 1
  fi
}

skip() {
  tap_n=$((tap_n + 1))
  echo "ok $tap_n - $1 # SKIP $2"
}

skip_all() {
  [ $tap_n -eq 0 ] || { skip "the rest" "$*"; done_testing; exit 0; }
  echo "1..0 # SKIP $*"
  exit 0
}

is() {
  [ "$1" = "$2" ]
  ok $? "$3" || { diag "got:  $1"; diag "want: $2"; return 1; }
}

like() {
  # shellcheck disable=SC2254 # a pattern on purpose
  case $1 in $2) ok 0 "$3" ;; *) ok 1 "$3" || { diag "got:     $1"; diag "pattern: $2"; return 1; } ;; esac
}

same() {
  cmp -s "$1" "$2"
  ok $? "$3" || { diff "$2" "$1" | head -n 20 | sed 's/^/# /'; return 1; }
}

run() {
  "$@" >"$out" 2>"$err" </dev/null
  status=$?
}

check() {
  tap_what=$1
  shift
  run "$@"
  [ "$status" -eq 0 ] && [ ! -s "$err" ]
  ok $? "$tap_what" || { diag "status $status of: $*"; sed 's/^/# /' "$err"; return 1; }
}

wait_for() {
  tap_tries=0
  until "$@"; do
    tap_tries=$((tap_tries + 1))
    [ $tap_tries -lt 600 ] || return 1
    sleep 0.05
  done
}

trap 'tap_status=$?; [ $tap_status -eq 0 ] && [ $tap_failed -ne 0 ] && exit 1; exit $tap_status' EXIT
