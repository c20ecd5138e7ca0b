/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * crowd IDLE RATE: a target to be recorded, with IDLE threads that wait, RATE more a second that live
 * for 20 ms, and one that works. Prints its process id when they are there; ends by SIGTERM.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { LIFE_MS = 20, STACK_SIZE = 64 * 1024 };

static void rest(long ns)
{
	const struct timespec t = { ns / 1000000000, ns % 1000000000 };

	nanosleep(&t, NULL);
}

static void *idle(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void *brief(void *arg)
{
	rest(LIFE_MS * 1000000L);
	return arg;
}

static void *work(void *arg)
{
	for (volatile unsigned long n = 0;; n++)
		if (n % 1000000 == 0)
			rest(1000000);
	return arg;
}

int main(int argc, char **argv)
{
	long nr = argc > 1 ? atol(argv[1]) : 10, rate = argc > 2 ? atol(argv[2]) : 0;
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&t, &attr, work, NULL))
		return 1;
	for (long i = 0; i < nr; i++)
		if (pthread_create(&t, &attr, idle, NULL)) {
			fprintf(stderr, "crowd: no more than %ld threads\n", i);
			return 1;
		}
	printf("%d\n", (int)getpid());
	fflush(stdout);
	for (;;) {
		if (rate)
			pthread_create(&t, &attr, brief, NULL);
		rest(rate ? 1000000000 / rate : 1000000000);
	}
}
