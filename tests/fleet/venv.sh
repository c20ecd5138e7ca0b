#!/bin/sh
# venv.sh BUILD PACKAGE...: a virtual environment in BUILD/venv with these Python packages, for the tests of
# contrib/fleet. What is there already is left alone. Where it cannot be had, BUILD/venv.why says why, the
# tests that need it skip with that reason, and this leaves with 0.
set -u
build=$1
shift
venv=$build/venv
mkdir -p "$build"
why() {
  tail -n 1 "$build/venv.log" | cut -c 1-200 >"$build/venv.why"
  echo "venv: $1: $(cat "$build/venv.why")" >&2
  exit 0
}
missing() {
  for p in "$@"; do
    "$venv/bin/python" -c "import $p" 2>/dev/null || echo "$p"
  done
}

rm -f "$build/venv.why"
echo "no python3" >"$build/venv.log"
command -v python3 >/dev/null || why "cannot be made"
[ -x "$venv/bin/pip" ] || python3 -m venv "$venv" >"$build/venv.log" 2>&1 || why "cannot be made"
want=$(missing "$@")
[ -n "$want" ] || exit 0
# shellcheck disable=SC2086 # words
timeout 300 "$venv/bin/pip" install -q --disable-pip-version-check --retries 1 --timeout 20 $want \
  >"$build/venv.log" 2>&1 || why "pip install"
