/* SPDX-License-Identifier: GPL-2.0-only */
/* All threads of the target at an edge of a window, where no event tells their state. */
#ifndef SF_CAPTURE_SNAPSHOT_H
#define SF_CAPTURE_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "kallsyms.h"
#include "mark_list.h"

struct sf_edge {
	uint64_t t0, t1; /* the time it took */
	uint64_t cpu_ns; /* the process CPU clock; 0: it is gone */
	struct sf_edge_thread *thread;
	size_t nr;
};

/* Read it as it is, quickly; 0, -ESRCH, -ENOMEM. Threads that exit meanwhile are left out. */
int sf_edge_take(struct sf_edge *s, pid_t pid);
void sf_edge_release(struct sf_edge *s);

/* Kernel addresses, for their names. */
struct sf_addresses {
	uint64_t *item;
	size_t nr, alloc;
};

/* The "threads" marks of it; edge "begin" or "end". Their addresses are added to seen. */
int sf_edge_marks(const struct sf_edge *s, const struct sf_kallsyms *k, unsigned branch,
		  const char *edge, struct sf_marks *marks, struct sf_addresses *seen);

#endif
