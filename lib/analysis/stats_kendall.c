/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kendall's S = concordant - discordant pairs, and its distribution when the order of y is random.
 *
 * Three ways, the first that applies: x without ties and n <= 20: the numbers of inversions of the
 * permutations of a multiset are the coefficients of a q-multinomial (MacMahon), exact with any
 * ties in y. Ties in both and n <= 8: all orders are tried. Else the normal approximation with the
 * variance for ties in both (Kendall, Rank Correlation Methods, 4th ed. 1970, ch. 4 and 5).
 */
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/stats.h>

#include "stats_internal.h"

/* 20! < 2^64, and so is every coefficient. */
enum { COUNT_N_MAX = 20, COUNT_MAX = COUNT_N_MAX * (COUNT_N_MAX - 1) / 2 + 1, TRY_N_MAX = 8 };

/* What ties of sizes t, t', … take away, and the parts of the variance that they change. */
struct ties {
	double pairs;   /* sum of t (t - 1) / 2 */
	double triples; /* sum of t (t - 1) (t - 2) */
	double var;     /* sum of t (t - 1) (2 t + 5) */
};

static struct ties count_ties(const double *sorted, size_t n)
{
	struct ties ties = { 0 };

	for (size_t i = 0, k; i < n; i = k) {
		double t;

		for (k = i + 1; k < n && sorted[k] == sorted[i]; k++)
			;
		t = (double)(k - i);
		ties.pairs += t * (t - 1) / 2;
		ties.triples += t * (t - 1) * (t - 2);
		ties.var += t * (t - 1) * (2 * t + 5);
	}
	return ties;
}

static int sign(double d)
{
	return (d > 0) - (d < 0);
}

static double s_of(const double *x, const double *y, size_t n)
{
	double s = 0;

	for (size_t i = 1; i < n; i++)
		for (size_t k = 0; k < i; k++)
			s += sign(x[i] - x[k]) * sign(y[i] - y[k]);
	return s;
}

/* Multiply by 1 + q + … + q^(j-1); the degree grows from deg to deg + j - 1. */
static void multiply(uint64_t *poly, size_t deg, size_t j)
{
	uint64_t sum[COUNT_MAX] = { 0 }, window = 0;

	for (size_t i = 0; i < deg + j; i++) {
		window += i <= deg ? poly[i] : 0;
		window -= i >= j ? poly[i - j] : 0;
		sum[i] = window;
	}
	memcpy(poly, sum, (deg + j) * sizeof(*poly));
}

/* The reverse, where it leaves no remainder. */
static void divide(uint64_t *poly, size_t deg, size_t j)
{
	uint64_t quotient[COUNT_MAX];

	for (size_t i = 0; i <= deg; i++) {
		quotient[i] = poly[i] - (i ? poly[i - 1] : 0);
		quotient[i] += i >= j ? quotient[i - j] : 0;
	}
	memcpy(poly, quotient, (deg + 1) * sizeof(*poly));
}

/* count[i]: how many orders of the sorted values have i inversions; returns the largest i. */
static size_t count_inversions(const double *sorted, size_t n, uint64_t count[COUNT_MAX])
{
	size_t deg = 0;

	memset(count, 0, COUNT_MAX * sizeof(*count));
	count[0] = 1;
	for (size_t j = 2; j <= n; j++) {
		multiply(count, deg, j);
		deg += j - 1;
	}
	for (size_t i = 0, k; i < n; i = k) {
		for (k = i + 1; k < n && sorted[k] == sorted[i]; k++) {
			divide(count, deg, k - i + 1);
			deg -= k - i;
		}
	}
	return deg;
}

/* P(S >= s) from the counts; S = deg - 2 * inversions. */
static double upper_of_counts(const uint64_t *count, size_t deg, double s)
{
	double upper = 0, all = 0;

	for (size_t i = 0; i <= deg; i++) {
		all += (double)count[i];
		if ((double)deg - 2 * (double)i >= s)
			upper += (double)count[i];
	}
	return upper / all;
}

