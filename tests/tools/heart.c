/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A heart to be recorded: beats every 10 ms until SIGTERM, then prints how it went. An interrupted
 * sleep is one that a signal, or a stop and continue, ended early.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

enum { BEAT_NS = 10 * 1000 * 1000 };

static volatile sig_atomic_t ended;

static void end(int sig)
{
	ended = 1;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

int main(void)
{
	const struct sigaction sa = { .sa_handler = end };
	double begin = now(), last = begin, longest = 0;
	unsigned long beats = 0, interrupted = 0;

	sigaction(SIGTERM, &sa, NULL);
	while (!ended) {
		const struct timespec t = { 0, BEAT_NS };
		double at;

		if (nanosleep(&t, NULL) && errno == EINTR && !ended)
			interrupted++;
		at = now();
		longest = at - last > longest ? at - last : longest;
		last = at;
		beats++;
	}
	printf("beats %lu longest_ms %.1f interrupted %lu seconds %.1f\n", beats, longest, interrupted,
	       (last - begin) / 1e3);
	return 0;
}
