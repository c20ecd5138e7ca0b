/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether there is a growth at all to give a verdict on. docs/statistics.md has the reasons. */
#include "analysis/diff_internal.h"

/* What a scheduler gives and takes, and how sure a series has to be of a growth that is no more than that. */
static const double few_ms = 5, few_ms_p = 0.005;
static const double most_false = 0.02; /* verdicts that rest on the growth of the first cause alone */
static const double least_own = 0.2;   /* of the difference: what such a cause did itself */

bool sf_medians_apart(const struct diff_build *b)
{
	const struct sf_diff *d = b->d;

	return d->delta.value >= b->min_ms &&
	       d->delta.value >= b->min_pct / 100 * d->median_ms[SF_FAST];
}

/* Pauses of an idle VM come in all lengths from 2 to 5 ms, and five in a row often look like a trend. */
bool sf_too_few_ms(const struct diff_build *b)
{
	return b->split_found && b->d->delta.value < few_ms && !(b->d->series_p <= few_ms_p);
}

bool sf_pauses_grew(const struct diff_build *b)
{
	const struct sf_diff *d = b->d;

	if (b->no_growth || !sf_medians_apart(b) || sf_too_few_ms(b))
		return false;
	return b->split_found || !d->delta.has_interval || d->delta.lo > 0;
}

/*
 * Pauses on a busy machine wait for a CPU as it comes, and their series shows nothing; what the cause
 * did itself, without that wait, may still grow from BRANCH to BRANCH. Only the first cause is asked,
 * which was chosen for its size among all, so its p has to stand for each of them; Sen's interval keeps
 * a single odd window from deciding.
 */
bool sf_cause_grew(const struct diff_build *b)
{
	const struct sf_diff *d = b->d;
	const struct sf_cause *c = d->nr_causes ? &d->cause[0] : NULL;
	double own = 0;

	if (!b->no_growth || !sf_medians_apart(b) || !c || !c->path || c->shift ||
	    c->growth.branches < SF_GROWTH_MIN)
		return false;
	for (size_t i = 0; i < c->nr_parts; i++)
		if (c->part[i].path)
			own += c->part[i].slow_ms - c->part[i].fast_ms;
	return c->growth.trend.lo > 0 && c->growth.series.shape != SF_SHAPE_FLAT &&
	       c->growth.series.p * (double)d->nr_causes <= most_false &&
	       own >= b->min_ms && own >= b->min_pct / 100 * d->median_ms[SF_FAST] &&
	       own >= least_own * d->delta.value;
}
