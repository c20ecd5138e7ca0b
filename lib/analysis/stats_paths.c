/* SPDX-License-Identifier: GPL-2.0-only */
/* Which of many paths differ between two groups of windows. */
#include <snapflame/stats.h>

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "stats_internal.h"
#include "stats_prior.h"

/* A path this much noisier (upper tail) than those of its size is judged by its own noise alone. */
static const double OUTLIER = 0.01;
/* Share of the error that all paths have alike. */
static const double EVENLY = 0.1;
/* A path with this share of it was not picked for its small variance: it is asked as if alone. */
static const double ALONE = 0.2;

struct family {
	const double *v; /* by path, then window: n fast ones, m slow ones */
	size_t paths, n, m;
	double quantum;
	struct sf_stats_noise *noise;
	double *p, *weight, *adjusted;
	bool *reject;
	double prior_df;
};

static void family_release(struct family *f)
{
	free(f->noise);
	free(f->p);
	free(f->reject);
}

static int family_init(struct family *f, const double *v, size_t paths, size_t n, size_t m,
		       double quantum)
{
	*f = (struct family){ .v = v, .paths = paths, .n = n, .m = m, .quantum = quantum };
	f->noise = calloc(paths, sizeof(*f->noise));
	f->p = calloc(paths, 3 * sizeof(*f->p));
	f->reject = calloc(paths, sizeof(*f->reject));
	if (!f->noise || !f->p || !f->reject)
		return -ENOMEM;
	f->weight = f->p + paths;
	f->adjusted = f->weight + paths;
	return 0;
}

static double pooled_variance(const struct sf_stats_moments *f, const struct sf_stats_moments *s)
{
	return (f->squares + s->squares) / (f->n + s->n - 2);
}

/* What no path can be steadier than: the precision of any time, the noise of counting samples. */
static double floor_of(const struct family *f, double mean)
{
	return SF_STATS_PRECISION * SF_STATS_PRECISION * mean * mean + f->quantum * fabs(mean);
}

static void describe_noise(const struct family *f)
{
	size_t windows = f->n + f->m;

	for (size_t i = 0; i < f->paths; i++) {
		const double *v = f->v + i * windows;
		struct sf_stats_moments fast = sf_stats_moments(v, f->n);
		struct sf_stats_moments slow = sf_stats_moments(v + f->n, f->m);
		struct sf_stats_noise *noise = &f->noise[i];
		double variance = pooled_variance(&fast, &slow);
		size_t there = 0;

		for (size_t k = 0; k < windows; k++)
			there += v[k] != 0;
		noise->mean = (fast.n * fast.mean + slow.n * slow.mean) / (fast.n + slow.n);
		noise->dense = there * 4 >= windows * 3;
		noise->fitted = variance > 0;
		noise->log_variance = noise->fitted ? log(variance) : 0;
	}
}

/* P(F >= ratio) with df1, df2 degrees of freedom. */
static double f_upper(double ratio, double df1, double df2)
{
	double x = df2 + df1 * ratio;

	return sf_stats_beta(df2 / 2, df1 / 2, df2 / x, df1 * ratio / x);
}

static void set_t(struct sf_t_test *t, double variance, double df)
{
	t->se = sqrt(variance);
	t->df = df;
	t->t = t->delta / t->se;
	t->p_up = sf_t_upper(t->t, df);
	t->p = fmin(1, 2 * sf_t_upper(fabs(t->t), df));
}

/*
 * The variance that paths of this size have, and more where it grew: noise grows with the value, so
 * two groups that far apart have together more than their mean lets expect.
 */
static double expected_variance(const struct sf_stats_noise *noise,
				const struct sf_stats_moments *f,
				const struct sf_stats_moments *s)
{
	double squares = ((f->n - 1) * f->mean * f->mean + (s->n - 1) * s->mean * s->mean) /
			 (f->n + s->n - 2);
	double mean = noise->mean * noise->mean;

	return exp(noise->trend) * (mean > 0 ? fmax(1, squares / mean) : 1);
}

/*
 * Tests a path alone (out) and as one of many (returned). Its variance is shrunk to what paths of
 * its size have, which makes few windows go further. But whoever looks for the most significant of
 * many paths finds those whose variance happens to be too small: for them it counts only where it
 * makes the path less steady, never more.
 */
static struct sf_t_test test_path(const struct family *f, size_t i, struct sf_t_test *out)
{
	const double *v = f->v + i * (f->n + f->m);
	struct sf_stats_moments fast = sf_stats_moments(v, f->n);
	struct sf_stats_moments slow = sf_stats_moments(v + f->n, f->m);
	const struct sf_stats_noise *noise = &f->noise[i];
	double df = fast.n + slow.n - 2, own = pooled_variance(&fast, &slow), known = noise->known;
	double each = 1 / fast.n + 1 / slow.n, least = floor_of(f, noise->mean) * each, welch;
	double expected = known > 0 ? expected_variance(noise, &fast, &slow) : 0;
	struct sf_t_test many;

