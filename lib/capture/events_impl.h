/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files that make the events. */
#ifndef SF_CAPTURE_EVENTS_IMPL_H
#define SF_CAPTURE_EVENTS_IMPL_H

#include "events.h"

const char *sf_event_name(enum sf_event_id id);
bool sf_event_wanted(enum sf_event_id id, const struct sf_events_opts *o);
/* CPU-wide, or of the target's tasks? */
bool sf_event_wide(enum sf_event_id id, const struct sf_events_opts *o);
/* Fill ev->attr; ev->wide is set. -ENOENT where the kernel has no such tracepoint. */
int sf_event_attr(struct sf_perf_event *ev, enum sf_event_id id, const struct sf_events_opts *o,
		  const struct sf_tracefs *fs);

/* What libperf has and does not tell, from /proc/self: descriptors of perf events … */
size_t sf_perf_fds(int **fd, size_t *alloc);
/* … those that came since before was taken, as ev's, with their ids and close-on-exec … */
int sf_perf_take_fds(struct sf_perf_event *ev, const int *before, size_t nr_before);
/* … and the rings that it mapped. */
int sf_perf_find_rings(struct sf_events *e);

#endif
