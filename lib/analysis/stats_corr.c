/* SPDX-License-Identifier: GPL-2.0-only */
/* Which covariate goes with the pause. */
#include <snapflame/stats.h>

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "stats_internal.h"

/* 8! = 40320 orders are tried, more are approximated. */
enum { TRY_N_MAX = 8 };

/* Ranks from 1, ties share their mean. */
static void rank(const double *v, size_t n, double *out)
{
	for (size_t i = 0; i < n; i++) {
		double below = 0, same = 0;

		for (size_t k = 0; k < n; k++) {
			below += v[k] < v[i];
			same += v[k] == v[i];
		}
		out[i] = below + (same + 1) / 2;
	}
}

/* Twice the centred ranks are whole numbers: their products are exact, and so are comparisons. */
static double product(const double *rx, const double *ry, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (2 * rx[i] - (double)n - 1) * (2 * ry[i] - (double)n - 1);
	return sum;
}

/* Two-sided p of the product, over all orders of ry (sorted at the start). */
static void try_orders(const double *rx, double *ry, size_t n, double observed, struct sf_corr *out)
{
	double as_extreme = 0, extreme = 0, all = 0, most = -1;

	do {
		double s = fabs(product(rx, ry, n));

		all++;
		as_extreme += s >= fabs(observed);
		if (s > most) {
			most = s;
			extreme = 0;
		}
		extreme += s == most;
	} while (sf_stats_next_order(ry, n));
	out->p = as_extreme / all;
	out->p_min = extreme / all;
	out->exact = true;
}

int sf_rank_corr(const double *x, const double *y, size_t n, struct sf_corr *out)
{
	double *rx = NULL, *ry = NULL, xx, yy, xy;

	*out = (struct sf_corr){ .n = n, .p = 1, .p_min = 1 };
	if (n < 2 || n > SIZE_MAX / (2 * sizeof(*rx)) || !sf_stats_finite(x, n) ||
	    !sf_stats_finite(y, n))
		return -EINVAL;
	rx = calloc(n, 2 * sizeof(*rx));
	if (!rx)
		return -ENOMEM;
	ry = rx + n;
	rank(x, n, rx);
	rank(y, n, ry);
	xx = product(rx, rx, n);
	yy = product(ry, ry, n);
	xy = product(rx, ry, n);
	if (xx > 0 && yy > 0) {
		out->rho = xy / sqrt(xx * yy);
		if (n <= TRY_N_MAX) {
			sf_stats_sort(ry, n);
			try_orders(rx, ry, n, xy, out);
		} else {
			double df = (double)n - 2, left = fmax(0, 1 - out->rho * out->rho);

			out->p = fmin(1, 2 * sf_t_upper(fabs(out->rho) * sqrt(df / left), df));
			/* Of n! orders no fewer than two are as far out, which t does not know. */
			out->p = fmax(out->p, 2 * exp(-lgamma((double)n + 1)));
			out->p_min = 0;
		}
	}
	free(rx);
	return 0;
}

static double median_at(const double *v, struct sf_span span, double *room)
{
	size_t nr = 0;

	for (size_t i = 0; i < span.n; i++)
		if (!isnan(v[span.first + i]))
			room[nr++] = v[span.first + i];
	sf_stats_sort(room, nr);
	return nr ? sf_stats_sorted_median(room, nr) : NAN;
}

/* 1: every slow window lies above every fast one; -1: below; 0: they overlap, or one is missing. */
static int separation(const double *v, struct sf_span fast, struct sf_span slow)
{
	int dir = 0;

	for (size_t i = 0; i < fast.n; i++) {
		for (size_t k = 0; k < slow.n; k++) {
			double a = v[fast.first + i], b = v[slow.first + k];
			int now = (b > a) - (b < a);

			if (!now || (dir && now != dir))
				return 0;
			dir = now;
		}
	}
	return dir;
}

/* Fold by which it moved; from 0 it is as good as infinite. */
static double fold_of(const struct sf_corr_covariate *c)
{
	double lo = fmin(fabs(c->fast), fabs(c->slow)), hi = fmax(fabs(c->fast), fabs(c->slow));

	return isnan(c->fast) || isnan(c->slow) || hi == 0 ? 1 : lo == 0 ? INFINITY : hi / lo;
}

/* What goes with the pause comes first: the groups apart, then the closest order, then the move. */
static int by_evidence(const void *a, const void *b)
{
	const struct sf_corr_covariate *x = a, *y = b;
	double fx = fold_of(x), fy = fold_of(y), rx = fabs(x->corr.rho), ry = fabs(y->corr.rho);

	if (!x->separates != !y->separates)
		return x->separates ? -1 : 1;
	if (fabs(rx - ry) > 1e-9)
		return rx > ry ? -1 : 1;
	if (fx != fy)
		return fx > fy ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

static int describe(const double *pause, size_t n, const double *v, double *room,
		    struct sf_corr_covariate *c)
{
	double *x = room, *y = room + n;
	size_t nr = 0;

	for (size_t i = 0; i < n; i++) {
		if (isnan(v[i]))
			continue;
		x[nr] = pause[i];
		y[nr++] = v[i];
	}
	if (nr < 2) {
		c->corr = (struct sf_corr){ .n = nr, .p = 1, .p_min = 1 };
		return 0;
	}
	return sf_rank_corr(x, y, nr, &c->corr);
}

int sf_corr_covariates(const double *pause, size_t n, const double *values, size_t count,
		  struct sf_span fast, struct sf_span slow, struct sf_corr_covariate *out)
{
	double *room;
	int ret = 0;

	if (n < 2 || fast.n > n || slow.n > n || fast.first > n - fast.n ||
	    slow.first > n - slow.n || n > SIZE_MAX / (2 * sizeof(*room)))
		return -EINVAL;
	room = calloc(n, 2 * sizeof(*room));
	if (!room)
		return -ENOMEM;
	for (size_t i = 0; i < count && !ret; i++) {
		const double *v = values + i * n;

		out[i] = (struct sf_corr_covariate){ .at = i };
		ret = describe(pause, n, v, room, &out[i]);
		out[i].fast = median_at(v, fast, room);
		out[i].slow = median_at(v, slow, room);
		out[i].separates = separation(v, fast, slow);
	}
	if (!ret && count)
		qsort(out, count, sizeof(*out), by_evidence);
	free(room);
	return ret;
}
