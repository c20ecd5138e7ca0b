/* SPDX-License-Identifier: GPL-2.0-only */
/* The drives are flushed block by block: more small writes, each with its fsync. */
#include "cause.h"
#include "disk_work.h"
#include "vmm.h"

static struct disk_file drive;

static FRAME void flush_drive(double ms)
{
	disk_fsync_for(&drive, ms);
}

static void setup(struct vmm *vmm)
{
	disk_open(&drive, vmm->opts.dir, "drive.img", O_RDWR);
}

static void run(struct vmm *vmm, unsigned k)
{
	flush_drive(vmm_work(vmm, k));
}

static struct cause cause = {
	.name = "fsync-many",
	.summary = "main calls fsync more often on an ext4 with a journal",
	.unit = "ms",
	.base = 30,
	.grow = 50,
	.storage = "ext4",
	.needs = "root loop",
	.answers = { { "io-journal", ROLE_MAIN, NULL, "jbd2_log_wait_commit flush_drive" } },
	.setup = setup,
	.run = run,
};
CAUSE(cause)
