/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the paths of a recording know together about their noise.
 *
 * Five windows say little about the variance of one path, but there are thousands of paths. As in
 * Smyth (2004): the variances scatter about a trend as a scaled inverse chi-square with d0 degrees
 * of freedom would, and d0 follows from how much more the log variances scatter than few windows
 * explain. The trend is a local line of the log variance over the log size: sampled paths (variance
 * ~ mean) and large ones (standard deviation ~ mean) have different slopes.
 */
#include <math.h>
#include <stdlib.h>

#include "stats_prior.h"

/*
 * Paths on either side that make the local line. One path alone has no prior; of two, each is the
 * other's. No more than SLOPE_MIN do not tell how noise goes with size, nor which are sparse.
 */
enum { NEIGHBOURS = 20, PATHS_MIN = 2, SLOPE_MIN = 20 };
/* Beyond that the prior is as good as known. */
static const double DF_MAX = 500;

/* psi(x) and psi'(x): upwards by the recurrence, then the asymptotic series (DLMF 5.11, 5.15). */
static double digamma(double x)
{
	double sum = 0, r;

	for (; x < 10; x++)
		sum -= 1 / x;
	r = 1 / (x * x);
	return sum + log(x) - 0.5 / x - r * (1. / 12 - r * (1. / 120 - r * (1. / 252 - r / 240)));
}

static double trigamma(double x)
{
	double sum = 0, r;

	for (; x < 10; x++)
		sum += 1 / (x * x);
	r = 1 / (x * x);
	return sum + 1 / x + r / 2 + r / x * (1. / 6 - r * (1. / 30 - r * (1. / 42 - r / 30)));
}

/* trigamma falls from infinity to 0: halve the interval in log x. */
static double trigamma_inverse(double y)
{
	double lo = 1e-4, hi = 1e6;

	for (int i = 0; i < 100; i++) {
		double x = sqrt(lo * hi);

		if (trigamma(x) > y)
			lo = x;
		else
			hi = x;
	}
	return sqrt(lo * hi);
}

static int by_mean(const void *a, const void *b)
{
	const struct sf_stats_noise *const *x = a, *const *y = b;

	if ((*x)->mean != (*y)->mean)
		return (*x)->mean < (*y)->mean ? -1 : 1;
	return (*x > *y) - (*x < *y); /* they lie in one array: a total, repeatable order */
}

static double log_size(const struct sf_stats_noise *noise)
{
	return log(fabs(noise->mean) + 1e-300);
}

/* Sums over order[0 … i-1] of x = log mean, y = log variance and their products. */
struct sums {
	double x, y, xx, xy;
};

/*
 * Local lines over order[], which is sorted by size. Lines and not means, as the largest paths have
 * only smaller neighbours, and they matter most. A path is no witness of its own: the line is that of
 * its neighbours, and how far they are says how much it is worth.
 */
static void set_trend(struct sf_stats_noise **order, size_t nr, struct sums *sum, double offset)
{
	sum[0] = (struct sums){ 0 };
	for (size_t i = 0; i < nr; i++) {
		double x = log_size(order[i]), y = order[i]->log_variance;

		sum[i + 1] = (struct sums){ sum[i].x + x, sum[i].y + y, sum[i].xx + x * x,
					    sum[i].xy + x * y };
	}
	for (size_t i = 0; i < nr; i++) {
		size_t from = i > NEIGHBOURS ? i - NEIGHBOURS : 0;
		size_t to = nr - i > NEIGHBOURS ? i + NEIGHBOURS + 1 : nr;
		double x0 = log_size(order[i]), y0 = order[i]->log_variance;
		double n = (double)(to - from - 1);
		double x = (sum[to].x - sum[from].x - x0) / n, y = (sum[to].y - sum[from].y - y0) / n;
		double sxx = (sum[to].xx - sum[from].xx - x0 * x0) / n - x * x;
		double sxy = (sum[to].xy - sum[from].xy - x0 * y0) / n - x * y;
		/* Among paths of one size a slope is chance: noise in proportion to the size. */
		bool sloped = nr > SLOPE_MIN && sxx > 0.01;
		double slope = sloped ? fmax(0, fmin(2.5, sxy / sxx)) : 2;

		order[i]->trend = y - offset + slope * (x0 - x);
		order[i]->leverage = 1 / n + (sloped ? (x0 - x) * (x0 - x) / (n * sxx) : 0);
	}
}

/*
 * Of paths without a variance: the trend of the nearest smaller path that has one, raised as noise
 * in proportion to the size would be; below the smallest, its trend as it is.
 */
static void fill_trend(struct sf_stats_noise **order, size_t nr)
{
	const struct sf_stats_noise *last = NULL;

	for (size_t i = 0; i < nr && !last; i++)
		last = order[i]->fitted ? order[i] : NULL;
	for (size_t i = 0; i < nr; i++) {
		double fold = order[i]->mean / last->mean;

		if (order[i]->fitted) {
			last = order[i];
			continue;
		}
		order[i]->trend = last->trend + (fold > 1 ? 2 * log(fold) : 0);
		order[i]->known = last->known;
	}
}

/* d0 from the scatter about the trend: of the paths that are there in most windows, if enough. */
static double prior_df(struct sf_stats_noise **order, size_t nr, double df, double offset)
{
	double squares = 0, count = 0, excess;
	size_t dense = 0;

	for (size_t i = 0; i < nr; i++)
		dense += order[i]->dense;
	for (size_t i = 0; i < nr; i++) {
		double d = order[i]->log_variance - offset - order[i]->trend;

		if (dense >= SLOPE_MIN && !order[i]->dense)
			continue;
		squares += d * d / (1 + order[i]->leverage);
		count++;
	}
	excess = squares / fmax(1, count) - trigamma(df / 2);
	if (excess <= trigamma(DF_MAX / 2))
		return DF_MAX;
	return 2 * trigamma_inverse(excess);
}

/* What the trend is worth at each path: few neighbours, or far ones, do not know it exactly. */
static void set_known(struct sf_stats_noise **order, size_t nr, double df, double prior)
{
	double own = trigamma(df / 2);

	for (size_t i = 0; i < nr; i++)
		order[i]->known = 2 / (2 / prior + order[i]->leverage * (own + 2 / prior));
}

int sf_stats_prior(struct sf_stats_noise *noise, size_t n, double df, double *prior)
{
	double offset = digamma(df / 2) - log(df / 2);
	struct sf_stats_noise **order = NULL;
	struct sums *sum = NULL;
	size_t nr = 0, all = 0;
	int ret = -1;

	*prior = 0;
	order = calloc(n + 1, sizeof(*order));
	sum = calloc(n + 1, sizeof(*sum));
	if (!order || !sum)
		goto out;
	ret = 0;
	for (size_t i = 0; i < n; i++)
		if (noise[i].fitted)
			order[nr++] = &noise[i];
	if (nr < PATHS_MIN)
		goto out;
	qsort(order, nr, sizeof(*order), by_mean);
	set_trend(order, nr, sum, offset);
	*prior = prior_df(order, nr, df, offset);
	set_known(order, nr, df, *prior);
	for (size_t i = 0; i < n; i++)
		order[all++] = &noise[i];
	qsort(order, all, sizeof(*order), by_mean);
	fill_trend(order, all);
out:
	free(order);
	free(sum);
	return ret;
}
