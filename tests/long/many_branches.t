# A hundred BRANCHes in one recording: all are there, and what they cost grows with their number and no
# faster: the file, the recorder's memory, the memory and CPU time of show and diff.
. "$TOP/tests/lib.sh"
. "$TOP/tests/branchsim.sh"
. "$TOP/tests/drivers.sh"
peak=$BUILD/tests/tools/peak
[ -x "$peak" ] || skip_all "tests/tools/peak is not built"
vmm_start two-hop --base 10 --grow 0
ok $? "a VMM" || { done_testing; exit 1; }

# best NAME COMMAND…: its output in NAME, its peak of memory and CPU time in NAME.peak: of three runs the one
# that took the least of a CPU, as the cores are shared.
best() {
  name=$1
  shift
  : >"$name.peaks"
  for _ in 1 2 3; do
    "$peak" "$name.peak" "$@" >"$name" 2>"$err" || return
    cat "$name.peak" >>"$name.peaks"
  done
  sort -n -k2 "$name.peaks" | head -n 1 >"$name.peak"
}

# measure N: a recording of that many BRANCHes, and a line of figures: BRANCHes, thousands of events (of the
# whole machine: the more others do meanwhile, the more there are), file kB, record: kB, show: kB ms, diff: kB ms
measure() {
  "$peak" record.peak "$SNAPFLAME" record -q --firecracker "$sock" --branches "$1" --gap 0.02 -o "$1.data" 2>"$err"
  is "$?" 0 "$1 BRANCHes: recorded" || diag "$(cat "$err")"
  best show "$SNAPFLAME" show "$1.data" branches --csv
  is "$?" 0 "$1 BRANCHes: shown" || diag "$(cat "$err")"
  is "$(awk -F, 'NR > 1 && $3 > 9 && $5 > 0 {n++} END {print n + 0}' show)" "$1" \
    "$1 BRANCHes: all of them, with their pauses"
  best diff "$SNAPFLAME" diff --json --fast "1-$(($1 / 2))" --slow "$(($1 / 2 + 1))-$1" "$1.data"
  is "$?" 0 "$1 BRANCHes: compared" || diag "$(cat "$err")"
  is "$(perl -MJSON::PP -0777 -ne 'my $d = decode_json($_); print "$d->{fast}{n} $d->{slow}{n}"' diff)" \
    "$(($1 / 2)) $(($1 / 2))" "$1 BRANCHes: half of them on either side"
  "$SNAPFLAME" show "$1.data" events --json >events.json 2>"$err"
  events=$(perl -MJSON::PP -0777 -ne 'my $n = 0; $n += $_->{count} // 0 for @{decode_json($_)}; printf "%.3f", $n / 1e3' events.json)
  is "$(perl -MJSON::PP -0777 -ne '$_->{event} eq "kvm:kvm_userspace_exit" and print $_->{count} for @{decode_json($_)}' events.json)" \
    $(($1 * 2)) "$1 BRANCHes: each of the two vCPUs left the guest once in each"
  echo "$1 $events $(($(stat -c %s "$1.data") / 1024)) $(cut -d' ' -f1 record.peak) $(cat show.peak diff.peak | tr '\n' ' ')" >>figures
}
for n in 10 50 100; do measure $n; done
diag "BRANCHes, thousands of events, file kB, record kB, show kB ms, diff kB ms:"
diag "$(cat figures)"

# linear NAME COLUMN NOISE [FACTOR]: an event between 50 and 100 BRANCHes costs no more than 1.5 times what one
# between 10 and 50 does; NOISE is how much the figure of a run may be off, in its unit.
linear() {
  awk -v c="$2" -v noise="$3" -v factor="${4:-1.5}" '{ n[NR] = $2; v[NR] = $c }
    END {
      before = (v[2] - v[1]) / (n[2] - n[1]); after = (v[3] - v[2]) / (n[3] - n[2])
      printf "# a thousand events: %.1f, then %.1f\n", before, after
      exit !(NR == 3 && n[3] > n[2] && n[2] > n[1] && after <= factor * before + noise / (n[3] - n[2]))
    }' figures
  ok $? "$1 grows with what is recorded, no faster"
}
linear "the file" 3 100
linear "the recorder's memory" 4 8192
linear "show: memory" 5 4096
linear "show: CPU time" 6 50
linear "diff: memory" 7 4096
# Trends compare each BRANCH with each.
linear "diff: CPU time" 8 50 3
goes_on "after 160 BRANCHes"
vmm_stop
done_testing
