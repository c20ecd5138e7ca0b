#!/bin/sh
# exec.sh TEST: how prove starts a test: scripts by sh, programs as they are, in a scratch directory.
# With TAP_DIR, what the test says is kept there, too.
if [ -n "${TAP_DIR:-}" ]; then
  said=$TAP_DIR/$(basename "$1")
  { TAP_DIR='' sh "$0" "$@"; echo $? >"$said.status"; } | tee "$said.tap"
  exit "$(cat "$said.status")"
fi
case $1 in
*.t) test=$(realpath "$1")
  tmp=$(mktemp -d "${TMPDIR:-/tmp}/snapflame-test.XXXXXX") || exit 1
  trap 'rm -rf "$tmp"' EXIT
  trap 'exit 130' INT TERM
  TOP=$(pwd) TMP=$tmp sh "$test" ;;
*)
  # cmocka calls a skipped test "not ok N # SKIP", which is a failure for prove.
  log=$(mktemp "${TMPDIR:-/tmp}/snapflame-test.XXXXXX") || exit 1
  trap 'rm -f "$log"' EXIT
  trap 'exit 130' INT TERM
  "$1" >"$log"
  status=$?
  sed 's/^not ok \([0-9]* # SKIP\)/ok \1/' "$log"
  exit $status ;;
esac
