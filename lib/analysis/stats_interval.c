/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Difference of medians with an interval that holds its coverage for a few windows a side.
 *
 * A bootstrap of the median draws one of the values there are (odd n) or the mean of two (even n),
 * with probabilities that depend on n alone. So its variance needs no resampling: it is a weighted
 * sum over the sorted values, and the weights are the same for every path of a recording.
 */
#include <snapflame/stats.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats_internal.h"

/* Beyond this an even n is treated as an odd one: the difference is below 0.1 %. */
enum { PAIRS_MAX = 1024 };

/*
 * In normal samples of n values the bootstrap's variance of the median is on average 1/c times the
 * true one, and as unsteady as a chi-square of df degrees of freedom. Simulated, 100 thousand to 3
 * million samples each; the calibration in tests/bench, with the argument "table", checks it.
 */
static const struct {
	double c, df;
} calibration[] = {
	{ 0, 0 },           { 0, 0 },           { 2.0000, 1.000 },  { 0.8330, 1.998 },
	{ 0.8714, 2.909 },  { 0.7416, 3.297 },  { 0.8127, 3.856 },  { 0.7618, 3.741 },
	{ 0.8228, 4.187 },  { 0.7795, 4.074 },  { 0.8322, 4.433 },  { 0.7934, 4.360 },
	{ 0.8391, 4.697 },  { 0.8016, 4.600 },  { 0.8449, 4.927 },  { 0.8135, 4.851 },
	{ 0.8514, 5.131 },  { 0.8194, 5.089 },  { 0.8550, 5.340 },  { 0.8267, 5.291 },
	{ 0.8549, 5.574 },  { 0.8345, 5.473 },  { 0.8644, 5.687 },  { 0.8365, 5.636 },
	{ 0.8645, 5.889 },
};

/* One group of n windows: the weights of its bootstrap. */
struct side {
	size_t n;
	double c, df;
	double *one;     /* P(the median is x[i]) */
	double *lo, *hi; /* even n: P(it is (x[i] + x[k]) / 2), i < k, is lo[i] * hi[k] */
};

struct sf_interval_plan {
	struct side side[2];
};

static void side_release(struct side *s)
{
	free(s->one);
}

/* The middle order statistic of n draws (with n even: a blend of the two in the middle). */
static void weigh_single(struct side *s)
{
	double a = ((double)s->n + 1) / 2, n = (double)s->n, before = 0;

	for (size_t i = 0; i < s->n; i++) {
		double upto = sf_stats_beta(a, a, (double)(i + 1) / n, (double)(s->n - i - 1) / n);

		s->one[i] = upto - before;
		before = upto;
	}
}

/*
 * n = 2k draws: x[i] is the k-th and x[j] the next one, i < j, when k draws are at most x[i] with
 * one of them x[i], and the others at least x[j] with one of them x[j].
 */
static void weigh_pairs(struct side *s)
{
	double n = (double)s->n, k = n / 2, above = 0;
	/* log of sqrt(n over k) */
	double half = 0.5 * (sf_stats_log_gamma(n + 1) - 2 * sf_stats_log_gamma(k + 1));

	for (size_t i = 0; i < s->n; i++) {
		double p = (double)(i + 1) / n, q = (double)i / n;

		s->lo[i] = exp(half + k * log(p)) - (i ? exp(half + k * log(q)) : 0);
	}
	for (size_t i = 0; i < s->n; i++)
		s->hi[i] = s->lo[s->n - 1 - i];
	for (size_t i = s->n; i-- > 0;) {
		double p = (double)(i + 1) / n, q = (double)i / n;
		double upto = sf_stats_beta(k, k + 1, p, 1 - p);
		double before = sf_stats_beta(k, k + 1, q, 1 - q);

		s->one[i] = upto - before - s->lo[i] * above;
		above += s->hi[i];
	}
}

static int side_init(struct side *s, size_t n)
{
	size_t last = sizeof(calibration) / sizeof(calibration[0]) - 1;
	bool pairs = !(n & 1) && n <= PAIRS_MAX;

	s->n = n;
	s->one = calloc(n, (pairs ? 3 : 1) * sizeof(*s->one));
	if (!s->one)
		return -ENOMEM;
	s->lo = pairs ? s->one + n : NULL;
	s->hi = pairs ? s->lo + n : NULL;
	s->c = n <= last ? calibration[n].c : 1 - 0.8 / sqrt((double)n);
	s->df = n <= last ? calibration[n].df : 1.8 + 0.845 * sqrt((double)n);
	if (pairs)
		weigh_pairs(s);
	else
		weigh_single(s);
	return 0;
}

