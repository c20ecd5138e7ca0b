# record --qmp against the real QEMU, without hardware virtualisation: its windows are QEMU's own STOP and
# RESUME, and whatever happens the VM runs afterwards.
. "$TOP/tests/lib.sh"
. "$TOP/tests/branchsim.sh"
command -v qemu-system-x86_64 >/dev/null || skip_all "qemu-system-x86_64 is not installed (Debian package: qemu-system-x86)"
run "$SNAPFLAME" record -q --duration 0.01 -p $$ -o "$TMP/probe"
[ "$status" -eq 0 ] || skip_all "recording does not work here: $(tail -n 1 "$err")"
cd "$TMP" || exit 1
qemu=
cleanup() { [ -z "$qemu" ] || kill "$qemu" 2>/dev/null; }
trap 'tap_status=$?; cleanup; [ $tap_status -eq 0 ] && [ $tap_failed -ne 0 ] && exit 1; exit $tap_status' EXIT
marks() { tr '\000' '\n' <"$1" | grep -a "^{.*\"type\":\"$2\""; }

# A guest of one boot sector: it touches 112 pages, halts until the timer's interrupt, and again.
#   cli; xor ax,ax; mov ds,ax; sti; pass: mov ax,0x1000; page: mov es,ax; inc byte es:[0];
#   add ax,0x100; cmp ax,0x8000; jb page; hlt; jmp pass
perl -e 'print pack "a510 S<",
  pack("H*", "fa31c08ed8fbb800108ec026fe060000050001" . "3d008072f1f4ebeb"), 0xaa55' >guest.img

