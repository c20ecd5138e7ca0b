/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two sets of stacks without windows: folded text, perf script text, recordings of samples. They do
 * not say how long anybody waited, so there is no verdict: what is compared is the share of the
 * weight that each call path has.
 *
 *	struct sf_stackdiff *d;
 *
 *	if (sf_stackdiff_make(&d, fast, slow, &err))    (two struct sf_fold, filled)
 *		…
 *	for (size_t i = 0; i < d->nr_rows; i++)
 *		…
 *	sf_stackdiff_free(d);
 */
#ifndef SNAPFLAME_STACKDIFF_H
#define SNAPFLAME_STACKDIFF_H

#include <snapflame/diff.h>
#include <snapflame/fold.h>

/*
 * A subtree of the call paths: the deepest under which a change still concentrates, less those of
 * its own subtrees that have a row of their own. Rows do not overlap.
 */
struct sf_stackdiff_row {
	const char **frame; /* leaf to root */
	size_t nr_frames;
	double pct[SF_NR_SIDES]; /* of the side's weight */
	double delta_pct;        /* percentage points */
};

/* One stack of either side. */
struct sf_stackdiff_line {
	const char *stack; /* "root;…;leaf" */
	uint64_t weight[SF_NR_SIDES];
};

struct sf_stackdiff {
	uint64_t total[SF_NR_SIDES];
	const char *event[SF_NR_SIDES]; /* what was sampled; NULL: the input does not say */
	struct sf_stackdiff_row *row;   /* by growth, largest first */
	size_t nr_rows, row_alloc;
	struct sf_stackdiff_line *line; /* sorted */
	size_t nr_lines, line_alloc;
	const char *why; /* why there is no verdict */
	struct sf_arena arena;
};

/* -EINVAL where a side has no weight at all. */
int sf_stackdiff_make(struct sf_stackdiff **d, struct sf_fold *fast, struct sf_fold *slow,
		      struct sf_error *err);
void sf_stackdiff_free(struct sf_stackdiff *d);

#endif