	/* Cannot fail: there are at least three windows, and they are finite. */
	sf_t_test(v, f->n, v + f->n, f->m, out);
	welch = out->se * out->se;
	if (least == 0)
		return *out;
	if (known > 0 && f_upper(own / expected, df, known) > OUTLIER) {
		double shrunk = (known * expected + df * own) / (known + df);

		least = fmax(least, shrunk * each);
		/* A window alone may be the wild one: only the tails of few df allow for it. */
		if (f->n == 1 || f->m == 1)
			set_t(out, fmax(least, welch), df);
		else
			set_t(out, least, known + df);
	} else {
		set_t(out, fmax(least, welch), out->df);
	}
	many = *out;
	set_t(&many, fmax(least, welch), out->df);
	return many;
}

/* Nothing to test where a path is the same in every window. */
static bool constant(const struct family *f, size_t i)
{
	const double *v = f->v + i * (f->n + f->m);

	for (size_t k = 1; k < f->n + f->m; k++)
		if (v[k] != v[0])
			return false;
	return true;
}

/*
 * A tenth of the error is spent evenly, the rest by the square of the size of the paths. What matters
 * is how much a path adds to the pause. A large one does that with a growth of a tenth, which is hard
 * to see, a small one only if it grows many times over, which is easy. Under "no difference" the size
 * says nothing about the difference. Returns how many paths there are to test.
 */
static size_t weigh(const struct family *f)
{
	double largest = 0, sum = 0, count = 0;

	for (size_t i = 0; i < f->paths; i++) {
		f->p[i] = constant(f, i) ? NAN : 0;
		if (!isnan(f->p[i]))
			largest = fmax(largest, fabs(f->noise[i].mean));
	}
	for (size_t i = 0; i < f->paths; i++) {
		double size = largest > 0 ? f->noise[i].mean / largest : 1;

		f->weight[i] = size * size;
		if (!isnan(f->p[i])) {
			sum += f->weight[i];
			count++;
		}
	}
	for (size_t i = 0; i < f->paths; i++)
		f->weight[i] = EVENLY + (1 - EVENLY) * count * f->weight[i] / sum;
	return (size_t)count;
}

static int fill_intervals(const struct family *f, struct sf_path_diff *out)
{
	struct sf_interval_plan *plan = sf_interval_plan_new(f->n, f->m);
	int ret = plan ? 0 : -ENOMEM;

	for (size_t i = 0; i < f->paths && !ret; i++) {
		const double *v = f->v + i * (f->n + f->m);

		ret = sf_interval_plan_diff(plan, v, v + f->n, &out[i].interval);
	}
	sf_interval_plan_free(plan);
	return ret;
}

static int run_tests(struct family *f, const struct sf_paths_opts *opts, struct sf_path_diff *out,
		     struct sf_paths_info *info)
{
	double q = opts->q > 0 ? opts->q : 0.05;
	ssize_t found;

	describe_noise(f);
	if (sf_stats_prior(f->noise, f->paths, (double)(f->n + f->m) - 2, &f->prior_df))
		return -ENOMEM;
	info->tested = weigh(f);
	for (size_t i = 0; i < f->paths; i++) {
		struct sf_t_test t = test_path(f, i, &out[i].test);
		double level = opts->equal_weights ? 1 : f->weight[i];

		if (level >= ALONE * (double)info->tested)
			t = out[i].test;
		if (!isnan(f->p[i]))
			f->p[i] = opts->two_sided ? t.p : t.p_up;
	}
	found = sf_fdr(f->p, opts->equal_weights ? NULL : f->weight, f->paths, q, f->adjusted,
		       f->reject);
	if (found < 0)
		return (int)found;
	info->found = (size_t)found;
	info->prior_df = f->prior_df;
	return 0;
}

int sf_paths_diff(const double *v, size_t paths, size_t n, size_t m,
		  const struct sf_paths_opts *opts, struct sf_path_diff *out,
		  struct sf_paths_info *info)
{
	static const struct sf_paths_opts none = { 0 };
	struct sf_paths_info unused;
	struct family f = { 0 };
	size_t size;
	int ret;

	opts = opts ? opts : &none;
	info = info ? info : &unused;
	memset(info, 0, sizeof(*info));
	if (!n || !m || !(opts->quantum >= 0) || n > SIZE_MAX - m ||
	    __builtin_mul_overflow(paths, n + m, &size) || !sf_stats_finite(v, size))
		return -EINVAL;
	if (!paths)
		return 0;
	memset(out, 0, paths * sizeof(*out));
	ret = family_init(&f, v, paths, n, m, opts->quantum);
	if (!ret)
		ret = fill_intervals(&f, out);
	if (!ret && n + m > 2)
		ret = run_tests(&f, opts, out, info);
	for (size_t i = 0; i < paths && !ret; i++) {
		out[i].p = n + m > 2 ? f.p[i] : NAN;
		out[i].q = n + m > 2 ? f.adjusted[i] : NAN;
		out[i].differs = f.reject[i];
	}
	family_release(&f);
	return ret;
}
