/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Main asks about its memory, which takes the lock of the address space for reading. A thread
 * changes the protection of a large area again and again, under the same lock for writing.
 */
#include "cause.h"
#include "peer.h"
#include "util.h"
#include "vmm.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define AREA (64u << 20)

static struct worker balloon;
static char *area;
static int stop;

static FRAME int64_t protect_area(void *arg, int64_t unused)
{
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		mprotect(area, AREA, PROT_READ);
		mprotect(area, AREA, PROT_READ | PROT_WRITE);
	}
	return 0;
}

/* As long as asked for, one look after the other: each has to wait for the lock. */
static FRAME void count_resident_pages(double ms)
{
	uint64_t end = now_ns() + (uint64_t)MS_TO_NS(ms);
	unsigned char resident;

	while (now_ns() < end)
		mincore(area, GUEST_PAGE, &resident);
}

static void setup(struct vmm *vmm)
{
	area = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED)
		die("cannot map memory: %s", strerror(errno));
	/* Small pages that are there: each one takes time to protect. */
	madvise(area, AREA, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < AREA; i += GUEST_PAGE)
		area[i] = 1;
	worker_start(&balloon, "fc_balloon", protect_area, NULL);
}

static void run(struct vmm *vmm, unsigned k)
{
	__atomic_store_n(&stop, 0, __ATOMIC_RELAXED);
	worker_post(&balloon, 0);
	count_resident_pages(vmm_work(vmm, k));
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	worker_wait(&balloon);
}

static struct cause cause = {
	.name = "mmap-lock",
	.summary = "main waits for mmap_lock, which a thread that calls mprotect holds",
	.unit = "ms",
	.base = 10,
	.grow = 40,
	.answers = { { "memory", ROLE_THREAD, "fc_balloon", "protect_area rwsem_down_read_slowpath" } },
	.setup = setup,
	.run = run,
};
CAUSE(cause)
