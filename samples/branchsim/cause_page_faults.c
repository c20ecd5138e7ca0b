/* SPDX-License-Identifier: GPL-2.0-only */
/* Main fills fresh memory: the kernel must find and clear a page for each first touch. */
#include "cause.h"
#include "util.h"
#include "vmm.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BUFFER_SIZE (16u << 20)

static char *buffer;

static void forget_pages(void)
{
	madvise(buffer, BUFFER_SIZE, MADV_DONTNEED);
}

static FRAME void fill_scratch_buffer(double ms)
{
	uint64_t end = thread_cpu_ns() + (uint64_t)MS_TO_NS(ms);

	while (thread_cpu_ns() < end) {
		for (size_t i = 0; i < BUFFER_SIZE; i += GUEST_PAGE)
			((volatile char *)buffer)[i] = 1;
		forget_pages();
	}
}

static void setup(struct vmm *vmm)
{
	buffer = mmap(NULL, BUFFER_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (buffer == MAP_FAILED)
		die("cannot map a buffer: %s", strerror(errno));
	madvise(buffer, BUFFER_SIZE, MADV_NOHUGEPAGE);
}

static void run(struct vmm *vmm, unsigned k)
{
	fill_scratch_buffer(vmm_work(vmm, k));
}

static struct cause cause = {
	.name = "page-faults",
	.summary = "main touches ever more fresh memory",
	.unit = "ms",
	.base = 15,
	.grow = 40,
	.answers = { { "memory", ROLE_MAIN, NULL, "fill_scratch_buffer" } },
	.setup = setup,
	.run = run,
};
CAUSE(cause)
