/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * set_clock SECONDS MS: the machine's time of day is later by so much, for so long. Both steps are
 * relative, so that the right time comes back to the nanosecond; no signal ends it in between.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timex.h>
#include <unistd.h>

static int step(long seconds)
{
	struct timex t = { .modes = ADJ_SETOFFSET | ADJ_NANO, .time = { seconds, 0 } };

	return adjtimex(&t) < 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
	long seconds = argc == 3 ? atol(argv[1]) : 0;
	useconds_t us = argc == 3 ? (useconds_t)atoi(argv[2]) * 1000 : 0;
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	if (!seconds || us > 999000 || step(seconds)) {
		perror("set_clock");
		return 1;
	}
	usleep(us);
	while (step(-seconds))
		usleep(1000);
	return 0;
}