/* Calibrated variance of the median of the sorted values x. */
static double median_variance(const struct side *s, const double *x)
{
	double centre = sf_stats_sorted_median(x, s->n), m1 = 0, m2 = 0, variance;
	double sum = 0, sum_x = 0, sum_xx = 0; /* of lo[i], i < k */

	for (size_t k = 0; k < s->n; k++) {
		double d = x[k] - centre;

		m1 += s->one[k] * d;
		m2 += s->one[k] * d * d;
		if (!s->lo)
			continue;
		m1 += s->hi[k] * (d * sum + sum_x) / 2;
		m2 += s->hi[k] * (d * d * sum + 2 * d * sum_x + sum_xx) / 4;
		sum += s->lo[k];
		sum_x += s->lo[k] * d;
		sum_xx += s->lo[k] * d * d;
	}
	variance = m2 - m1 * m1;
	return variance > 0 ? s->c * variance : 0;
}

/*
 * Degrees of freedom of the sum of two variances. Satterthwaite's formula is too low where both
 * sides matter, Welch's own (1947) too high where they are few: their mean holds the coverage. Two
 * windows on a side are too few for that, there the careful one is taken.
 */
static double joint_df(const struct side *a, double va, const struct side *b, double vb)
{
	double sum2 = (va + vb) * (va + vb), careful, bold;

	if (sum2 <= 0)
		return a->df + b->df;
	careful = sum2 / (va * va / a->df + vb * vb / b->df);
	bold = sum2 / (va * va / (a->df + 2) + vb * vb / (b->df + 2)) - 2;
	return a->n < 3 || b->n < 3 ? careful : (careful + bold) / 2;
}

static void interval_set(struct sf_interval *out, double variance, double df)
{
	double half;

	out->known = true;
	out->se = sqrt(variance);
	out->df = df;
	half = out->se > 0 ? sf_t_quantile(0.975, df) * out->se : 0;
	out->lo = out->delta - half;
	out->hi = out->delta + half;
}

static void interval_unknown(struct sf_interval *out, double delta)
{
	*out = (struct sf_interval){ .delta = delta, .lo = NAN, .hi = NAN, .se = NAN };
}

struct sf_interval_plan *sf_interval_plan_new(size_t n, size_t m)
{
	struct sf_interval_plan *plan;

	if (!n || !m)
		return NULL;
	plan = calloc(1, sizeof(*plan));
	if (plan && (side_init(&plan->side[0], n) || side_init(&plan->side[1], m))) {
		sf_interval_plan_free(plan);
		plan = NULL;
	}
	return plan;
}

void sf_interval_plan_free(struct sf_interval_plan *plan)
{
	if (!plan)
		return;
	side_release(&plan->side[0]);
	side_release(&plan->side[1]);
	free(plan);
}

int sf_interval_plan_diff(const struct sf_interval_plan *plan, const double *fast,
			  const double *slow, struct sf_interval *out)
{
	const struct side *f = &plan->side[0], *s = &plan->side[1];
	double few[128], *x = few, *y;

	if (!sf_stats_finite(fast, f->n) || !sf_stats_finite(slow, s->n))
		return -EINVAL;
	if (f->n + s->n > sizeof(few) / sizeof(few[0])) {
		x = calloc(f->n + s->n, sizeof(*x));
		if (!x)
			return -ENOMEM;
	}
	y = x + f->n;
	memcpy(x, fast, f->n * sizeof(*x));
	memcpy(y, slow, s->n * sizeof(*y));
	sf_stats_sort(x, f->n);
	sf_stats_sort(y, s->n);
	interval_unknown(out, sf_stats_sorted_median(y, s->n) - sf_stats_sorted_median(x, f->n));
	if (f->n > 1 && s->n > 1) {
		double vf = median_variance(f, x), vs = median_variance(s, y);

		interval_set(out, vf + vs, joint_df(f, vf, s, vs));
	}
	if (x != few)
		free(x);
	return 0;
}

int sf_diff_interval(const double *fast, size_t n, const double *slow, size_t m,
		     struct sf_interval *out)
{
	struct sf_interval_plan *plan;
	int ret;

	if (!n || !m)
		return -EINVAL;
	plan = sf_interval_plan_new(n, m);
	if (!plan)
		return -ENOMEM;
	ret = sf_interval_plan_diff(plan, fast, slow, out);
	sf_interval_plan_free(plan);
	return ret;
}

int sf_median_interval(const double *v, size_t n, struct sf_interval *out)
{
	struct side s = { 0 };
	double *x = NULL;
	int ret = 0;

	if (!n || !sf_stats_finite(v, n))
		return -EINVAL;
	x = sf_stats_sorted(v, n);
	if (!x || side_init(&s, n)) {
		ret = -ENOMEM;
		goto out;
	}
	interval_unknown(out, sf_stats_sorted_median(x, n));
	if (n > 1)
		interval_set(out, median_variance(&s, x), s.df);
out:
	side_release(&s);
	free(x);
	return ret;
}
