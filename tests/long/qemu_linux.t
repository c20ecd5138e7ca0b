# Twenty BRANCHes of QEMU with a real guest: see there.
BRANCHES=20
. "$TOP/tests/cli/qemu_linux.t"
