/* SPDX-License-Identifier: GPL-2.0-only */
/* Stacks of any file, folded, for a diff without windows. */
#ifndef SF_DIFF_STACKS_H
#define SF_DIFF_STACKS_H

#include <snapflame/stackdiff.h>

#include "diff_sides.h"

/* The files of both sides, compared; event may be NULL. What went wrong is reported; an exit status. */
int sf_diff_stacks(struct sf_stackdiff **d, struct sf_sides *sides, const char *event,
		   const struct sf_symbols_opts *symbols);

#endif
