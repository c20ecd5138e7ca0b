/* SPDX-License-Identifier: GPL-2.0-only */
/* All records of a capture in order of time: the kernel's, and what is made of the rest. */
#ifndef SF_CAPTURE_COMPOSE_H
#define SF_CAPTURE_COMPOSE_H

#include <snapflame/table.h>
#include <snapflame/writer.h>

#include "merge.h"
#include "session.h"

/* sample_type of our own events */
#define SF_TASK_STACK_TYPE                                                                         \
	(SF_STAMP_SAMPLE_TYPE | PERF_SAMPLE_IP | PERF_SAMPLE_PERIOD | PERF_SAMPLE_CALLCHAIN |      \
	 PERF_SAMPLE_RAW)
#define SF_MARK_TYPE   (SF_STAMP_SAMPLE_TYPE | PERF_SAMPLE_IP | PERF_SAMPLE_RAW)
#define SF_WAKING_TYPE SF_MARK_TYPE

struct sf_compose {
	struct sf_capture *c;
	struct sf_merge merge;    /* the result, sorted */
	struct sf_spool_map map, poll_map;
	struct sf_map64 pids;     /* tid -> pid, as far as the records tell */
	struct sf_map64 born;     /* pids whose mappings the records tell themselves */
	struct sf_map64 sampled;  /* pids with samples */
	struct sf_map64 ran;      /* threads with samples: they were on a CPU */
	struct sf_sideband foreign;
	uint64_t bad, torn;       /* records that make no sense; sub-buffers that cannot be read */
	uint32_t cpu;             /* of the sub-buffer being decoded */
};

/* Needs a release whatever it returns. The capture has to be stopped, and to stay. */
int sf_compose(struct sf_compose *s, struct sf_capture *c);
/* Add one more mark; sort again afterwards. */
int sf_compose_mark(struct sf_compose *s, const struct sf_mark *m);
void sf_compose_release(struct sf_compose *s);

#endif
