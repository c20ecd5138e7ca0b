# A CPU quota is seen wherever above the VMM it stands, and named.
. "$TOP/tests/lib.sh"
. "$TOP/tests/branchsim.sh"
[ "$(id -u)" -eq 0 ] || skip_all "needs root: makes cgroups"
trap 'tap_status=$?; vmm_stop; [ $tap_status -eq 0 ] && [ $tap_failed -ne 0 ] && exit 1; exit $tap_status' EXIT
cd "$TMP" || exit 1

# quota CAUSE: five BRANCHes; the verdict's sentence in $sentence
quota() {
  vmm_start "$1" || return 1
  in_group=$(awk -F: '$2 ~ /(^|,)cpu(,|$)/ || $2 == "" { print $3; exit }' "/proc/$vmm/cgroup")
  run "$SNAPFLAME" record -q -p "$vmm" --branches 5 --gap 0.1 -o run.data -- \
    "$sim" branch --sock "$sock"
  run "$SNAPFLAME" doctor -p "$vmm"
  doctor=$(tr '\n' ' ' <"$out" | tr -s ' ')
  vmm_stop
  "$SNAPFLAME" diff --json run.data >run.json
  sentence=$(sed -n 's/^ *"sentence": "\(.*\)",*$/\1/p' run.json)
}

for cause in cpu-quota parent-quota; do
  in_group=
  for try in 1 2 3; do
    quota $cause || break
    case $sentence in *"CPU quota"*) break ;; esac
  done
  if [ -z "$in_group" ]; then
    skip "$cause" "$(cat "$err")"
    continue
  fi
  want=$in_group
  [ $cause = cpu-quota ] || want=${in_group%/*}
  like "$sentence" "*is held back * ms longer by the CPU quota of cgroup $want:*" "$cause: $want"
  like "$doctor" "*CPU quota*(cgroup $want)*" "$cause: doctor names it"
  grep -q "cgroup_${want}_throttled_us" run.json
  ok $? "$cause: its counter goes with the pauses"
done
done_testing
