/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a thread was while it ran. */
#ifndef SNAPFLAME_ANALYSIS_RUNNING_H
#define SNAPFLAME_ANALYSIS_RUNNING_H

#include <snapflame/critpath.h>

/* A part of a running slice with its stack (trimmed). */
struct sf_run_part {
	uint64_t lo, hi;
	uint32_t stack;
	bool kernel;
	enum sf_source source;
};

/*
 * Split [lo, hi) of a running slice among its CPU samples, from the end backwards; each sample stands
 * for the time around it. Without a sample a nearby one of a run as short tells what the thread does
 * in such runs, and failing that the switch-out that ended it where it was.
 */
int sf_running_parts(struct sf_mechanisms *m, const struct sf_thread *t, const struct sf_slice *iv,
		     uint64_t lo, uint64_t hi, int (*part)(void *arg, const struct sf_run_part *p),
		     void *arg);

#endif
