/* SPDX-License-Identifier: GPL-2.0-only */
/* Which of the covariates at the windows' edges goes with the pauses. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/diff_internal.h"

static const double least_change = 0.5; /* relative, to be worth a word */
enum { MAX_MOVED = 12 };

/* Two series for each name of the last window: at its beginning, and its change inside. */
static double *series(const struct sf_diff *d, const struct sf_window_ref *last)
{
	size_t n = d->profile.nr_columns, count = 2 * last->window->nr_covariates;
	double *v = calloc(count * n + 1, sizeof(*v));

	for (size_t i = 0; v && i < count; i++) {
		const char *name = sf_text(last->rec, last->window->covariate[i / 2].name);

		for (size_t c = 0; c < n; c++)
			v[i * n + c] = sf_window_covariate(d->ref[c].rec, d->ref[c].window, name, i % 2);
	}
	return v;
}

static bool changed(const struct sf_corr_covariate *c)
{
	double base = fmax(fabs(c->fast), fabs(c->slow));

	return base > 0 && fabs(c->slow - c->fast) >= least_change * base;
}

static int list(struct sf_diff *d, const struct sf_window_ref *last,
		const struct sf_corr_covariate *ranked, size_t count)
{
	d->moved = calloc(MAX_MOVED, sizeof(*d->moved));
	if (!d->moved)
		return -ENOMEM;
	for (size_t i = 0; i < count && d->nr_moved < MAX_MOVED; i++) {
		const struct sf_corr_covariate *c = &ranked[i];
		struct sf_moved *m = &d->moved[d->nr_moved];

		if (!changed(c))
			continue;
		*m = (struct sf_moved){
			.fast = c->fast, .slow = c->slow, .during = c->at % 2,
			.score = c->corr.rho, .p = c->corr.p, .p_min = c->corr.p_min,
			.separates = c->separates,
		};
		m->name = sf_diff_keep(d, "%s", sf_text(last->rec,
							last->window->covariate[c->at / 2].name));
		if (!m->name)
			return -ENOMEM;
		d->nr_moved++;
	}
	return 0;
}

int sf_list_moved(struct diff_build *b)
{
	struct sf_diff *d = b->d;
	const struct sf_window_ref *last = &d->ref[d->profile.nr_columns - 1];
	size_t count = 2 * last->window->nr_covariates;
	struct sf_corr_covariate *ranked;
	double *v;
	int ret = -ENOMEM;

	if (!count)
		return 0;
	v = series(d, last);
	ranked = calloc(count, sizeof(*ranked));
	if (v && ranked)
		ret = sf_corr_covariates(d->pause_ms, d->profile.nr_columns, v, count,
					 (struct sf_span){ 0, d->nr[SF_FAST] },
					 (struct sf_span){ d->nr[SF_FAST], d->nr[SF_SLOW] }, ranked);
	if (!ret)
		ret = list(d, last, ranked, count);
	free(v);
	free(ranked);
	return ret;
}
