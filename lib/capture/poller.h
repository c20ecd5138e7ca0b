/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The thread that looks at the target's threads in /proc: what the ones that do not run wait for.
 * perf's switch-out stacks say the same where there is a switch; a thread that blocked before the
 * window, or a switch that was lost, is seen only here.
 */
#ifndef SF_CAPTURE_POLLER_H
#define SF_CAPTURE_POLLER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <snapflame/error.h>

#include "budget.h"
#include "missing.h"
#include "spool.h"

/* In the spool; behind it the texts of /proc/TID/syscall and /proc/TID/stack, then padding to 8. */
struct sf_poll_rec {
	uint64_t time, period; /* ns */
	uint32_t tid;
	uint16_t syscall_len, stack_len;
	char state; /* 0: not known */
	bool again; /* the texts are those of this thread's previous record, and not repeated */
	uint8_t reserved[2];
	uint32_t pid; /* of another process; 0: the target's */
};

struct sf_poll_thread;

struct sf_poller_opts {
	pid_t pid;
	unsigned hz; /* at most */
	struct sf_budget *budget, *own_budget; /* shared, and of this thread alone; both hold */
	bool others; /* once when it becomes active: who else sleeps, see sleepers.h */
	bool anew; /* each time it becomes active: no record refers to one before */
};

struct sf_poller {
	struct sf_poller_opts opts;
	struct sf_spool *spool;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake, begun;
	bool started, active, stop;
	bool begin; /* it has become active, and has not looked at the others yet */
	struct sf_poll_thread *item; /* sorted by tid */
	size_t nr;
	size_t room, kept;           /* threads whose files may be, are kept open */
	uint64_t links;              /* of /proc/PID/task when it was last listed */
	uint64_t rounds, cpu_ns;
	uint8_t *buf;
	size_t fill;
};

int sf_poller_start(struct sf_poller *p, const struct sf_poller_opts *opts, struct sf_spool *spool,
		    struct sf_missing *missing, struct sf_error *err);
/* Poll, or rest, as between windows. What is to be known before a window is known on return. */
void sf_poller_set_active(struct sf_poller *p, bool active);
void sf_poller_stop(struct sf_poller *p);

/* The next record in a chunk's data, or NULL; *at is 0 at first. Checks what lengths say. */
const struct sf_poll_rec *sf_poll_next(const uint8_t *data, uint64_t size, uint64_t *at,
				       const char **syscall, const char **stack);

#endif
