/* SPDX-License-Identifier: GPL-2.0-only */
/* Threads that hand over to each other again and again. */
#ifndef SNAPFLAME_ANALYSIS_TURNS_H
#define SNAPFLAME_ANALYSIS_TURNS_H

#include "analysis/profile_internal.h"

/*
 * Find the exchanges of a critical path: a thread waits for another one, computes a little, and waits
 * for it again. Adds how often, and a link of SF_TAKES_TURNS for each path that has time in them, to the
 * column that is being made. 0 or -ENOMEM.
 */
int sf_turns_add(struct sf_profile *p, struct sf_namer *n, const struct sf_critpath *cp);

#endif
