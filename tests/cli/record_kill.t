# A recorder that is killed loses nothing: at any instant, what was recorded up to then becomes a
# readable file. KILLS says how often (make check-long: 100).
. "$TOP/tests/lib.sh"
. "$TOP/tests/record.sh"
KILLS=${KILLS:-5}

# keeper PID: the process that outlives the recorder
keeper() {
  for k in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do
    [ "$(cat "/proc/$k/comm" 2>/dev/null)" = snapflame-keep ] && echo "$k"
  done
}
# gone PID...: until they have all ended
gone() {
  for p in "$@"; do
    i=0
    while [ $i -lt 600 ] && kill -0 "$p" 2>/dev/null; do sleep 0.05; i=$((i + 1)); done
    kill -0 "$p" 2>/dev/null && return 1
  done
  return 0
}
# whole FILE: everything that reads recordings reads it
whole() {
  if [ "$(marks "$1" window | wc -l)" -gt 0 ]; then "$SNAPFLAME" show "$1" branches >shown 2>why || return 1; fi
  "$SNAPFLAME" fold "$1" >folded 2>why || return 1
  ! command -v perf >/dev/null || perf script -f -i "$1" >script 2>why </dev/null
}
# random MAX: 0 … MAX-1
random() { echo $(($(od -An -N4 -tu4 /dev/urandom) % $1)); }

# At random instants from the start of recording on: while opening events, in a BRANCH, between two,
# while the file is written.
bad=0 killed=0 ended=0 windows=0 slow=0
while [ $killed -lt "$KILLS" ]; do
  rm -f k.data*
  "$SNAPFLAME" record -q -p "$vmm" --branches 3 --gap 0.02 -o k.data -- $branch >/dev/null 2>&1 &
  rec=$!
  k=
  i=0
  while [ -z "$k" ] && [ $i -lt 1000 ] && kill -0 $rec 2>/dev/null; do k=$(keeper $rec); i=$((i + 1)); done
  sleep "0.$(printf %03d "$(random 700)")"
  kill -KILL $rec 2>/dev/null
  wait $rec 2>/dev/null
  [ $? -eq 137 ] || { ended=$((ended + 1)); [ $ended -gt $((10 * KILLS)) ] && break; continue; }
  killed=$((killed + 1))
  # shellcheck disable=SC2086 # none or one
  gone $k || slow=$((slow + 1))
  if [ -f k.data ]; then
    whole k.data || { bad=$((bad + 1)); diag "killed $killed: $(cat why)"; cp k.data "bad.$bad"; }
    n=$(marks k.data window | wc -l)
    windows=$((windows + n))
    case $(marks k.data end) in
    *'"reason":"killed"'*) ;;
    *'"reason":"done"'*) ;; # killed when it was done
    *) bad=$((bad + 1)); diag "killed $killed: no reason in the end mark" ;;
    esac
  elif [ "$(ls | grep -c '^k\.data')" -ne 0 ]; then
    bad=$((bad + 1))
    diag "killed $killed: $(ls | grep '^k\.data')"
  fi
done
[ "$killed" -eq "$KILLS" ]
ok $? "killed $killed times ($ended recordings had ended before)"
is "$bad" 0 "each left a readable file, or none where recording had not begun"
is "$slow" 0 "and no process"
[ "$windows" -gt 0 ]
ok $? "BRANCHes in them: $windows"
alive=$(cat "/proc/$vmm/comm" 2>/dev/null)
[ -n "$alive" ] && $branch >/dev/null
ok $? "the VMM is alive and takes snapshots"

# In a BRANCH: it is there, with what was recorded in it, and says that it was not over.
rm -f made go k.data*
"$SNAPFLAME" record -p "$vmm" --branches 2 --gap 0.01 -o k.data -- \
  sh -c 'if [ -f second ]; then '"$branch"'; echo >made; while [ ! -f go ]; do sleep 0.02; done; echo late; echo >survived; else echo >second; '"$branch; fi" >/dev/null 2>&1 &
rec=$!
wait_for test -f made
k=$(keeper $rec)
sleep 0.1
kill -KILL $rec
wait $rec 2>/dev/null
echo >go
gone "$k"
ok $? "killed in a BRANCH: the keeper ends"
is "$(marks k.data window | wc -l)" 2 "killed in a BRANCH: both windows are there"
like "$(marks k.data window | tail -n 1)" '*"status":137*"error":"the recorder was killed*' \
  "killed in a BRANCH: its window says so"
is "$(marks k.data threads | grep -c '"branch":2,"edge":"begin"')$(marks k.data threads |
  grep -c '"branch":2,"edge":"end"')" 11 "killed in a BRANCH: with both snapshots of the threads"
"$SNAPFLAME" fold --window 2 k.data >two 2>/dev/null
[ "$(wc -l <two)" -gt 0 ]
ok $? "killed in a BRANCH: and with stacks"
wait_for test -f survived
ok $? "killed in a BRANCH: the command goes on, and may print"
"$SNAPFLAME" show k.data coverage >shown 2>&1
grep -q 'recorder was killed' shown
ok $? "show says that the recorder was killed" || sed 's/^/# /' shown

# Before the first BRANCH: there are samples, and they are what is folded.
"$SNAPFLAME" record -q -p "$vmm" --control "$TMP/ctl" -o n.data >/dev/null 2>&1 &
rec=$!
i=0
while [ $i -lt 400 ] && [ ! -e ctl ]; do sleep 0.05; i=$((i + 1)); done
i=0 k=
while [ $i -lt 400 ] && [ -z "$k" ]; do k=$(keeper $rec); sleep 0.05; i=$((i + 1)); done
sleep 0.5
kill -KILL $rec
wait $rec 2>/dev/null
gone "$k"
is "$(marks n.data window | wc -l)$(marks n.data end | grep -c '"reason":"killed"')" 01 \
  "killed before the first BRANCH: no window, and it says why"
run "$SNAPFLAME" fold -q n.data
is "$status" 0 "killed before the first BRANCH: fold" || diag "$(cat "$err")"
run "$SNAPFLAME" fold -q --window 1 n.data
is "$status" 1 "killed before the first BRANCH: a window that was asked for is not there"

# A crash is no different.
rm -f k.data*
"$SNAPFLAME" record -p "$vmm" -o k.data -- sh -c "$branch; echo >crashed; sleep 5" >/dev/null 2>&1 &
rec=$!
i=0
while [ $i -lt 400 ] && [ ! -f crashed ]; do sleep 0.05; i=$((i + 1)); done
k=$(keeper $rec)
kill -SEGV $rec
wait $rec 2>/dev/null
gone "$k"
like "$(marks k.data end)" '*"reason":"killed"*' "crashed: the file is whole"

# Nobody waits for the keeper through a pipe that it inherited.
{ "$SNAPFLAME" record -p "$vmm" -o p.data -- sleep 3 & echo $! >pid; wait; } 2>&1 | cat >/dev/null &
reader=$!
i=0
while [ $i -lt 200 ] && [ -z "$(keeper "$(cat pid 2>/dev/null)")" ]; do sleep 0.05; i=$((i + 1)); done
[ -n "$(keeper "$(cat pid)")" ]
ok $? "a keeper waits for the recorder"
kill -KILL "$(cat pid)"
gone $reader
ok $? "a pipe of the recorder ends with it"
done_testing
