/* SPDX-License-Identifier: GPL-2.0-only */
/* Medians, quantiles, and the windows that make a median. */
#include <snapflame/stats.h>

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "stats_internal.h"

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void sf_stats_sort(double *v, size_t n)
{
	if (n > 48) {
		qsort(v, n, sizeof(*v), by_value);
		return;
	}
	/* The groups of windows are small, and there is one sort for every path. */
	for (size_t i = 1; i < n; i++) {
		double x = v[i];
		size_t k = i;

		for (; k > 0 && v[k - 1] > x; k--)
			v[k] = v[k - 1];
		v[k] = x;
	}
}

double *sf_stats_sorted(const double *v, size_t n)
{
	double *copy = n && n <= SIZE_MAX / sizeof(*v) ? malloc(n * sizeof(*v)) : NULL;

	if (copy) {
		memcpy(copy, v, n * sizeof(*v));
		sf_stats_sort(copy, n);
	}
	return copy;
}

/* Hoare's selection, the middle of three as pivot: all slopes of a trend need no sorting. */
double sf_stats_select(double *v, size_t n, size_t k)
{
	size_t lo = 0, hi = n - 1;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2, i = lo, j = hi;
		double a = v[lo], b = v[mid], c = v[hi];
		double pivot = fmax(fmin(a, b), fmin(fmax(a, b), c));

		for (;;) {
			while (v[i] < pivot)
				i++;
			while (v[j] > pivot)
				j--;
			if (i >= j)
				break;
			a = v[i], v[i] = v[j], v[j] = a;
			i++, j--;
		}
		/* v[lo … i-1] <= pivot <= v[j+1 … hi] */
		if (k < i)
			hi = i - 1;
		else if (k > j)
			lo = j + 1; /* i <= j + 1 */
		else
			return v[k];
	}
	return v[k];
}

double sf_stats_sorted_median(const double *v, size_t n)
{
	return n & 1 ? v[n / 2] : v[n / 2 - 1] + (v[n / 2] - v[n / 2 - 1]) / 2;
}

double sf_stats_sorted_quantile(const double *v, size_t n, double q)
{
	double h = (double)(n - 1) * q;
	size_t low = (size_t)h;

	if (low >= n - 1)
		return v[n - 1];
	return v[low] + (h - (double)low) * (v[low + 1] - v[low]);
}

double sf_median(const double *v, size_t n)
{
	return sf_quantile(v, n, 0.5);
}

double sf_quantile(const double *v, size_t n, double q)
{
	double *sorted = q >= 0 && q <= 1 ? sf_stats_sorted(v, n) : NULL;
	double result = NAN;

	if (sorted)
		result = sf_stats_sorted_quantile(sorted, n, q);
	free(sorted);
	return result;
}

double sf_mad(const double *v, size_t n)
{
	double *sorted = sf_stats_sorted(v, n), median, result;

	if (!sorted)
		return NAN;
	median = sf_stats_sorted_median(sorted, n);
	for (size_t i = 0; i < n; i++)
		sorted[i] = fabs(sorted[i] - median);
	sf_stats_sort(sorted, n);
	result = sf_stats_sorted_median(sorted, n);
	free(sorted);
	return result;
}

/* How many windows come before window i in the order of values, then of positions. */
static size_t rank_of(const double *v, size_t n, size_t i)
{
	size_t rank = 0;

	for (size_t k = 0; k < n; k++)
		rank += v[k] < v[i] || (v[k] == v[i] && k < i);
	return rank;
}

size_t sf_median_windows(const double *v, size_t n, size_t at[2])
{
	if (!n)
		return 0;
	for (size_t i = 0; i < n; i++) {
		size_t rank = rank_of(v, n, i);

		if (rank == (n - 1) / 2)
			at[0] = i;
		if (rank == n / 2)
			at[1] = i;
	}
	return n & 1 ? 1 : 2;
}
