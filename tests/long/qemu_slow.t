# QEMU writes its snapshots to one and the same file on a slow ext4: each BRANCH after the first waits for
# what the one before left behind. Its own migration thread writes, and QEMU's statistics say that all is
# well; the verdict names the main thread, that waits for the file.
. "$TOP/tests/lib.sh"
. "$TOP/tests/branchsim.sh"
. "$TOP/tests/qemu.sh"
finish() { guest_stop; storage_down; }
trap 'tap_status=$?; finish; [ $tap_status -eq 0 ] && [ $tap_failed -ne 0 ] && exit 1; exit $tap_status' EXIT
trap 'exit 1' INT TERM HUP
storage_up ext4-slow || skip_all "$why"
files=$(sh "$TOP/samples/storage.sh" dir "$storage")

# shellcheck disable=SC2086 # words
guest_start $exec_in
run "$SNAPFLAME" record --qmp qmp.sock --snapshot-dir "$files" --branches 5 --gap 0.3 -o run.data
is "$status" 0 "five BRANCHes: status" || diag "$(cat "$err" qemu.log)"
goes_on "the guest goes on"
is "$(find "$files" -type f | wc -l)" 1 "they all went to one file"
"$SNAPFLAME" show run.data branches --csv >branches.csv 2>"$err"
diag "pauses: $(awk -F, 'NR > 1 {printf "%.0f ", $3}' branches.csv)"
awk -F, 'NR == 2 {first = $3} NR > 2 {rest += $3 / 4} END {exit !(NR == 6 && rest > 1.5 * first)}' branches.csv
ok $? "the first is the shortest: later ones wait for the disk" || diag "$(cat branches.csv)"

# The first one writes a new file, the others rewrite it: how sharp the step is does not matter here.
run "$SNAPFLAME" diff --json --fast 1 --slow 2-5 run.data
is "$status" 0 "diff: status" || diag "$(cat "$err")"
cp "$out" diff.json
perl -MJSON::PP -e 'local $/; my ($qemu, $file) = @ARGV; open my $f, "<", $file or die; my $v = decode_json(<$f>)->{verdict};
  die "no verdict\n" if !$v; my $o = $v->{owner}; print "# $v->{sentence}\n";
  die "owner: not main\n" if !$o || $o->{pid} != $qemu || $o->{tid} != $qemu;
  die "kind $v->{kind}\n" if $v->{kind} !~ /^io-/;
  die "share $v->{share_pct}\n" if $v->{share_pct} < 80;
  die "frames\n" if !grep { /qemu_fclose|__close|release_file/ } @{$v->{frames}};
  die "the migration thread is named\n" if $v->{sentence} =~ /live_migration/' "$qemu" diff.json >said 2>&1
ok $? "the verdict: main waits for I/O as it closes the file" || diag "$("$SNAPFLAME" diff --fast 1 --slow 2-5 run.data)"
cat said
guest_stop
at=$storage
storage_down
[ ! -e "$at" ]
ok $? "nothing is left behind"
done_testing
