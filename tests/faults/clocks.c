/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * clocks.so, for LD_PRELOAD: once the file $CLOCK_WHEN is there the time of day has been set by
 * $CLOCK_SET ns, and the machine has slept for $CLOCK_SLEPT ns, as far as the program sees.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long long number(const char *name)
{
	const char *value = getenv(name);

	return value ? atoll(value) : 0;
}

int clock_gettime(clockid_t id, struct timespec *t)
{
	int ret = (int)syscall(SYS_clock_gettime, id, t);
	const char *when = getenv("CLOCK_WHEN");
	long long ns;

	if (ret || (id != CLOCK_REALTIME && id != CLOCK_BOOTTIME) || !when || access(when, F_OK))
		return ret;
	ns = t->tv_nsec + number("CLOCK_SLEPT");
	if (id == CLOCK_REALTIME)
		ns += number("CLOCK_SET");
	t->tv_sec += ns / 1000000000;
	t->tv_nsec = ns % 1000000000;
	if (t->tv_nsec < 0) {
		t->tv_nsec += 1000000000;
		t->tv_sec--;
	}
	return 0;
}