# qmp COMMAND…: the replies' lines; a command is a name, or as it is sent. QEMU serves one client at a time, so only while no recorder runs.
qmp() {
  perl -MIO::Socket::UNIX -e '
    my $s = IO::Socket::UNIX->new(Peer => shift) or exit 1; $SIG{ALRM} = sub { exit 1 }; alarm 10;
    my $greeting = <$s>;
    for my $c ("qmp_capabilities", @ARGV) {
      syswrite $s, $c =~ /^\{/ ? "$c\n" : "{\"execute\": \"$c\"}\n";
      while (my $line = <$s>) { print $line; last if $line =~ /"(return|error)"/ }
    }' qmp.sock "$@"
}
qemu_status() { qmp query-status | sed -n 's/.*"status": "\([^"]*\)".*/\1/p'; }
# The guest's timer interrupts go on: the instruction after hlt is reached again and again.
runs() {
  i=0
  while [ $i -lt 100 ] && [ "$(qemu_status)" != running ]; do i=$((i + 1)); sleep 0.1; done
  is "$(qemu_status)" running "$1: the VM runs"
}

qemu-system-x86_64 -M pc -accel tcg -m 64 -smp 2 -name vm,debug-threads=on -display none -nodefaults \
  -drive "file=$TMP/guest.img,format=raw,if=none,id=disk" -device ide-hd,drive=disk \
  -qmp unix:qmp.sock,server=on,wait=off -pidfile "$TMP/pid" >qemu.log 2>&1 &
qemu=$!
i=0
while [ $i -lt 100 ] && [ ! -S qmp.sock ]; do i=$((i + 1)); sleep 0.1; done
[ "$(qemu_status)" = running ] || skip_all "QEMU does not start: $(tail -n 1 qemu.log)"
sleep 1

run "$SNAPFLAME" record --qmp qmp.sock --branches 5 --gap 0.1 -o run.data
is "$status" 0 "five BRANCHes: status" || diag "$(cat "$err" qemu.log)"
like "$(marks run.data meta)" "*\"pid\":$qemu,*" "the target is who listens"
is "$(marks run.data window | grep -c '"source":"qmp"')" 5 "five windows, and who made them"
"$SNAPFLAME" show run.data branches --json >show.json
perl -MJSON::PP -e 'local $/; open my $f, "<", "show.json"; my @seen = @{decode_json(<$f>)}; my $n = 0;
  for (split /\n/, <STDIN>) {
    my $w = decode_json($_); my $s = $seen[$n++]; my @p = @{$w->{phases}};
    die "phases\n" if "@{[map { $_->{name} } @p]}" ne "stop migrate cont";
    die "order\n" if $w->{dark_begin} < $p[0]{begin} || $w->{dark_begin} > $p[0]{end} + 1e6 ||
      $w->{dark_end} < $p[1]{end} || $w->{dark_end} > $p[2]{end} + 1e6;
    die "begin\n" if abs($s->{start_ns} - $w->{dark_begin}) > 1e6;
    die "dark\n" if abs($s->{dark_ms} - ($w->{dark_end} - $w->{dark_begin}) / 1e6) > 1;
    die "file\n" if $w->{json}{diff_physical_bytes} < 100000 || !$w->{json}{qemu_transferred_bytes};
  }
  die "$n windows\n" if $n != 5;' 2>"$err" <<MARKS
$(marks run.data window)
MARKS
ok $? "the windows are from STOP to RESUME" || diag "$(cat "$err")" "$(marks run.data window)"
"$SNAPFLAME" show run.data threads >threads.txt 2>&1
for t in "CPU 0/TCG" "CPU 1/TCG"; do
  grep -q "$t" threads.txt
  ok $? "thread $t"
done
runs "five BRANCHes"

wrong() {
  what=$1 want=$2
  shift 2
  run "$SNAPFLAME" record -q -o bad.data "$@"
  is "$status" 1 "$what: status"
  like "$(cat "$err")" "$want" "$what: said"
}
wrong "no such directory" "*/none: No such file*" --qmp qmp.sock --snapshot-dir "$TMP/none"
if [ "$(id -u)" -eq 0 ] && mkdir full && mount -t tmpfs -o size=64k none full 2>/dev/null; then
  wrong "full disk" "*BRANCH 1: migrate: *" --qmp qmp.sock --snapshot-dir "$TMP/full"
  umount full
  runs "full disk"
else
  skip "full disk" "needs root and mount"
fi

# Slow down the writing, to be in the middle of it: QEMU takes more than five seconds.
qmp '{"execute": "migrate-set-parameters", "arguments": {"max-bandwidth": 100000}}' >/dev/null
mkdir slow
in_snapshot() {
  rm -f slow/snapflame.mem
  "$SNAPFLAME" record -q --qmp qmp.sock --snapshot-dir slow -o "$1.data" >/dev/null 2>"$1.err" &
  recorder=$!
  wait_for test -s slow/snapflame.mem
  kill "-$1" $recorder
  wait $recorder 2>/dev/null
  in_status=$?
}
in_snapshot KILL
runs "SIGKILL in a snapshot"
in_snapshot INT
is $in_status 0 "SIGINT in a snapshot: status"
runs "SIGINT in a snapshot"
in_snapshot TERM
is $in_status 0 "SIGTERM in a snapshot: status"
like "$(marks TERM.data window)" '*"error":"migrate: interrupted*' "SIGTERM in a snapshot: it was under way"
runs "SIGTERM in a snapshot"
wrong "time-out" "*migrate: no reply within 2 s*" --qmp qmp.sock --snapshot-dir slow --timeout 2
runs "time-out"

qmp stop >/dev/null
wrong "already stopped" "*the VM is not running: it is paused" --qmp qmp.sock
is "$(qemu_status)" paused "already stopped: left alone"
qmp cont >/dev/null

# Somebody else is connected.
perl -MIO::Socket::UNIX -e 'my $s = IO::Socket::UNIX->new(Peer => "qmp.sock"); print while <$s>' >/dev/null &
other=$!
sleep 0.3
wrong "another client" "*no greeting within 0.5 s*second -qmp*" --qmp qmp.sock --timeout 0.5
kill $other
done_testing
