#!/bin/sh
# Memory, reading, writing and opening fail in turn under the core commands: the N-th call of a kind, for
# N = 1, 2, … up to FAULT_POINTS points of each, spread over the run. Whatever fails, a command
# ends by itself with status 0 or 1; with 0 it has printed what it prints on a good day, or says
# (with -v) what is missing; files are there whole or not at all, and no temporary one is left.
#
# FAULT_POINTS=0 tries every call (make check-faults tries 60, and record).
. "$TOP/tests/lib.sh"
cd "$TMP" || exit 1
faults=$BUILD/tests/faults.so
[ -e "$faults" ] || skip_all "$faults is not built (make check builds it, but not with sanitizers)"
[ -x "$BUILD/tests/tools/text_recording" ] || skip_all "the tool that makes a recording is not built"
points=${FAULT_POINTS:-6}
"$BUILD/tests/tools/text_recording" a.data <"$TOP/tests/fuzz/corpus/marks/two-branches"
printf 'main;a;b 10\nmain;a;c 5\n' >a.folded
mkdir out

# turn NAME COMMAND…: all kinds of faults under one command
turn() {
  name=$1
  shift
  rm -rf out && mkdir out
  env PATH=/nowhere "$@" >good 2>good.said </dev/null || { ok 1 "$name works without faults"; sed 's/^/# /' good.said; return; }
  (cd out && find . -type f | sort) >good.files
  for kind in malloc read open write; do
    n=1 tried=0 failed=0 wrong=
    while :; do
      rm -rf seen out && mkdir out
      # No gnuplot and no flamegraph.pl: they are not what is tried here.
      timeout 60 env PATH=/nowhere FAULT=$kind FAULT_AT=$n FAULT_SEEN="$TMP/seen" LD_PRELOAD="$faults" \
        "$@" >now 2>said </dev/null
      s=$?
      [ -e seen ] || break
      tried=$((tried + 1))
      (cd out && find . -type f | sort) >files
      # What record kept elsewhere is not needed.
      sed -n 's/.* was kept as \(\/dev\/shm\/snapflame\.data\.[0-9]*\)$/\1/p' said | xargs rm -f
      if [ $s -eq 1 ]; then
        failed=$((failed + 1))
        [ -s said ] || wrong="$wrong $n(silent)"
        # Of several files some may be there; but none that is not in the end.
        [ -z "$(comm -13 good.files files)" ] || wrong="$wrong $n(left: $(comm -13 good.files files | tr '\n' ' '))"
      elif [ $s -ne 0 ]; then
        wrong="$wrong $n(status $s)"
      elif grep -q libjansson seen; then
        : # version 2.14 leaves a character out of a text where it lacks memory for it, and says nothing
      elif cmp -s said good.said && { ! cmp -s now good || ! cmp -s files good.files; }; then
        wrong="$wrong $n(other output)"
      fi
      if [ "$points" -gt 0 ]; then n=$((n + 1 + n * 4 / points)); else n=$((n + 1)); fi
    done
    [ $kind = write ] || [ $tried -gt 0 ] || wrong=nothing
    [ -z "$wrong" ]
    ok $? "$name: $tried faults of $kind up to call $n, $failed of them ended it with an error" || diag "wrong at$wrong"
  done
}

turn "fold" "$SNAPFLAME" fold -v a.data
turn "fold of samples" "$SNAPFLAME" fold -v --view samples a.data
turn "fold of text" "$SNAPFLAME" fold -v a.folded
turn "show" "$SNAPFLAME" show -v a.data threads
turn "show --json" "$SNAPFLAME" show -v a.data coverage --json
turn "diff" "$SNAPFLAME" diff -v a.data --fast 1 --slow 2
turn "diff --json" "$SNAPFLAME" diff -v a.data --fast 1 --slow 2 --json
turn "export" "$SNAPFLAME" export -v a.data --format perfetto -o out/x.json
turn "export of rows" "$SNAPFLAME" export -v a.data --format rows -o out/x
turn "report" "$SNAPFLAME" report -v a.data -o out

run "$SNAPFLAME" record -q --duration 0.02 -p $$ -o out/r.data
if [ "$status" -eq 0 ] && [ "${FAULT_RECORD:-0}" = 1 ]; then
  turn "record" "$SNAPFLAME" record -q --duration 0.02 -p $$ -o out/r.data
else
  skip "record" "only in make check-faults"
fi
done_testing
