/* SPDX-License-Identifier: GPL-2.0-only */
/* Main waits for a mutex whose holder waits for the journal. */
#include "cause.h"
#include "disk_work.h"
#include "peer.h"
#include "vmm.h"

static pthread_mutex_t drive_lock = PTHREAD_MUTEX_INITIALIZER;
static struct chan locked;
static struct worker writer;
static struct disk_file drive;

static FRAME void commit_drive(double ms)
{
	disk_fsync_for(&drive, ms);
}

static int64_t commit(void *arg, int64_t us)
{
	pthread_mutex_lock(&drive_lock);
	chan_send(&locked, 0);
	commit_drive((double)us / 1e3);
	pthread_mutex_unlock(&drive_lock);
	return 0;
}

static FRAME void lock_drive(void)
{
	pthread_mutex_lock(&drive_lock);
	pthread_mutex_unlock(&drive_lock);
}

static void setup(struct vmm *vmm)
{
	disk_open(&drive, vmm->opts.dir, "drive.img", O_RDWR);
	chan_init(&locked, 0);
	worker_start(&writer, "fc_blk_io", commit, NULL);
}

static void run(struct vmm *vmm, unsigned k)
{
	worker_post(&writer, (int64_t)(vmm_work(vmm, k) * 1e3));
	chan_recv(&locked);
	lock_drive();
	worker_wait(&writer);
}

static struct cause cause = {
	.name = "lock-io",
	.summary = "main waits for a mutex whose holder calls fsync, more often each time",
	.unit = "ms",
	.base = 20,
	.grow = 50,
	.storage = "ext4",
	.needs = "root loop",
	.answers = { { "io-journal", ROLE_THREAD, "fc_blk_io", "jbd2_log_wait_commit commit_drive" } },
	.setup = setup,
	.run = run,
};
CAUSE(cause)
