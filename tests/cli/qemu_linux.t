# record --qmp against the real QEMU with a real guest: Debian's cloud kernel and an initrd of busybox that
# makes pages dirty, without hardware virtualisation. The windows are those that another client of QEMU saw.
. "$TOP/tests/lib.sh"
command -v qemu-system-x86_64 >/dev/null || skip_all "qemu-system-x86_64 is not installed (Debian package: qemu-system-x86)"
kernel=$(ls /boot/vmlinuz-*-cloud-amd64 2>/dev/null | tail -n 1)
[ -r "$kernel" ] || skip_all "no kernel for the guest (Debian package: linux-image-cloud-amd64)"
busybox=$(command -v busybox) && ! ldd "$busybox" >/dev/null 2>&1 ||
  skip_all "no static busybox (Debian package: busybox-static)"
command -v cpio >/dev/null || skip_all "cpio is not installed"
run "$SNAPFLAME" record -q --duration 0.01 -p $$ -o "$TMP/probe"
[ "$status" -eq 0 ] || skip_all "recording does not work here: $(tail -n 1 "$err")"
cd "$TMP" || exit 1
qemu=
other=
files=$TMP/files
cleanup() {
  for p in $qemu $other; do kill "$p" 2>/dev/null; done
  rm -rf "$files"
}
trap 'tap_status=$?; cleanup; [ $tap_status -eq 0 ] && [ $tap_failed -ne 0 ] && exit 1; exit $tap_status' EXIT
# 110 MB each: memory is kinder to the disk that others use.
[ -w /dev/shm ] && files=$(mktemp -d /dev/shm/snapflame-test.XXXXXX)
mkdir -p "$files"

mkdir -p root/bin root/proc root/dev root/tmp
cp "$busybox" root/bin/busybox
cat >root/init <<'INIT'
#!/bin/busybox sh
/bin/busybox mount -t proc none /proc
/bin/busybox mount -t tmpfs none /tmp
/bin/busybox mknod /dev/urandom c 1 9
/bin/busybox dd if=/dev/urandom of=/tmp/noise bs=1M count=40 2>/dev/null
n=0
while :; do
  /bin/busybox dd if=/dev/urandom of=/tmp/noise bs=1M count=1 conv=notrunc 2>/dev/null
  n=$((n + 1))
  echo "pass $n"
  /bin/busybox usleep 200000
done
INIT
chmod +x root/init
(cd root && find . | cpio -o -H newc --quiet) | gzip -1 >initrd.gz

qemu-system-x86_64 -M q35 -accel tcg -cpu max -m 128 -name vm,debug-threads=on -display none -nodefaults \
  -kernel "$kernel" -initrd initrd.gz -append "console=ttyS0 quiet panic=-1" -no-reboot -serial "file:$TMP/console" \
  -qmp unix:qmp.sock,server=on,wait=off -qmp unix:events.sock,server=on,wait=off >qemu.log 2>&1 &
qemu=$!
passes() { sed -n 's/.*pass \([0-9]*\).*/\1/p' console 2>/dev/null | tail -n 1; }
i=0
while [ $i -lt 1200 ] && [ "$(passes)" = "" ] && kill -0 $qemu 2>/dev/null; do i=$((i + 1)); sleep 0.1; done
[ "$(passes)" != "" ] || skip_all "the guest did not boot: $(tail -n 1 qemu.log console 2>/dev/null)"

# Somebody else, who is told the same events.
perl -MIO::Socket::UNIX -e '$| = 1; my $s = IO::Socket::UNIX->new(Peer => "events.sock") or die; <$s>;
  syswrite $s, "{\"execute\": \"qmp_capabilities\"}\n";
  while (<$s>) {
    printf "%s %d.%06d\n", $3, $1, $2 if /"seconds": (\d+), "microseconds": (\d+).*"event": "(STOP|RESUME)"/;
  }' >events &
other=$!
sleep 0.5
run "$SNAPFLAME" record --qmp qmp.sock --snapshot-dir "$files" --branches 5 --gap 0.3 -o run.data
is "$status" 0 "five BRANCHes: status" || diag "$(cat "$err" qemu.log)"
"$SNAPFLAME" show run.data branches --json >branches.json 2>"$err"
perl -MJSON::PP -e 'local $/; open my $f, "<", "branches.json"; my @seen = @{decode_json(<$f>)};
  open my $g, "<", "events"; my @e = map { [split] } split /\n/, <$g>; my $good = 0;
  for my $s (@seen) {
    my ($stop, $resume) = splice @e, 0, 2;
    die "events\n" if $stop->[0] ne "STOP" || $resume->[0] ne "RESUME";
    my $ms = ($resume->[1] - $stop->[1]) * 1e3; my $allowed = $ms > 100 ? $ms / 100 : 1;
    if (abs($ms - $s->{dark_ms}) <= $allowed) { $good++ } else { print "# $s->{branch}: $s->{dark_ms}, not $ms\n" }
    die "API\n" if $s->{api_ms} < $s->{dark_ms} || $s->{diff_physical_bytes} < 40e6;
  }
  print "$good of ", scalar @seen, "\n"' >good 2>&1
is "$(tail -n 1 good)" "5 of 5" "dark windows within 1 ms or 1 % of STOP and RESUME" || diag "$(cat good events)"
"$SNAPFLAME" show run.data phases --json >phases.json 2>"$err"
perl -MJSON::PP -e 'local $/; my ($p, $b) = map { open my $f, "<", $_ or die; decode_json(<$f>) } @ARGV; my (%sum, %ms);
  for (@$p) { $sum{$_->{branch}} += $_->{ms}; $ms{$_->{phase}} += $_->{ms} }
  for (@$b) { die "BRANCH $_->{branch}\n" if abs($sum{$_->{branch}} - $_->{dark_ms}) > 0.001 }
  die "no memory file\n" if !$ms{"memory file"}' phases.json branches.json 2>"$err"
ok $? "the phases sum to them" || diag "$(cat "$err" phases.json)"
"$SNAPFLAME" show run.data threads >threads 2>&1
grep -q "CPU 0/TCG *vCPU" threads
ok $? "the vCPU" || diag "$(cat threads)"
before=$(passes)
i=0
while [ $i -lt 300 ] && [ "$(passes)" = "$before" ]; do i=$((i + 1)); sleep 0.1; done
[ "$(passes)" -gt "$before" ]
ok $? "the guest goes on"
done_testing
