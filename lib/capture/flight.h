/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flight recorder: of any number of BRANCHes only the last ones are kept. Between two windows the
 * oldest are forgotten, and the memory that their records took is given back. What they told of
 * tasks that live on (names, mappings) is kept.
 */
#ifndef SF_CAPTURE_FLIGHT_H
#define SF_CAPTURE_FLIGHT_H

#include <linux/perf_event.h>
#include <snapflame/str.h>
#include <snapflame/table.h>
#include <stddef.h>
#include <stdint.h>

struct sf_capture;

struct sf_flight {
	struct sf_flight_branch {
		unsigned number;
		uint64_t rings, polls; /* where its records begin in the spools */
	} *item;
	size_t nr, alloc;
	uint64_t largest; /* bytes that a BRANCH took */
	struct sf_map64 by_tid; /* index + 1 */
	struct sf_flight_task {
		uint32_t pid;
		struct sf_str records;
	} *task;
	size_t nr_tasks, tasks_alloc;
	struct sf_str read; /* in the keeper: what sf_flight_kept() gave the recorder */
};

/* Before BRANCH number: make room for it. 0 or -ENOMEM. */
int sf_flight_begin(struct sf_capture *c, unsigned number);
/* It is over, and the reader has counted its records: forget the ones that are too many. */
int sf_flight_end(struct sf_capture *c);
/* Learn from a record that is forgotten. */
int sf_flight_learn(struct sf_flight *f, uint32_t target, const struct perf_event_header *h);
/* The records to keep of what was forgotten. */
void sf_flight_kept(const struct sf_flight *f, struct sf_str *records);
void sf_flight_release(struct sf_flight *f);

#endif
