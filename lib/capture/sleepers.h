/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who sleeps, and where, before a BRANCH begins: threads of other processes, and kernel threads that
 * wait for I/O or for each other. The target may come to wait for any of them, and who fell asleep before
 * recording was switched on has no switch that tells where.
 */
#ifndef SF_CAPTURE_SLEEPERS_H
#define SF_CAPTURE_SLEEPERS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sf_sleeper {
	pid_t pid, tid;
	char state;        /* S, or D */
	const char *stack; /* the text of /proc/PID/task/TID/stack, len bytes */
	size_t len;
};

typedef void (*sf_sleeper_fn)(void *arg, const struct sf_sleeper *s);

/*
 * Call fn for each thread that sleeps but those of the process target and of our own (as root). Who was not
 * reached after so many ns of CPU time is left out.
 */
void sf_sleepers(pid_t target, uint64_t cpu_ns, sf_sleeper_fn fn, void *arg);

#endif
