/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The CSV of a sweep: one BRANCH a line, as benchmark scripts and snapflame show FILE branches --csv
 * write it.
 *
 *	trial,branch_idx,pause_ms,diff_ms,diff_physical_bytes
 *	1,1,288.1,286.0,1163264
 *
 * Columns are found by these names, in any order, whatever stands between them; branch and dark_ms
 * are taken too. Without a line of names the columns are these. A field that is empty, "null" or
 * "nan" is not known.
 */
#ifndef SNAPFLAME_SWEEP_H
#define SNAPFLAME_SWEEP_H

#include <stddef.h>

#include <snapflame/error.h>
#include <snapflame/filetype.h>

struct sf_sweep_row {
	unsigned trial, branch; /* from 1; counted where the file does not say */
	double pause_ms;
	double diff_ms, bytes;  /* NAN: not known */
};

struct sf_sweep {
	struct sf_sweep_row *row; /* as in the file */
	size_t nr, alloc;
};

/* Read the input to its end. -EINVAL with the line in err where it is no such table. */
int sf_sweep_read(struct sf_sweep *s, struct sf_input *in, const char *path, struct sf_error *err);
/* Leave out the first BRANCHes of each trial (warm-up), by their numbers. 0 or -ENOMEM. */
int sf_sweep_skip(struct sf_sweep *s, unsigned warmup);
void sf_sweep_release(struct sf_sweep *s);

#endif
