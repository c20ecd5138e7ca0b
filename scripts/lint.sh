#!/bin/sh
# lint.sh CONFIG JOBS: clang-tidy by .clang-tidy, cppcheck by .cppcheck, shellcheck; those that are
# installed. LINT_FILES="lib/base/str.c" for some.
set -u
cd "$(dirname "$0")/.." || exit 1
defs=$(sed -n 's/^DEFS *:= *//p' "$1")
flags=$(sed -n 's/^DEP_CFLAGS *:= *//p' "$1")
files=${LINT_FILES:-$(git ls-files 'lib/*.c' 'src/*.c')}
bad=0

# tidy FILE: prints what clang-tidy says of it, and fails where that is anything
# shellcheck disable=SC2089 # the quotes are of C
LINT_FLAGS="-std=gnu11 -Ilib/include -Ilib -I$(dirname "$1")/lib $defs $flags -DSNAPFLAME_VERSION=\"0\""
# shellcheck disable=SC2090
export LINT_FLAGS
tidy='clang-tidy --quiet "$1" -- $LINT_FLAGS 2>/dev/null | grep -E -A3 "(warning|error):"; [ $? -eq 1 ]'

if command -v clang-tidy >/dev/null 2>&1; then
  echo "$files" | tr " " "\n" | xargs -P "$2" -I {} sh -c "$tidy" tidy {} || bad=1
else
  echo "lint: no clang-tidy here" >&2
fi
if command -v cppcheck >/dev/null 2>&1; then
  # shellcheck disable=SC2086
  cppcheck -q --error-exitcode=1 --inline-suppr --enable=warning,portability \
    --suppressions-list=.cppcheck -j "$2" -Ilib/include -Ilib $defs lib src samples || bad=1
else
  echo "lint: no cppcheck here" >&2
fi
if command -v shellcheck >/dev/null 2>&1; then
  git ls-files '*.sh' '*.t' | xargs shellcheck -s sh -S warning || bad=1
fi
[ $bad -eq 0 ] && echo "lint: nothing to say of $(echo "$files" | wc -w) files in C and $(git ls-files '*.sh' '*.t' | wc -l) scripts"
exit $bad
