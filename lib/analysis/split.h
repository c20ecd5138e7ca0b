/* SPDX-License-Identifier: GPL-2.0-only */
/* The words for where a series was split; private to analysis/. */
#ifndef SNAPFLAME_ANALYSIS_SPLIT_H
#define SNAPFLAME_ANALYSIS_SPLIT_H

#include <stdint.h>

#include <snapflame/diff.h>
#include <snapflame/stats.h>

/* "BRANCH 1-2 against 3-5: a step at BRANCH 3 (p = 5.3e-05)"; end: first and last of either side. */
void sf_split_words(char *text, size_t size, const struct sf_series *s,
		    uint32_t end[SF_NR_SIDES][2]);

#endif
