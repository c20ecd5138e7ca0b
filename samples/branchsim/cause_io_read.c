/* SPDX-License-Identifier: GPL-2.0-only */
/* Main reads cold blocks of a drive past the page cache: the time is the device's. */
#include "cause.h"
#include "disk_work.h"
#include "vmm.h"

#define DRIVE_MB 32

static struct disk_file drive;

static FRAME void read_backing_blocks(double ms)
{
	disk_read_for(&drive, ms);
}

static const char *probe(struct vmm *vmm)
{
	return disk_probe_direct(vmm->opts.dir);
}

static void setup(struct vmm *vmm)
{
	disk_fill(&drive, vmm->opts.dir, "drive.img", DRIVE_MB);
}

static void run(struct vmm *vmm, unsigned k)
{
	read_backing_blocks(vmm_work(vmm, k));
}

static struct cause cause = {
	.name = "io-read",
	.summary = "main reads cold blocks from the disk, more of them each time",
	.unit = "ms",
	.base = 20,
	.grow = 40,
	.storage = "plain",
	.needs = "disk",
	.answers = { { "io-device", ROLE_KERNEL, NULL, NULL },
		     { "io-device", ROLE_MAIN, NULL, "read_backing_blocks" } },
	.in_memory = ALL_FILES,
	.probe = probe,
	.setup = setup,
	.run = run,
};
CAUSE(cause)