bool sf_stats_next_order(double *y, size_t n)
{
	size_t i = n - 1, k = n - 1;
	double swap;

	while (i > 0 && y[i - 1] >= y[i])
		i--;
	if (!i)
		return false;
	while (y[k] <= y[i - 1])
		k--;
	swap = y[k], y[k] = y[i - 1], y[i - 1] = swap;
	for (k = n - 1; i < k; i++, k--)
		swap = y[k], y[k] = y[i], y[i] = swap;
	return true;
}

static void try_orders(const double *x, double *y, size_t n, struct sf_kendall *out)
{
	double up = 0, down = 0, extreme = 0, all = 0, most = -1;

	do {
		double s = s_of(x, y, n);

		all++;
		up += s >= out->s;
		down += s <= out->s;
		if (fabs(s) > most) {
			most = fabs(s);
			extreme = 0;
		}
		extreme += fabs(s) == most;
	} while (sf_stats_next_order(y, n));
	out->p_up = up / all;
	out->p_down = down / all;
	out->p_min = extreme / all;
}

static void approximate(const struct ties *x, const struct ties *y, size_t n,
			struct sf_kendall *out)
{
	double d = (double)n;
	double var = (d * (d - 1) * (2 * d + 5) - x->var - y->var) / 18 +
		     2 * x->pairs * y->pairs / (d * (d - 1));

	if (n > 2)
		var += x->triples * y->triples / (9 * d * (d - 1) * (d - 2));
	out->p_up = out->p_down = 1;
	if (var <= 0)
		return;
	out->p_up = sf_normal_upper((out->s - 1) / sqrt(var));
	out->p_down = sf_normal_upper((-out->s - 1) / sqrt(var));
}

static void distribution(const double *x, double *y, size_t n, const struct ties *tx,
			 const struct ties *ty, struct sf_kendall *out)
{
	if (n <= COUNT_N_MAX && tx->pairs == 0) {
		uint64_t count[COUNT_MAX];
		size_t deg = count_inversions(y, n, count);

		out->p_up = upper_of_counts(count, deg, out->s);
		out->p_down = upper_of_counts(count, deg, -out->s);
		out->p_min = fmin(1, 2 * upper_of_counts(count, deg, (double)deg));
		out->exact = true;
	} else if (n <= TRY_N_MAX) {
		try_orders(x, y, n, out);
		out->exact = true;
	} else {
		approximate(tx, ty, n, out);
	}
	out->p = fmin(1, 2 * fmin(out->p_up, out->p_down));
}

int sf_kendall(const double *x, const double *y, size_t n, struct sf_kendall *out)
{
	double *sx = NULL, *sy = NULL, pairs = (double)n * ((double)n - 1) / 2;
	struct ties tx, ty;
	int ret = -ENOMEM;

	memset(out, 0, sizeof(*out));
	if (n < 2 || !sf_stats_finite(x, n) || !sf_stats_finite(y, n))
		return -EINVAL;
	sx = sf_stats_sorted(x, n);
	sy = sf_stats_sorted(y, n);
	if (!sx || !sy)
		goto out;
	tx = count_ties(sx, n);
	ty = count_ties(sy, n);
	out->s = s_of(x, y, n);
	if (tx.pairs < pairs && ty.pairs < pairs)
		out->tau = out->s / sqrt((pairs - tx.pairs) * (pairs - ty.pairs));
	distribution(x, sy, n, &tx, &ty, out);
	ret = 0;
out:
	free(sx);
	free(sy);
	return ret;
}

double sf_stats_kendall_bound(size_t n, double tail)
{
	uint64_t count[COUNT_MAX];
	double flat[COUNT_N_MAX], d = (double)n;
	size_t deg;

	if (n > COUNT_N_MAX)
		return sf_normal_quantile(1 - tail) * sqrt(d * (d - 1) * (2 * d + 5) / 18);
	for (size_t i = 0; i < n; i++)
		flat[i] = (double)i;
	deg = count_inversions(flat, n, count);
	for (double s = (double)(deg & 1); s <= (double)deg; s += 2)
		if (upper_of_counts(count, deg, s) <= tail)
			return s - 2;
	return INFINITY;
}
