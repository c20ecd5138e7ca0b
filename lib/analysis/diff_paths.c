/* SPDX-License-Identifier: GPL-2.0-only */
#include <snapflame/diff_paths.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/diff_internal.h"

static const double worth_a_row = 0.001; /* of the longest pause, in some window */
static const double max_false = 0.05;    /* share of the false among those said to differ */

struct table {
	struct sf_diff_paths *t;
	const struct sf_diff *d;
	const struct sf_profile *p;
	uint32_t *row;             /* by path: its row + 1; 0: it has none */
	struct sf_path_diff *test; /* by path */
	double *q, *both;          /* by path, of trends: adjusted, two-sided p */
};

const char *sf_path_class_name(enum sf_path_class c)
{
	static const char *const name[] = {
		[SF_PATH_UNTESTED] = "untested", [SF_PATH_UNCLEAR] = "unclear",
		[SF_PATH_GREW] = "grew",         [SF_PATH_SHRANK] = "shrank",
		[SF_PATH_NEW] = "new",           [SF_PATH_VANISHED] = "vanished",
		[SF_PATH_SHIFT] = "shift",
	};

	return name[c];
}

/* Parents have at least what their children have: the rows are a tree, too. */
static int list_rows(struct table *x)
{
	const struct sf_profile *p = x->p;
	double longest = 0;

	for (size_t k = 0; k < p->nr_columns; k++)
		longest = fmax(longest, sf_profile_total(p, 0, k));
	for (uint32_t i = 0; i < p->nr_paths; i++) {
		double most = 0;

		for (size_t k = 0; k < p->nr_columns; k++)
			most = fmax(most, sf_profile_total(p, i, k));
		if (!i || (most > 0 && most >= worth_a_row * longest))
			x->row[i] = (uint32_t)++x->t->nr_rows;
	}
	x->t->row = calloc(x->t->nr_rows, sizeof(*x->t->row));
	return x->t->row ? 0 : -ENOMEM;
}

/* ---------------------------------------------------------------------------- figures */

static double median_ms(const struct table *x, const double *ms, enum sf_side side, uint32_t path)
{
	const size_t *c = x->d->median_column[side];
	const double *v = ms + path * x->p->nr_columns;

	return (v[c[0]] + v[c[1]]) / 2;
}

/*
 * The sides of a trend are its ends, and their spread is its slope: the growth is that of the
 * regression over the BRANCH numbers, as for the pauses.
 */
static int test_trend(struct table *x, const double *ms)
{
	size_t n = x->p->nr_paths, columns = x->p->nr_columns;
	ssize_t found;

	for (size_t i = 0; i < n; i++) {
		const double *v = ms + i * columns;
		struct sf_estimate e = { 0 };
		double p = NAN;

		memset(&x->test[i], 0, sizeof(x->test[i]));
		x->test[i].interval.lo = x->test[i].interval.hi = NAN;
		x->test[i].interval.delta = sf_median(v + x->d->nr[SF_FAST], x->d->nr[SF_SLOW]) -
					    sf_median(v, x->d->nr[SF_FAST]);
		if (!sf_trend_growth(x->d, v, &e, &p) && e.hi > e.lo) {
			x->test[i].interval.lo = e.lo;
			x->test[i].interval.hi = e.hi;
			x->test[i].interval.known = true;
		} else {
			p = NAN;
		}
		x->test[i].test.p_up = p;
		x->both[i] = isnan(p) ? NAN : fmin(1, 2 * fmin(p, 1 - p));
		x->test[i].p = x->both[i];
	}
	found = sf_fdr(x->both, NULL, n, max_false, x->q, NULL);
	for (size_t i = 0; i < n && found >= 0; i++)
		x->test[i].q = x->q[i];
	return found < 0 ? (int)found : 0;
}

static int test_all(struct table *x, const double *ms)
{
	const struct sf_paths_opts opts = { .two_sided = true, .q = max_false };

	if (x->d->trend)
		return test_trend(x, ms);
	return sf_paths_diff(ms, x->p->nr_paths, x->d->nr[SF_FAST], x->d->nr[SF_SLOW], &opts,
			     x->test, NULL);
}

