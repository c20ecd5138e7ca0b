# qemu.sh: QEMU without hardware virtualisation (TCG) and a real guest: Debian's cloud kernel with an initrd
# of busybox that makes pages dirty. The scratch directory is the current one. Sourced after lib.sh; skips
# the whole test where something of that is not installed.
#
#   guest_start [COMMAND…]   boots it, QEMU run by COMMAND; $qemu is its pid, qmp.sock and events.sock are
#                            its sockets. Skips the test where it does not boot
#   passes                   how often the guest went through its loop
#   goes_on WHAT             a test: the guest's loop goes on
#   guest_stop               ends it and waits for that
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

make_initrd() {
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
}

passes() { sed -n 's/.*pass \([0-9]*\).*/\1/p' console 2>/dev/null | tail -n 1; }

guest_start() {
  [ -s initrd.gz ] || make_initrd
  rm -f console
  "$@" qemu-system-x86_64 -M q35 -accel tcg -cpu max -m 128 -name vm,debug-threads=on -display none -nodefaults \
    -kernel "$kernel" -initrd initrd.gz -append "console=ttyS0 quiet panic=-1" -no-reboot \
    -serial "file:$TMP/console" -qmp unix:qmp.sock,server=on,wait=off \
    -qmp unix:events.sock,server=on,wait=off >qemu.log 2>&1 &
  qemu=$!
  i=0
  while [ $i -lt 1200 ] && [ "$(passes)" = "" ] && kill -0 $qemu 2>/dev/null; do i=$((i + 1)); sleep 0.1; done
  [ "$(passes)" != "" ] || skip_all "the guest did not boot: $(tail -n 1 qemu.log console 2>/dev/null)"
}

goes_on() {
  before=$(passes)
  i=0
  while [ $i -lt 300 ] && [ "$(passes)" = "$before" ]; do i=$((i + 1)); sleep 0.1; done
  [ "$(passes)" -gt "$before" ]
  ok $? "$1"
}

guest_stop() {
  [ -n "$qemu" ] || return 0
  kill "$qemu" 2>/dev/null
  wait "$qemu" 2>/dev/null
  qemu=
}
