/* SPDX-License-Identifier: GPL-2.0-only */
/* Theil-Sen slope with Sen's interval, Mann-Kendall test. */
#include <snapflame/stats.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats_internal.h"

/* Slopes of all pairs of different x, sorted; returns how many. */
static size_t pair_slopes(const double *x, const double *v, size_t n, double *slope)
{
	size_t nr = 0;

	for (size_t i = 1; i < n; i++)
		for (size_t k = 0; k < i; k++)
			if (x[i] != x[k])
				slope[nr++] = (v[i] - v[k]) / (x[i] - x[k]);
	sf_stats_sort(slope, nr);
	return nr;
}

/*
 * Sen (1968): the slopes at which S, taken of v - slope * x, is not yet significant. Equal x leave
 * fewer slopes and a smaller S than the bound counts with: that makes the interval wider, not
 * narrower.
 */
static void slope_interval(const double *slope, size_t nr, size_t n, struct sf_trend *out)
{
	double bound = sf_stats_kendall_bound(n, 0.025);
	double below = floor(((double)nr - bound) / 2);

	out->lo = out->hi = NAN;
	if (!(below >= 1))
		return;
	out->lo = slope[(size_t)below - 1];
	out->hi = slope[nr - (size_t)below];
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
	out->slope = sf_stats_sorted_median(slope, nr);
	slope_interval(slope, nr, n, out);
out:
	free(at);
	free(slope);
	return ret;
}