static void fill(const struct table *x, const double *ms, uint32_t path, struct sf_path_change *c)
{
	const struct sf_path_diff *t = &x->test[path];

	for (int s = 0; s < SF_NR_SIDES; s++)
		c->ms[s] = median_ms(x, ms, s, path);
	c->interval = t->interval;
	c->p = isnan(t->p) ? NAN : t->test.p_up;
	c->q = t->q;
}

static bool absent(const struct table *x, uint32_t path, enum sf_side side)
{
	size_t first = side == SF_SLOW ? x->d->nr[SF_FAST] : 0;

	for (size_t k = 0; k < x->d->nr[side]; k++)
		if (sf_profile_total(x->p, path, first + k) > 0)
			return false;
	return true;
}

static enum sf_path_class class_of(const struct table *x, uint32_t path)
{
	const struct sf_path_diff *t = &x->test[path];
	bool up = t->interval.delta > 0;

	if (isnan(t->q))
		return SF_PATH_UNTESTED;
	for (size_t i = 0; path && i < x->d->nr_shifts; i++)
		if (x->d->shift[i].path != path &&
		    (x->d->shift[i].from == path || x->d->shift[i].to == path))
			return SF_PATH_SHIFT;
	if (t->q > max_false)
		return SF_PATH_UNCLEAR;
	if (absent(x, path, up ? SF_FAST : SF_SLOW))
		return up ? SF_PATH_NEW : SF_PATH_VANISHED;
	return up ? SF_PATH_GREW : SF_PATH_SHRANK;
}

/* -------------------------------------------------------------------------- the table */

static void fill_inclusive(struct table *x)
{
	for (uint32_t i = 0; i < x->p->nr_paths; i++) {
		struct sf_path_row *r = x->row[i] ? &x->t->row[x->row[i] - 1] : NULL;

		x->t->tested += !isnan(x->test[i].q);
		if (!r)
			continue;
		r->path = i;
		r->parent = i ? x->row[x->p->path[i].parent] - 1 : 0;
		fill(x, x->p->total, i, &r->inclusive);
		r->class = class_of(x, i);
	}
}

static void fill_exclusive(struct table *x)
{
	for (uint32_t i = 0; i < x->p->nr_paths; i++) {
		if (x->row[i]) {
			fill(x, x->p->self, i, &x->t->row[x->row[i] - 1].exclusive);
			continue;
		}
		x->t->rest++;
		for (int s = 0; s < SF_NR_SIDES; s++)
			x->t->rest_ms[s] += median_ms(x, x->p->self, s, i);
	}
}

static int make(struct table *x)
{
	int ret = list_rows(x);

	if (!ret)
		ret = test_all(x, x->p->total);
	if (!ret)
		fill_inclusive(x);
	if (!ret)
		ret = test_all(x, x->p->self);
	if (!ret)
		fill_exclusive(x);
	return ret;
}

int sf_diff_paths_make(struct sf_diff_paths **out, const struct sf_diff *d)
{
	struct table x = { .d = d, .p = &d->profile };
	size_t n = x.p->nr_paths;
	int ret = -ENOMEM;

	*out = NULL;
	x.t = calloc(1, sizeof(*x.t));
	if (!n && x.t) {
		*out = x.t;
		return 0;
	}
	x.row = calloc(n, sizeof(*x.row));
	x.test = calloc(n, sizeof(*x.test));
	x.q = calloc(2 * n, sizeof(*x.q));
	x.both = x.q ? x.q + n : NULL;
	if (x.t && x.row && x.test && x.q)
		ret = make(&x);
	free(x.row);
	free(x.test);
	free(x.q);
	if (ret)
		sf_diff_paths_free(x.t);
	else
		*out = x.t;
	return ret;
}

void sf_diff_paths_free(struct sf_diff_paths *t)
{
	if (!t)
		return;
	free(t->row);
	free(t);
}
