/* SPDX-License-Identifier: GPL-2.0-only */
/* Main reads the same cold blocks each time, but a cgroup lets it read ever fewer per second. */
#include "cause.h"
#include "disk_work.h"
#include "vmm.h"

#define DRIVE_MB 32

static struct disk_file drive;

static FRAME void read_backing_blocks(double mb)
{
	disk_read_mb(&drive, mb);
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
	.name = "read-limit",
	.summary = "main reads more blocks from a disk whose reads a cgroup limits",
	.unit = "MB",
	.base = 2,
	.grow = 2,
	.storage = "disk-read",
	.needs = "root throttle",
	.answers = { { "io-throttle", ROLE_MAIN, NULL, "read_backing_blocks" } },
	.in_memory = ALL_FILES,
	.probe = probe,
	.setup = setup,
	.run = run,
};
CAUSE(cause)
