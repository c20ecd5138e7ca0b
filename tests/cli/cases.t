# Golden cases: tests/cli/<command>/<case>/ holds cmd, and stdout, stderr and status where they are
# not empty and not 0. cmd is run by sh in an empty directory; $CASE is the case's own, $SHARED has
# the fixtures, and snapflame is in the PATH. Status 77 skips; the reason is on standard error.
# BLESS=1 (make bless) writes what came out as what is expected.
. "$TOP/tests/lib.sh"
mkdir "$TMP/bin" && ln -s "$SNAPFLAME" "$TMP/bin/snapflame" || exit 1
export PATH="$TMP/bin:$PATH" SHARED SNAPFLAME TOP LC_ALL=C.UTF-8
unset SNAPFLAME_DEBUG POSIXLY_CORRECT NO_COLOR

# keep FILE EXPECTED: an empty result has no file
keep() { if [ -s "$1" ]; then cp "$1" "$2"; else rm -f "$2"; fi; }
orempty() { if [ -f "$1" ]; then echo "$1"; else echo /dev/null; fi; }

for cmd in "$TOP"/tests/cli/*/*/cmd; do
  [ -f "$cmd" ] || continue
  CASE=${cmd%/cmd}
  export CASE
  name=${CASE#"$TOP"/tests/cli/}
  dir=$TMP/case
  rm -rf "$dir"
  mkdir "$dir"
  (cd "$dir" && sh "$cmd" >"$out" 2>"$err" </dev/null)
  status=$?
  if [ $status -eq 77 ]; then
    skip "$name" "$(tail -n 1 "$err")"
    continue
  fi
  echo $status >"$TMP/.status"
  if [ -n "${BLESS:-}" ]; then
    keep "$out" "$CASE/stdout"
    keep "$err" "$CASE/stderr"
    [ $status -eq 0 ] && : >"$TMP/.status"
    keep "$TMP/.status" "$CASE/status"
    ok 0 "$name (blessed)"
    continue
  fi
  want=0
  [ -f "$CASE/status" ] && want=$(cat "$CASE/status")
  bad=0
  cmp -s "$out" "$(orempty "$CASE/stdout")" || bad=1
  cmp -s "$err" "$(orempty "$CASE/stderr")" || bad=1
  [ "$status" = "$want" ] || bad=1
  ok $bad "$name" || {
    [ "$status" = "$want" ] || diag "status $status, not $want"
    diff "$(orempty "$CASE/stdout")" "$out" | sed 's/^/# stdout: /' | head -n 20
    diff "$(orempty "$CASE/stderr")" "$err" | sed 's/^/# stderr: /' | head -n 20
  }
done
done_testing
