/* SPDX-License-Identifier: GPL-2.0-only */
/* Main's own time in the kernel: it fills buffers with random numbers. */
#include "cause.h"
#include "util.h"
#include "vmm.h"

#include <sys/random.h>

static char buffer[64 * 1024];

static FRAME void reseed_guest(double ms)
{
	uint64_t end = thread_cpu_ns() + (uint64_t)MS_TO_NS(ms);

	while (thread_cpu_ns() < end)
		if (getrandom(buffer, sizeof(buffer), 0) < 0)
			return;
}

static void run(struct vmm *vmm, unsigned k)
{
	reseed_guest(vmm_work(vmm, k));
}

static struct cause cause = {
	.name = "kernel-cpu",
	.summary = "main computes in the kernel (getrandom), longer each time",
	.unit = "ms",
	.base = 15,
	.grow = 40,
	.answers = { { "cpu-kernel", ROLE_MAIN, NULL, "get_random_bytes_user reseed_guest" } },
	.run = run,
};
CAUSE(cause)
