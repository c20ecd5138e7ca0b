/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Another process keeps a slow disk's queue full (direct I/O: no dirty pages), with more requests
 * each time. Main writes as much as ever; its fsync waits behind them.
 */
#include "cause.h"
#include "disk_work.h"
#include "peer.h"
#include "util.h"
#include "vmm.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define MAX_WRITERS   16
#define REQUEST_SIZE  (1u << 20)
#define COPY_REQUESTS 64u /* the copy's size in requests; it is written over and over */

static struct helper copier;
static struct disk_file copy;
static int *wanted; /* shared with the copier: how many of its threads write */

static FRAME void copy_disk_image(char *buf, unsigned first)
{
	for (unsigned i = first; __atomic_load_n(wanted, __ATOMIC_RELAXED) > (int)first; i++) {
		off_t at = (off_t)(i * 7u % COPY_REQUESTS) * REQUEST_SIZE;

		if (pwrite(copy.fd, buf, REQUEST_SIZE, at) != REQUEST_SIZE)
			die("copy.img: %s", strerror(errno));
	}
}

static void *writer_main(void *arg)
{
	void *buf;

	if (posix_memalign(&buf, 4096, REQUEST_SIZE))
		die("out of memory");
	memset(buf, 0x33, REQUEST_SIZE);
	for (;;) {
		copy_disk_image(buf, (unsigned)(uintptr_t)arg);
		sleep_ns(MS_TO_NS(2));
	}
	return NULL;
}

static int64_t start_writers(void *arg, int64_t n)
{
	pthread_t thread;

	for (int64_t i = 0; i < n; i++)
		if (pthread_create(&thread, NULL, writer_main, (void *)(uintptr_t)i))
			die("cannot start a thread");
	return 0;
}

static void setup(struct vmm *vmm)
{
	wanted = shared_alloc(sizeof(*wanted));
	disk_fill(&copy, vmm->opts.dir, "copy.img", COPY_REQUESTS * (REQUEST_SIZE >> 20));
	helper_start(&copier, "snap-copier", start_writers, NULL);
	helper_post(&copier, MAX_WRITERS);
	helper_wait(&copier);
}

static void between(struct vmm *vmm, unsigned k)
{
	__atomic_store_n(wanted, (int)vmm_work(vmm, k + 1), __ATOMIC_RELAXED);
}

static void teardown(struct vmm *vmm)
{
	helper_stop(&copier);
}

static struct cause cause = {
	.name = "other-writer",
	.summary = "another process keeps the disk's queue full, which main's fsync waits behind",
	.unit = "requests of 1 MB",
	.base = 0,
	.grow = 1,
	.storage = "ext4-slow",
	.needs = "root loop throttle",
	.answers = { { "io-writeback", ROLE_MAIN, NULL, NULL },
		     { "io-throttle", ROLE_MAIN, NULL, NULL },
		     { "io-journal", ROLE_MAIN, NULL, NULL } },
	.setup = setup,
	.between = between,
	.teardown = teardown,
};
CAUSE(cause)
