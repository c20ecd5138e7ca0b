# record.sh: for tests of record: the stand-in VMM runs as $vmm, $branch asks it for a BRANCH, and the
# scratch directory is the current one. Sourced after lib.sh.
[ -x "$BUILD/branchsim" ] || skip_all "branchsim is not built"
run "$SNAPFLAME" record -q --duration 0.01 -p $$ -o "$TMP/probe"
case $status,$(tail -n 1 "$err") in
0,*) ;;
*"built without libperf"* | *"cannot be recorded"*) skip_all "$(tail -n 1 "$err")" ;;
esac

vmm=
others=
cleanup() {
  for p in $vmm $others; do kill "$p" 2>/dev/null; done
  for p in $vmm; do
    while kill -0 "$p" 2>/dev/null; do sleep 0.05; done
  done
}
trap 'tap_status=$?; cleanup; [ $tap_status -eq 0 ] && [ $tap_failed -ne 0 ] && exit 1; exit $tap_status' EXIT
root=0
[ "$(id -u)" -eq 0 ] && root=1
cd "$TMP" || exit 1

# marks FILE TYPE: the marks of that type, one a line; they are whole in the file, as JSON without spaces
marks() { tr '\000' '\n' <"$1" | grep -a "^{.*\"type\":\"$2\"" ; }
# field JSON NAME: the number behind the first "NAME":
field() { echo "$1" | sed -n "s/.*\"$2\":\\([-0-9.]*\\).*/\\1/p" | head -n 1; }
instances() { for d in /sys/kernel/tracing/instances /sys/kernel/debug/tracing/instances; do
  ls "$d" 2>/dev/null; done | grep -c "^snapflame-$1\$"; }

vmm=$("$BUILD/branchsim" vmm --sock "$TMP/sock" --cause user-cpu --base 30 --grow 20 --daemon |
  sed 's/.*"pid": *\([0-9]*\).*/\1/')
[ -n "$vmm" ]
ok $? "the stand-in VMM runs" || { done_testing; exit 1; }
branch="$BUILD/branchsim branch --sock $TMP/sock"
