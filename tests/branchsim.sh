# branchsim.sh: what the tests with branchsim share. Sourced after lib.sh.
#
#   vmm_start CAUSE [options]   runs it; $vmm is its pid, $sock its socket, $dir its files
#   vmm_stop                    ends it and waits for that
#   vmm_kill                    kills it, and removes what it would have removed itself
#   branches N                  so many BRANCHes; one line of JSON each in $TMP/branches
#   field NAME FILE             the numbers of that field, one a line
#   storage_up KIND             slow storage in $TMP/storage; 1 and $why where there is none

sim=$BUILD/branchsim
sock=$TMP/api.sock
vmm=
storage=
exec_in=

vmm_start() {
  vmm_cause=$1
  shift
  # shellcheck disable=SC2086 # words
  if [ -n "$storage" ]; then set -- --dir "$(sh "$TOP/samples/storage.sh" dir "$storage")" "$@"; fi
  run $exec_in "${vmm_bin:-$sim}" vmm --sock "$sock" --cause "$vmm_cause" --daemon "$@"
  [ "$status" -eq 0 ] || { vmm=; diag "$vmm_cause: $(cat "$err")"; return 1; }
  vmm=$(field pid "$out")
  dir=$(sed -n 's/.*"dir": *"\([^"]*\)".*/\1/p' "$out")
}

vmm_stop() {
  [ -n "$vmm" ] || return 0
  kill "$vmm" 2>/dev/null
  tries=0
  while [ -e "/proc/$vmm/exe" ] && [ $tries -lt 100 ]; do
    tries=$((tries + 1))
    sleep 0.05
  done
  vmm=
}

vmm_kill() {
  kill -KILL "$vmm"
  while [ -e "/proc/$vmm/exe" ]; do sleep 0.01; done
  rm -rf "$dir"
  vmm=
}

branches() {
  "$sim" branch --sock "$sock" --count "$1" --gap "${gap:-0.05}" >"$TMP/branches" 2>"$err"
}

field() {
  sed -n 's/.*"'"$1"'": *\(-\{0,1\}[0-9.]*\).*/\1/p' "$2"
}

storage_up() {
  if ! why=$(sh "$TOP/samples/storage.sh" check "$1" "$TMP" 2>&1) ||
    ! why=$(sh "$TOP/samples/storage.sh" up "$1" "$TMP/storage" 2>&1); then
    why=${why#storage: }
    return 1
  fi
  storage=$TMP/storage
  exec_in="sh $TOP/samples/storage.sh exec $storage"
}

storage_down() {
  [ -z "$storage" ] || sh "$TOP/samples/storage.sh" down "$storage"
  storage=
  exec_in=
}

# The kernel stacks of main, while BRANCHes are under way, are those of PATTERN at least once.
# watch PATTERN N: N BRANCHes; 0 when seen, 2 when the stacks may not be read.
watch() {
  branches "$2" &
  watch_pid=$!
  watch_status=1
  cat "/proc/$vmm/stack" >/dev/null 2>&1 || watch_status=2
  while [ -e "/proc/$watch_pid/exe" ]; do
    if [ $watch_status -eq 1 ] && grep -Eq "$1" "/proc/$vmm/stack" 2>/dev/null; then
      watch_status=0
    fi
    sleep 0.01
  done
  wait $watch_pid || diag "$(cat "$err")"
  return $watch_status
}

# grew: the second half of the pauses is half as long again as the first, and 30 ms longer. By
# design it is three times as long; a busy machine adds to each pause, and most to some.
grew() {
  field dark_ms "$TMP/branches" | awk '
    { p[NR] = $1 }
    END {
      n = int(NR / 2)
      for (i = 1; i <= NR; i++) if (i <= n) a += p[i] / n; else b += p[i] / (NR - n)
      exit !(n && b >= 1.5 * a && b >= a + 30)
    }'
}

pauses() { field dark_ms "$TMP/branches" | awk '{ printf "%s%.0f", (NR > 1 ? " " : ""), $1 }'; }

trap 'vmm_stop; storage_down; exit 1' INT TERM HUP
