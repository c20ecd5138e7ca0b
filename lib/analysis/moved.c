/* SPDX-License-Identifier: GPL-2.0-only */
/* Which of the covariates at the windows' edges goes with the pauses. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/diff_internal.h"

static const double least_change = 0.5; /* relative, to be worth a word */
enum { MAX_MOVED = 12 };

struct series {
	double *v; /* by column; NAN unknown */
	size_t nr;
};

static double value(const struct sf_window_ref *ref, const char *name, bool during)
{
	const struct sf_window *w = ref->window;

	for (size_t i = 0; i < w->nr_covariates; i++) {
		const struct sf_covariate *c = &w->covariate[i];

		if (strcmp(sf_text(ref->rec, c->name), name) || !c->has_begin)
			continue;
		if (!during)
			return c->begin;
		return c->has_end ? c->end - c->begin : NAN;
	}
	return NAN;
}

/* How well the covariate ranks the windows as the pauses do: -1 … 1. */
static double agreement(const struct sf_diff *d, const double *v)
{
	struct sf_kendall k;

	if (sf_kendall(v, d->pause_ms, d->profile.nr_columns, &k))
		return 0;
	return k.tau;
}

static int consider(struct diff_build *b, const char *name, bool during, double *v)
{
	struct sf_diff *d = b->d;
	struct sf_moved m = { .name = name, .during = during }, *list;
	double base;

	for (size_t c = 0; c < d->profile.nr_columns; c++) {
		v[c] = value(&d->ref[c], name, during);
		if (!isfinite(v[c]))
			return 0;
	}
	m.fast = sf_median(v, d->nr[SF_FAST]);
	m.slow = sf_median(v + d->nr[SF_FAST], d->nr[SF_SLOW]);
	base = fmax(fabs(m.fast), fabs(m.slow));
	if (base <= 0 || fabs(m.slow - m.fast) < least_change * base)
		return 0;
	m.score = d->profile.nr_columns >= 4 ? agreement(d, v)
					     : (m.slow - m.fast) / base;
	list = realloc(d->moved, (d->nr_moved + 1) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	d->moved = list;
	d->moved[d->nr_moved++] = m;
	return 0;
}

static int by_score(const void *a, const void *b)
{
	const struct sf_moved *x = a, *y = b;
	double dx = fabs(x->score), dy = fabs(y->score);

	if (dx != dy)
		return dx > dy ? -1 : 1;
	dx = fabs(x->slow - x->fast);
	dy = fabs(y->slow - y->fast);
	return dx > dy ? -1 : dx < dy;
}

int sf_list_moved(struct diff_build *b)
{
	struct sf_diff *d = b->d;
	const struct sf_window_ref *ref = &d->ref[d->profile.nr_columns - 1];
	double *v = calloc(d->profile.nr_columns, sizeof(*v));
	int ret = v ? 0 : -ENOMEM;

	for (size_t i = 0; !ret && i < ref->window->nr_covariates; i++) {
		const char *name = sf_diff_keep(d, "%s", sf_text(ref->rec, ref->window->covariate[i].name));

		if (!name)
			ret = -ENOMEM;
		for (int during = 0; !ret && during < 2; during++)
			ret = consider(b, name, during, v);
	}
	free(v);
	if (d->nr_moved)
		qsort(d->moved, d->nr_moved, sizeof(*d->moved), by_score);
	if (d->nr_moved > MAX_MOVED)
		d->nr_moved = MAX_MOVED;
	return ret;
}
