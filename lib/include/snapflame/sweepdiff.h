/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tables of pauses (sweep.h) compared: two sides of tables, or one table split where its pauses
 * change. They say which BRANCHes are slow, by how much and how it came; there are no stacks, so
 * there is no verdict.
 *
 *	struct sf_sweepdiff_input in = { .table = { { &sweep, "sweep.csv" } }, .nr = { 1 } };
 *	struct sf_sweepdiff *d;
 *
 *	if (sf_sweepdiff_make(&d, &in, &err))
 *		…
 *	puts(d->sentence);
 *	sf_sweepdiff_free(d);
 *
 * The unit is the BRANCH. Of several trials the step or the trend is sought in the medians of each
 * BRANCH number, and each trial is told by itself: those who agree by chance are seen.
 */
#ifndef SNAPFLAME_SWEEPDIFF_H
#define SNAPFLAME_SWEEPDIFF_H

#include <snapflame/diff.h>
#include <snapflame/stats.h>
#include <snapflame/sweep.h>

struct sf_sweepdiff_table {
	const struct sf_sweep *sweep; /* borrowed, without warm-up */
	const char *path;
};

/* Borrowed. Tables on one side only are one table to be split, by the lists or where it changes. */
struct sf_sweepdiff_input {
	const struct sf_sweepdiff_table *table[SF_NR_SIDES];
	size_t nr[SF_NR_SIDES];
	const uint32_t *list[SF_NR_SIDES]; /* BRANCH numbers; both or none */
	size_t nr_list[SF_NR_SIDES];
};

struct sf_sweepdiff_row {
	const char *file;
	struct sf_sweep_row pause;
	int side; /* enum sf_side, or -1: between the ends of a trend, or not named */
};

/* One trial of one file: the medians of its BRANCHes of either side, NAN where it has none. */
struct sf_sweepdiff_trial {
	const char *file;
	unsigned trial;
	double median_ms[SF_NR_SIDES];
};

struct sf_sweepdiff {
	struct sf_sweepdiff_row *row; /* by file, trial, BRANCH */
	size_t nr_rows;
	size_t nr[SF_NR_SIDES];
	double median_ms[SF_NR_SIDES];
	struct sf_estimate delta;
	bool grows;
	bool one_table;
	bool split_found;  /* where the series changes, not as given */
	bool trend;        /* the sides are the early and the late part of a series that grows all along */
	double series_p;   /* of "no change"; NAN unless the split was found */
	struct sf_growth growth; /* of one table; branches 0: fewer than 3 different BRANCHes */
	uint32_t step_at;  /* BRANCH number; 0: no step */
	struct sf_sweepdiff_trial *trial;
	size_t nr_trials;
	struct sf_moved moved[2]; /* diff_ms, diff_physical_bytes: those that both sides know */
	size_t nr_moved;
	double inside_pct; /* share of the growth that diff_ms has; NAN: not known, or no growth */
	const char *split_text, *sentence, *method;
	const char *why;   /* there is no verdict */
	struct sf_arena arena;
};

/* -EINVAL with the reason in err where there is nothing to compare. */
int sf_sweepdiff_make(struct sf_sweepdiff **d, const struct sf_sweepdiff_input *in,
		      struct sf_error *err);
void sf_sweepdiff_free(struct sf_sweepdiff *d);

#endif
