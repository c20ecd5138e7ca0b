/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables of pauses, read and compared. */
#ifndef SF_DIFF_SWEEPS_H
#define SF_DIFF_SWEEPS_H

#include <snapflame/sweepdiff.h>

#include "diff_sides.h"

struct sf_sweeps {
	struct sf_sweep *sweep;           /* the fast ones first */
	struct sf_sweepdiff_table *table; /* by sweep */
	size_t nr;
	struct sf_sweepdiff *diff; /* NULL: one table that is not to be split; whole says why */
	char whole[256];
};

/*
 * Read the tables that sides names, without their warm-up, and compare them. With whole_is_fine one
 * table that cannot be split is no failure. What went wrong is reported; an exit status.
 */
int sf_sweeps_load(struct sf_sweeps *s, struct sf_sides *sides, const struct sf_sides_opts *o,
		   bool whole_is_fine);
/* Can -o of these be? What speaks against it is reported; an exit status. */
int sf_sweeps_reportable(const struct sf_sides *sides);
/* A report in dir of the one table that there is; formats as in report.h. An exit status. */
int sf_sweeps_report(const struct sf_sweeps *s, const char *dir, unsigned formats, int argc,
		     char **argv);
void sf_sweeps_release(struct sf_sweeps *s);

#endif
