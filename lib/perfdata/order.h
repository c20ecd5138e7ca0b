/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Puts records in order of time. Only (time, place) pairs are moved, never the records.
 *
 * perf record empties one CPU's ring after the other, so what comes in is a row of runs that are
 * each (nearly) sorted: runs are noticed as they arrive and merged, which for n pairs in k runs
 * costs n·log k and nothing for a sorted file. Equal times keep the order of the file.
 */
#ifndef PERFDATA_ORDER_H
#define PERFDATA_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sf_pending {
	uint64_t time;
	uint64_t place;
};

struct sf_order {
	struct sf_pending *item, *tmp;
	size_t alloc, tmp_alloc;
	size_t head, nr; /* waiting are item[head … nr) */
	size_t ready;	 /* item[head … ready) may be delivered */
	size_t *run;	 /* where a run begins, but for the first at head */
	size_t nr_runs, run_alloc;
	uint64_t max;	/* the youngest time that came in */
	uint64_t limit; /* max of the last but one round */
};

int sf_order_add(struct sf_order *o, uint64_t time, uint64_t place); /* 0 or -ENOMEM */
/*
 * A round ended: every CPU was read once since the last round, so nothing older than what was seen
 * before that will come.
 */
int sf_order_round(struct sf_order *o);
int sf_order_half(struct sf_order *o); /* too much is waiting: let the older half go */
int sf_order_all(struct sf_order *o);
void sf_order_release(struct sf_order *o);

static inline size_t sf_order_waiting(const struct sf_order *o)
{
	return o->nr - o->head;
}

#endif
