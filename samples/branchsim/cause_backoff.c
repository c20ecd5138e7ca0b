/* SPDX-License-Identifier: GPL-2.0-only */
/* A device that is not ready: main asks again after a while, more often each time. */
#include "cause.h"
#include "util.h"
#include "vmm.h"

#define NAP_MS 10

static FRAME void retry_with_backoff(double ms)
{
	for (; ms > 0; ms -= NAP_MS)
		sleep_ns(MS_TO_NS(ms < NAP_MS ? ms : NAP_MS));
}

static void run(struct vmm *vmm, unsigned k)
{
	retry_with_backoff(vmm_work(vmm, k));
}

static struct cause cause = {
	.name = "backoff",
	.summary = "main sleeps between retries, which become more",
	.unit = "ms",
	.base = 10,
	.grow = 50,
	.answers = { { "timer", ROLE_MAIN, NULL, "hrtimer_nanosleep" } },
	.run = run,
};
CAUSE(cause)
