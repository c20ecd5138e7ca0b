/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What grows over the BRANCHes of one recording: the pause, every path of the critical path, every
 * covariate; in a step, along a line, more and more, or not at all.
 *
 *	struct sf_growths *g;
 *
 *	if (sf_growths_make(&g, rec, NULL, 0, &err))        (all windows)
 *		…
 *	for (size_t i = 0; i < g->nr_lines; i++)
 *		if (g->line[i].grows)
 *			…
 *	sf_growths_free(g);
 *
 * stats.h has the methods: Theil-Sen slopes with Sen's interval, Mann-Kendall, the test of a step,
 * the shape by likelihoods. Whoever asks about many paths finds some that grow by chance: q is
 * adjusted for all that were asked about (sf_fdr).
 */
#ifndef SNAPFLAME_GROWTH_H
#define SNAPFLAME_GROWTH_H

#include <snapflame/profile.h>
#include <snapflame/stats.h>

enum { SF_GROWTH_MIN = 5 }; /* BRANCHes from which on a slope has a 95 % interval */

enum sf_growth_of { SF_GROWTH_PAUSE, SF_GROWTH_PATH, SF_GROWTH_COVARIATE };

struct sf_growth_line {
	enum sf_growth_of of;
	uint32_t path;    /* SF_GROWTH_PATH: of profile; its inclusive ms */
	const char *name; /* SF_GROWTH_COVARIATE */
	bool during;      /* its change inside the windows, not what it was when they began */
	double *v;        /* by window, in the order of the BRANCHes; NAN: not read */
	double first, last; /* medians of the first and of the last third of the windows */
	struct sf_growth growth; /* both directions count */
	double p, q;      /* of "no change", alone and as one of all; NAN where nothing changes at all */
	bool grows;       /* or falls: q is 5 % or less, and so much that it is worth a word */
	struct sf_corr corr; /* SF_GROWTH_COVARIATE: with the pause */
};

struct sf_growths {
	struct sf_profile profile; /* columns: as the windows were added */
	size_t nr;                 /* windows */
	const struct sf_window **window; /* in the order of their BRANCH numbers */
	/* The pause first, then paths by how much they changed, then covariates by how well they go
	 * with the pause. Paths that say the same as one below them are left out, small ones, too. */
	struct sf_growth_line *line;
	size_t nr_lines;
	size_t tested; /* q is for so many */
	/* private */
	size_t window_alloc, line_alloc;
	size_t *column; /* of window[i] */
	struct sf_arena arena;
};

/* list (NULL: all) of rec's windows, three different BRANCHes or more; -EINVAL with the reason. */
int sf_growths_make(struct sf_growths **g, const struct sf_recording *rec,
		    const struct sf_window *const *list, size_t nr, struct sf_error *err);
/*
 * The same from a profile that is being made: add the window behind each column, and finish after the
 * last. finish takes profile.self and total as they are (sf_profile_finish() was called). 0 or -errno.
 */
struct sf_growths *sf_growths_new(void);
int sf_growths_add(struct sf_growths *g, const struct sf_window *w);
int sf_growths_finish(struct sf_growths *g, const struct sf_recording *rec);
void sf_growths_free(struct sf_growths *g);

/* Describe any column of values (by profile column, as sf_profile_total() has them). 0 or -errno. */
int sf_growths_describe(const struct sf_growths *g, const double *by_column, struct sf_growth *out);

static inline const struct sf_growth_line *sf_growths_pause(const struct sf_growths *g)
{
	return &g->line[0];
}

/* "BRANCH 3": the number at which the likeliest step of a line is; 0 unknown. */
uint32_t sf_growths_branch(const struct sf_growths *g, const struct sf_growth *growth);

#endif
