#!/bin/sh
# valgrind.sh PROGRAM…: unit tests under valgrind: no invalid access, no use of what was never set, no
# leak. Those that measure or fork what valgrind cannot follow skip by themselves.
set -u
command -v valgrind >/dev/null 2>&1 || { echo "valgrind is not installed" >&2; exit 1; }
cd "$(dirname "$0")/../.." || exit 1
export LC_ALL=C.UTF-8 CMOCKA_MESSAGE_OUTPUT=TAP UNDER_VALGRIND=1
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
bad=0 n=0
for t in "$@"; do
  n=$((n + 1))
  if timeout 600 valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite \
    --suppressions=tests/faults/valgrind.supp --child-silent-after-fork=yes "$t" >"$log" 2>&1; then
    echo "ok $n - ${t##*/}"
  else
    s=$?
    bad=$((bad + 1))
    echo "not ok $n - ${t##*/} (status $s)"
    grep -E '^==|^not ok|^#' "$log" | head -n 40 | sed 's/^/# /'
  fi
done
echo "1..$n"
echo "$n programs under valgrind, $bad with errors"
[ "$bad" -eq 0 ]
