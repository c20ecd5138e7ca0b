/* SPDX-License-Identifier: GPL-2.0-only */
/* Records from all sources in order of time. */
#ifndef SF_CAPTURE_MERGE_H
#define SF_CAPTURE_MERGE_H

#include <linux/perf_event.h>
#include <snapflame/array.h>
#include <snapflame/str.h>
#include <stddef.h>
#include <stdint.h>

struct sf_merge {
	struct sf_merge_entry {
		uint64_t time;
		uint64_t order; /* of arrival: keeps what has one time in its order */
		const struct perf_event_header *rec;
	} *item;
	size_t nr, alloc;
	struct sf_arena own; /* records that were made here */
};

/* rec has to stay where it is. */
int sf_merge_add(struct sf_merge *m, uint64_t time, const struct perf_event_header *rec);
/* The records in buf are copied. Those without a time of their own get the given one. */
int sf_merge_add_copy(struct sf_merge *m, uint64_t time, const struct sf_str *buf);
void sf_merge_sort(struct sf_merge *m);
void sf_merge_release(struct sf_merge *m);

#endif
