#!/bin/sh
# exec.sh TEST: how prove starts a test: scripts by sh, programs as they are, in a scratch directory.
case $1 in
*.t) test=$(realpath "$1")
  tmp=$(mktemp -d "${TMPDIR:-/tmp}/snapflame-test.XXXXXX") || exit 1
  trap 'rm -rf "$tmp"' EXIT
  trap 'exit 130' INT TERM
  TOP=$(pwd) TMP=$tmp sh "$test" ;;
*) exec "$1" ;;
esac
