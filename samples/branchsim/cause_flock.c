/* SPDX-License-Identifier: GPL-2.0-only */
/* Another process holds a lock on a file that main wants, and sleeps meanwhile. */
#include "cause.h"
#include "peer.h"
#include "util.h"
#include "vmm.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static struct helper locker;
static struct chan *locked; /* in memory shared with the locker */
static char *path;

static int open_lock(void)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

static int64_t hold_lock(void *arg, int64_t ns)
{
	int fd = open_lock();

	flock(fd, LOCK_EX);
	chan_send(locked, 0);
	sleep_ns(ns);
	close(fd);
	return 0;
}

static FRAME void lock_snapshot_dir(void)
{
	int fd = open_lock();

	flock(fd, LOCK_EX);
	close(fd);
}

static void setup(struct vmm *vmm)
{
	path = xasprintf("%s/lock", vmm->opts.dir);
	locked = shared_alloc(sizeof(*locked));
	chan_init(locked, 1);
	helper_start(&locker, "snap-locker", hold_lock, NULL);
}

static void run(struct vmm *vmm, unsigned k)
{
	helper_post(&locker, MS_TO_NS(vmm_work(vmm, k)));
	chan_recv(locked);
	lock_snapshot_dir();
	helper_wait(&locker);
}

static void teardown(struct vmm *vmm)
{
	helper_stop(&locker);
}

static struct cause cause = {
	.name = "flock",
	.summary = "main waits for a file lock whose holder, another process, sleeps",
	.unit = "ms",
	.base = 10,
	.grow = 40,
	.answers = { { "lock", ROLE_PROCESS, "snap-locker", NULL } },
	.setup = setup,
	.run = run,
	.teardown = teardown,
};
CAUSE(cause)
