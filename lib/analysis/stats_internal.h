/* SPDX-License-Identifier: GPL-2.0-only */
/* What the statistics share among themselves. */
#ifndef ANALYSIS_STATS_INTERNAL_H
#define ANALYSIS_STATS_INTERNAL_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

/* Times are not worth more than half a percent: an exact fit must not beat everything. */
#define SF_STATS_PRECISION 0.005

/* Regularised incomplete beta function I_x(a, b), y = 1 - x (given for its digits near x = 1). */
double sf_stats_beta(double a, double b, double x, double y);

/* lgamma() without the global signgam. */
double sf_stats_log_gamma(double x);

void sf_stats_sort(double *v, size_t n);
/* Sorted copy; NULL without memory or where n is 0. The caller frees it. */
double *sf_stats_sorted(const double *v, size_t n);
/* The k-th smallest (from 0); v is reordered, smaller values before it, larger ones behind. */
double sf_stats_select(double *v, size_t n, size_t k);
/* Of sorted values. */
double sf_stats_sorted_median(const double *v, size_t n);
double sf_stats_sorted_quantile(const double *v, size_t n, double q);

/* The next order of the values in lexicographic order; false after the last. */
bool sf_stats_next_order(double *v, size_t n);

struct sf_stats_moments {
	double n, mean, variance; /* variance 0 where n is 1 */
	double squares;           /* sum of squared deviations */
};

struct sf_stats_moments sf_stats_moments(const double *v, size_t n);

/*
 * The largest |S| that Kendall's test of n values without ties does not yet call significant, with
 * this probability in either tail; INFINITY where even the most extreme order is not.
 */
double sf_stats_kendall_bound(size_t n, double tail);

static inline bool sf_stats_finite(const double *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isfinite(v[i]))
			return false;
	return true;
}

#endif
