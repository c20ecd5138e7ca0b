/* SPDX-License-Identifier: GPL-2.0-only */
#include "burn.h"

#include "util.h"

#include <pthread.h>

static FRAME uint64_t calibrate(uint64_t x)
{
	return burn_dose(x);
}

static double dose_ms = 1;

/* The best of some runs: the clock is the thread's, but a neighbour still costs cache and steal. */
static void measure(void)
{
	volatile uint64_t sink = 1;
	double best = 0;

	for (unsigned run = 0; run < 5; run++) {
		uint64_t start = thread_cpu_ns(), n = 0;

		do {
			sink = calibrate(sink);
			n++;
		} while (thread_cpu_ns() - start < 2000000);
		double ms = (double)(thread_cpu_ns() - start) / 1e6 / (double)n;

		if (!best || ms < best)
			best = ms;
	}
	dose_ms = best;
}

uint64_t burn_doses(double ms)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, measure);
	return ms > 0 ? (uint64_t)(ms / dose_ms + 0.5) : 0;
}
