# Who sleeps when a BRANCH begins has no switch in the recording that tells where: it is looked up, and
# kept for those that ran in it, or slept for I/O.
. "$TOP/tests/lib.sh"
. "$TOP/tests/record.sh"
[ $root -eq 1 ] || skip_all "needs root: stacks of other processes"
sleeper=$BUILD/tests/tools/vforker
[ -x "$sleeper" ] || skip_all "tests/tools/vforker is not built"

"$sleeper" 60000 &
others=$!
child=
wait_for grep -q '^State:.D' "/proc/$others/status"
child=$(cat "/proc/$others/task/$others/children" 2>/dev/null)
"$BUILD/tests/tools/heart" >heart &
heart=$!
cp "$(command -v sleep)" dreamer # others on the machine are called sleep
./dreamer 60 &
others="$others $child $heart $!"
run "$SNAPFLAME" record -q -p "$vmm" --branches 2 --gap 0.1 -o run.data -- $branch
"$SNAPFLAME" fold -q --event snapflame:task-stack --weight count run.data >folded
like "$(grep '^vforker;' folded)" "vforker;*vfork*;kernel_clone* 2" "once in each BRANCH, where it sleeps"
like "$(grep '^heart;' folded)" "heart;*nanosleep*" "who sleeps, and is woken in the BRANCH"
grep -q '^dreamer;' folded
is $? 1 "who is not woken is nobody's cause"
"$SNAPFLAME" show run.data threads >threads 2>"$err"
grep -q vforker threads
is $? 1 "it is no thread of the target"
run "$SNAPFLAME" record -q --scope vmm -p "$vmm" --branches 1 -o vmm.data -- $branch
"$SNAPFLAME" fold -q --event snapflame:task-stack --weight count vmm.data >folded
grep -q '^vforker' folded
is $? 1 "--scope vmm looks at nobody else"
done_testing
