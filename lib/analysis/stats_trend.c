/* SPDX-License-Identifier: GPL-2.0-only */
/* Theil-Sen slope with Sen's interval, Mann-Kendall test. */
#include <snapflame/stats.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats_internal.h"

/* Slopes of all pairs of different x; returns how many. */
static size_t pair_slopes(const double *x, const double *v, size_t n, double *slope)
{
	size_t nr = 0;

	for (size_t i = 1; i < n; i++)
		for (size_t k = 0; k < i; k++)
			if (x[i] != x[k])
				slope[nr++] = (v[i] - v[k]) / (x[i] - x[k]);
	return nr;
}

/*
 * Sen (1968): the slopes at which S, taken of v - slope * x, is not yet significant. Equal x leave
 * fewer slopes and a smaller S than the bound counts with: that makes the interval wider, not
 * narrower.
 */
static void slope_interval(double *slope, size_t nr, size_t n, struct sf_trend *out)
{
	double bound = sf_stats_kendall_bound(n, 0.025);
	double below = floor(((double)nr - bound) / 2);

	out->lo = out->hi = NAN;
	if (!(below >= 1))
		return;
	out->lo = sf_stats_select(slope, nr, (size_t)below - 1);
	out->hi = sf_stats_select(slope, nr, nr - (size_t)below);
}

int sf_trend(const double *x, const double *v, size_t n, struct sf_trend *out)
{
	double *at = NULL, *slope = NULL;
	int ret = -ENOMEM;
	size_t nr;

	memset(out, 0, sizeof(*out));
	if (n < 2 || n > SF_TREND_MAX)
		return -EINVAL;
	at = calloc(n, sizeof(*at));
	slope = calloc(n * (n - 1) / 2, sizeof(*slope));
	if (!at || !slope)
		goto out;
	for (size_t i = 0; i < n; i++)
		at[i] = x ? x[i] : (double)i;
	ret = sf_kendall(at, v, n, &out->kendall);
	if (ret)
		goto out;
	nr = pair_slopes(at, v, n, slope);
	if (!nr) {
		ret = -EINVAL;
		goto out;
	}
	out->slope = sf_stats_select(slope, nr, nr / 2);
	if (!(nr & 1))
		out->slope = (out->slope + sf_stats_select(slope, nr, nr / 2 - 1)) / 2;
	slope_interval(slope, nr, n, out);
out:
	free(at);
	free(slope);
	return ret;
}

static int by_branch(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/*
 * Medians of the windows that share a BRANCH number, in the order of the numbers. pairs holds n
 * (number, value) and is sorted; returns how many numbers there are.
 */
static size_t median_by_branch(double (*pairs)[2], size_t n, double *room, double *median)
{
	size_t nr = 0;

	qsort(pairs, n, sizeof(*pairs), by_branch);
	for (size_t i = 0, k; i < n; i = k) {
		for (k = i; k < n && pairs[k][0] == pairs[i][0]; k++)
			room[k - i] = pairs[k][1];
		sf_stats_sort(room, k - i);
		median[nr++] = sf_stats_sorted_median(room, k - i);
	}
	return nr;
}

int sf_growth_describe(const double *branch, const double *v, size_t n,
		       const struct sf_series_opts *opts, struct sf_growth *out)
{
	double(*pairs)[2] = NULL, *room = NULL;
	int ret;

	memset(out, 0, sizeof(*out));
	ret = sf_trend(branch, v, n, &out->trend);
	if (ret)
		return ret;
	pairs = calloc(n, sizeof(*pairs));
	room = calloc(n, 2 * sizeof(*room));
	ret = -ENOMEM;
	if (!pairs || !room)
		goto out;
	for (size_t i = 0; i < n; i++) {
		pairs[i][0] = branch ? branch[i] : (double)i;
		pairs[i][1] = v[i];
	}
	out->branches = median_by_branch(pairs, n, room, room + n);
	ret = sf_series_describe(room + n, out->branches, opts, &out->series);
out:
	free(pairs);
	free(room);
	return ret;
}
