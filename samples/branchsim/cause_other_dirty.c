/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Another process dirties pages and starts to write them out, more of them each time. Main writes
 * as much as ever, but its fsync waits behind them: in the disk's queue, and in the journal, whose
 * transaction they belong to.
 */
#include "cause.h"
#include "disk_work.h"
#include "peer.h"
#include "util.h"
#include "vmm.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static struct helper copier;
static struct chan *started; /* shared with the copier */
static struct disk_file copy;

static FRAME void copy_disk_image(unsigned mb)
{
	size_t size = (size_t)mb << 20;

	if (ftruncate(copy.fd, 0))
		die("copy.img: %s", strerror(errno));
	for (size_t at = 0; at < size; at += DISK_BLOCK)
		if (pwrite(copy.fd, copy.buf, DISK_BLOCK, (off_t)at) != DISK_BLOCK)
			die("copy.img: %s", strerror(errno));
}

static int64_t copy_and_flush(void *arg, int64_t mb)
{
	copy_disk_image((unsigned)mb);
	chan_send(started, 0);
	/* Allocates the blocks and submits the pages; does not wait for the disk. */
	sync_file_range(copy.fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	return 0;
}

static FRAME void save_other_devices(void)
{
	sleep_ns(MS_TO_NS(8));
}

static void setup(struct vmm *vmm)
{
	disk_open(&copy, vmm->opts.dir, "copy.img", O_RDWR);
	started = shared_alloc(sizeof(*started));
	chan_init(started, 1);
	helper_start(&copier, "snap-copier", copy_and_flush, NULL);
}

static void run(struct vmm *vmm, unsigned k)
{
	helper_post(&copier, (int64_t)vmm_work(vmm, k));
	chan_recv(started);
	save_other_devices();
}

static void between(struct vmm *vmm, unsigned k)
{
	if (k)
		helper_wait(&copier);
}

static void teardown(struct vmm *vmm)
{
	helper_stop(&copier);
}

static struct cause cause = {
	.name = "other-dirty",
	.summary = "main's fsync waits behind the dirty pages of another process",
	.unit = "MB",
	.base = 1,
	.grow = 3,
	.storage = "ext4-slow",
	.needs = "root loop throttle",
	.answers = { { "io-writeback", ROLE_MAIN, NULL, "ext4_sync_file" },
		     { "io-throttle", ROLE_MAIN, NULL, "ext4_sync_file" } },
	.setup = setup,
	.between = between,
	.run = run,
	.teardown = teardown,
};
CAUSE(cause)
