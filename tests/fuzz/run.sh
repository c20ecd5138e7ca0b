#!/bin/sh
# run.sh BUILD SECONDS TARGET…: libFuzzer on the targets in turn. What it finds beyond the committed
# corpus is kept in BUILD/corpus, and goes on from there next time. A line for each: executions,
# coverage, and where an input that crashes was put.
set -u
build=$1 seconds=$2
shift 2
cd "$(dirname "$0")/../.." || exit 1
export UBSAN_OPTIONS=print_stacktrace=1 ASAN_OPTIONS=allocator_may_return_null=1
export LSAN_OPTIONS=suppressions=$PWD/tests/faults/lsan.supp:print_suppressions=0
bad=0
for t in "$@"; do
  bin=$build/tests/fuzz/$t
  mkdir -p "$build/corpus/$t" "$build/crash"
  extra='' longest=65536
  case $t in
  perfdata | fold_data) extra=$SHARED/fixtures/perfdata longest=200000 ;;
  recording) longest=200000 ;;
  perfscript) extra=$SHARED/fixtures/perfscript ;;
  esac
  [ -d "$extra" ] || extra=
  # shellcheck disable=SC2086 # a word or none
  "$bin" -max_total_time="$seconds" -rss_limit_mb=1500 -timeout=25 -max_len=$longest -reload=0 \
    -print_final_stats=1 -artifact_prefix="$build/crash/$t-" "$build/corpus/$t" \
    "tests/fuzz/corpus/$t" $extra >"$build/$t.log" 2>&1
  status=$?
  printf '%-14s %s executions, %s\n' "$t" \
    "$(sed -n 's/.*number_of_executed_units: *//p' "$build/$t.log")" \
    "$(grep -a ' cov: ' "$build/$t.log" | tail -n 1 | sed 's/.*\(cov: [0-9]* ft: [0-9]*\) corp: \([0-9]*\).*/\1 corpus: \2/')"
  if [ $status -ne 0 ]; then
    bad=1
    grep -aE 'SUMMARY|runtime error|Test unit written' "$build/$t.log" | sed 's/^/  /'
  fi
done
exit $bad
