/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every path of a diff in figures: what it has on either side with all that is below it (inclusive)
 * and by itself (exclusive), how sure the difference is, and what to call it.
 *
 *	struct sf_diff_paths *t;
 *
 *	if (sf_diff_paths_make(&t, d))
 *		…
 *	for (size_t i = 0; i < t->nr_rows; i++)
 *		…
 *	sf_diff_paths_free(t);
 *
 * Two differences are given. That between the median windows of the sides adds up: the root has the
 * growth of the pauses, and the exclusive ones of all rows and of the rest sum to it. That of the
 * medians of the path itself, over all windows of each side, has the interval; medians do not add.
 */
#ifndef SNAPFLAME_DIFF_PATHS_H
#define SNAPFLAME_DIFF_PATHS_H

#include <snapflame/diff.h>
#include <snapflame/stats.h>

enum sf_path_class {
	SF_PATH_UNTESTED, /* one window on either side, or the same in all of them */
	SF_PATH_UNCLEAR,  /* differs by no more than noise would: drawn in grey */
	SF_PATH_GREW,
	SF_PATH_SHRANK,
	SF_PATH_NEW,      /* grew, and is in no fast window */
	SF_PATH_VANISHED, /* shrank, and is in no slow window */
	SF_PATH_SHIFT,    /* part of a swap under a caller that stayed: see sf_diff.shift */
};

const char *sf_path_class_name(enum sf_path_class c); /* "grew", … */

struct sf_path_change {
	double ms[SF_NR_SIDES];      /* of the median windows */
	struct sf_interval interval; /* difference of the path's own medians; ms */
	double p;                    /* of growth, of this path alone; NAN where it is not tested */
	double q;                    /* of any difference, as one of all paths (false discoveries) */
};

struct sf_path_row {
	uint32_t path;   /* of d->profile; rows are in its order, so parents come first */
	uint32_t parent; /* row; the root, row 0, has itself */
	struct sf_path_change inclusive, exclusive;
	enum sf_path_class class; /* of the inclusive change */
};

struct sf_diff_paths {
	struct sf_path_row *row; /* paths with a thousandth of the longest pause in some window */
	size_t nr_rows;
	size_t rest;                 /* paths that are smaller everywhere */
	double rest_ms[SF_NR_SIDES]; /* their exclusive time in the median windows */
	size_t tested;
};

/* 0 or -ENOMEM. */
int sf_diff_paths_make(struct sf_diff_paths **t, const struct sf_diff *d);
void sf_diff_paths_free(struct sf_diff_paths *t);

#endif
