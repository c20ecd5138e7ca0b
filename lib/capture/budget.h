/* SPDX-License-Identifier: GPL-2.0-only */
/* How much CPU the recorder's threads may take in a window. */
#ifndef SF_CAPTURE_BUDGET_H
#define SF_CAPTURE_BUDGET_H

#include <stdatomic.h>
#include <stdint.h>

struct sf_budget {
	unsigned pct; /* of one CPU, of all threads that share the budget; 0: no limit */
	atomic_uint_fast64_t since, used; /* ns: the window's beginning, CPU time taken in it */
};

/* A window begins. */
void sf_budget_start(struct sf_budget *b, uint64_t now);
/* So much CPU time was taken: how long to rest, in ns, until it is within the limit again. */
uint64_t sf_budget_take(struct sf_budget *b, uint64_t cpu, uint64_t now);

#endif
