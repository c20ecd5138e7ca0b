/* SPDX-License-Identifier: GPL-2.0-only */
/* Which request of a block device a thread slept for: the one whose completion ended the sleep. */
#ifndef SNAPFLAME_ANALYSIS_COMPLETION_H
#define SNAPFLAME_ANALYSIS_COMPLETION_H

#include <snapflame/states.h>

/* Of a sleep whose stack says I/O; write: for pages under writeback. NULL: none was seen. */
const struct sf_request *sf_completed_for_io(struct sf_timelines *ts, const struct sf_slice *iv,
					     bool write);

/*
 * Of thread's sleep whose stack says no more than events: io_getevents, io_uring, a poll of an
 * eventfd. Only where an interrupt or io_uring's polling thread ended it, just after a request of the
 * same process was done; NULL otherwise.
 */
const struct sf_request *sf_completed_for_event(struct sf_timelines *ts, uint32_t thread,
						const struct sf_slice *iv);

#endif
