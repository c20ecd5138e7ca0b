/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What upsets a recording while it is made: CPUs that go and come, whose events the kernel ends; a
 * machine that sleeps; a clock that is set. Looked at at both edges of a window.
 */
#ifndef SF_CAPTURE_UPSETS_H
#define SF_CAPTURE_UPSETS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "events.h"

struct sf_upsets {
	uint64_t at;       /* ns */
	int64_t asleep;    /* ns that the machine has slept since it was started */
	int64_t time_set;  /* time of day - time since the start, sleep included */
	uint64_t *running; /* ns that events were on, for each CPU of sf_events */
	size_t nr_running; /* 0: no event is CPU-wide */
	unsigned *online;  /* numbers of the CPUs that there are */
	size_t nr_online;
};

/* What cannot be had is left out, and not compared. */
void sf_upsets_take(struct sf_upsets *u, const struct sf_events *e);
void sf_upsets_release(struct sf_upsets *u);

/*
 * [{"kind","text"}]: kind is cpu, sleep or clock. e is what both were taken of. NULL where nothing
 * happened, or without memory.
 */
json_t *sf_upsets_between(const struct sf_upsets *before, const struct sf_upsets *after,
			  const struct sf_events *e);

#endif
