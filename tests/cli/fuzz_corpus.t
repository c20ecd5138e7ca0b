#!/bin/sh
# Every fuzz driver that was built replays its corpus, the shared fixtures, and damaged versions of
# its corpus (the same ones each time). What crashed once is in the corpus.
. "$TOP/tests/lib.sh"
cd "$TMP" || exit 1

fixtures=
for d in perfdata perfscript; do
  [ -d "$SHARED/fixtures/$d" ] && fixtures="$fixtures $SHARED/fixtures/$d"
done

for bin in "$BUILD"/tests/fuzz/*; do
  case $bin in *.d | *.o | *\**) continue ;; esac
  name=${bin##*/}
  corpus=$TOP/tests/fuzz/corpus/$name
  [ -x "$bin" ] || continue
  [ -d "$corpus" ]
  ok $? "$name has a corpus" || continue
  # shellcheck disable=SC2086 # directories
  check "$name replays its corpus and the fixtures" timeout 120 "$bin" "$corpus" $fixtures
  check "$name survives damage to its corpus" timeout 120 "$bin" -r "${FUZZ_RUNS:-100}" "$corpus"
done
[ "$tap_n" -gt 0 ] || skip_all "no fuzz driver is built here"
done_testing
