/* SPDX-License-Identifier: GPL-2.0-only */
/* Tests of hypotheses against reference values: scipy 1.x, or all permutations counted there. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <snapflame/array.h>
#include <snapflame/stats.h>

#include "near.h"

static const double gradual[] = { 351, 188, 248, 582, 397, 856, 972, 425, 878, 803 };

static void kendall_exact(void **state)
{
	static const double x[] = { 1, 2, 3, 4, 5, 6, 7 }, y[] = { 14, 18, 18, 15, 16, 16, 20 };
	static const double tied[] = { 1, 1, 2, 2, 3, 3, 4 };
	struct sf_kendall k;

	assert_int_equal(sf_kendall(x, y, 7, &k), 0);
	assert_true(k.exact);
	assert_near(k.s, 7, 0);
	assert_near(k.tau, 0.3504383220252312, 1e-12);
	assert_near(k.p_up, 0.18571428571428572, 1e-12);
	assert_near(k.p_down, 0.8857142857142857, 1e-12);
	assert_int_equal(sf_kendall(tied, y, 7, &k), 0);
	assert_true(k.exact);
	assert_near(k.tau, 0.3785166493051126, 1e-12);
	assert_near(k.p_up, 0.15396825396825398, 1e-12);
	assert_near(k.p_down, 0.8714285714285714, 1e-12);
}

static void kendall_approximate(void **state)
{
	static const double order[] = { 3, 2, 5, 12, 7, 9, 15, 13, 14, 17, 18, 21, 22,
					1, 8, 4, 6, 20, 10, 11, 25, 16, 24, 19, 23 };
	static const double ties[] = { 3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9,
				       7, 9, 3, 2, 3, 8, 4, 6, 2, 6, 4, 3 };
	static const double pairs[] = { 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4 };
	static const double tied[] = { 1, 2, 2, 1, 3, 5, 3, 4, 4, 5, 5, 3 };
	double x[25];
	struct sf_kendall k;

	for (size_t i = 0; i < 25; i++)
		x[i] = (double)i;
	assert_int_equal(sf_kendall(x, order, 25, &k), 0);
	assert_false(k.exact);
	/* Exact: 0.00169; the approximation is careful that far out. */
	assert_near(k.p, 0.0016947235531532155, 6e-4);
	/* Kendall's variance with ties, and the correction for continuity. */
	assert_int_equal(sf_kendall(x, ties, 25, &k), 0);
	assert_near(k.s, 27, 0);
	assert_near(k.tau, 0.09434563530497266, 1e-12);
	assert_near(k.p_up, 0.26978908420406134, 1e-9);
	assert_int_equal(sf_kendall(pairs, tied, 12, &k), 0);
	assert_false(k.exact);
	assert_near(k.s, 32, 0);
	assert_near(k.tau, 0.5767872751316001, 1e-12);
	assert_near(k.p_up, 0.012130570084983356, 1e-12);
}

static void few_values_cannot_say_much(void **state)
{
	static const double up[] = { 1, 2, 3, 4, 5 };
	struct sf_kendall k;
	struct sf_corr c;

	assert_int_equal(sf_kendall(up, up, 4, &k), 0);
	assert_near(k.p, 2. / 24, 1e-12);
	assert_near(k.p_min, 2. / 24, 1e-12);
	assert_int_equal(sf_rank_corr(up, up, 4, &c), 0);
	assert_near(c.p_min, 2. / 24, 1e-12);
	assert_int_equal(sf_rank_corr(up, up, 5, &c), 0);
	assert_near(c.rho, 1, 1e-12);
	assert_near(c.p, 2. / 120, 1e-12);
}

static void trend_of_measured_series(void **state)
{
	static const double line[] = { 22, 61, 106, 142, 190 }, branch[] = { 1, 2, 3, 4, 5 };
	static const double same[] = { 3, 3, 3 };
	struct sf_trend t;

	assert_int_equal(sf_trend(NULL, gradual, 10, &t), 0);
	assert_near(t.slope, 74.5, 1e-9);
	assert_near(t.lo, 28. / 3, 1e-9);
	assert_near(t.hi, 130, 1e-9);
	assert_near(t.kendall.p, 0.02860945767195767, 1e-12);
	assert_int_equal(sf_trend(branch, line, 5, &t), 0);
	assert_near(t.slope, 42, 1e-9);
	assert_near(t.lo, 36, 1e-9);
	assert_near(t.hi, 48, 1e-9);
	/* An even number of slopes: 36 39 40 40.5 42 45. */
	assert_int_equal(sf_trend(branch, line, 4, &t), 0);
	assert_near(t.slope, 40.25, 1e-9);
	assert_true(isnan(t.lo) && isnan(t.hi));
	assert_int_equal(sf_trend(same, line, 3, &t), -EINVAL);
	assert_int_equal(sf_trend(NULL, line, 1, &t), -EINVAL);
}

static void growth_over_trials(void **state)
{
	/* Two trials of BRANCH 1 … 5, the second behind the first. */
	static const double branch[] = { 1, 2, 3, 4, 5, 1, 2, 3, 4, 5 };
	static const double steps[] = { 3, 4, 74, 70, 77, 5, 2, 71, 78, 73 };
	struct sf_growth g;

	assert_int_equal(sf_growth_describe(branch, steps, 10, NULL, &g), 0);
	assert_int_equal(g.branches, 5);
	assert_int_equal(g.series.shape, SF_SHAPE_STEP);
	assert_int_equal(g.series.change, 2);
	assert_true(g.trend.slope > 10 && g.trend.kendall.p < 0.05);
	assert_int_equal(sf_growth_describe(branch, steps, 2, NULL, &g), -EINVAL);
}

static void welch(void **state)
{
	static const double fast[] = { 288, 263 }, slow[] = { 1321, 1389, 1446 };
	static const double one[] = { 19 }, four[] = { 1048, 1063, 1069, 1028 };
	struct sf_t_test t;

	assert_int_equal(sf_t_test(fast, 2, slow, 3, &t), 0);
	assert_near(t.t, 29.028825608624942, 1e-9);
	assert_near(t.df, 2.4375749133898963, 1e-9);
	assert_near(t.p, 0.0003712517240490975, 1e-12);
	assert_near(t.p_up, 0.00018562586202454875, 1e-12);
	assert_int_equal(sf_t_test(one, 1, four, 4, &t), 0);
	assert_near(t.t, 50.55592741120655, 1e-9);
	assert_near(t.df, 3, 0);
	assert_near(t.p, 1.7042885784581982e-05, 1e-12);
	assert_int_equal(sf_t_test(one, 1, four, 1, &t), -EINVAL);
}

static void false_discoveries(void **state)
{
	static const double p[] = { 0.04, 0.01, 0.9, 0.02, 0.03, 0.2, 0.05 };
	static const double expected[] = { 0.07, 0.07, 0.9, 0.07, 0.07, 7. / 30, 0.07 };
	static const double gap[] = { 0.01, NAN, 0.5 }, heavy[] = { 1, 1, 8 };
	double adjusted[7];
	bool reject[7];

	assert_int_equal(sf_fdr(p, NULL, 7, 0.07001, adjusted, reject), 5);
	for (size_t i = 0; i < 7; i++) {
		assert_near(adjusted[i], expected[i], 1e-12);
		assert_int_equal(reject[i], expected[i] < 0.08);
	}
	assert_int_equal(sf_fdr(p, NULL, 7, 0.05, NULL, NULL), 0);
	assert_int_equal(sf_fdr(&p[6], NULL, 1, p[6], NULL, reject), 1);
	/* What is no test takes no share: 0.01 of two is 0.02. */
	assert_int_equal(sf_fdr(gap, NULL, 3, 0.05, adjusted, reject), 1);
	assert_near(adjusted[0], 0.02, 1e-12);
	assert_true(isnan(adjusted[1]) && !reject[1]);
	/* Weights 2/9 and 16/9: 0.01 counts as 0.045, times two. */
	assert_int_equal(sf_fdr(gap, heavy, 3, 0.05, adjusted, NULL), 0);
	assert_near(adjusted[0], 0.09, 1e-12);
	assert_int_equal(sf_fdr(heavy, NULL, 3, 0.05, adjusted, NULL), -EINVAL);
	assert_int_equal(sf_fdr(NULL, NULL, 0, 0.05, NULL, NULL), 0);
}

static void spearman(void **state)
{
	static const double pause[] = { 288, 263, 1321, 1389, 1446 };
	static const double near[] = { 1, 2, 50, 40, 60 }, ties[] = { 1, 1, 50, 50, 60 };
	static const double flat[] = { 7, 7, 7, 7, 7 };
	static const double order[] = { 2, 1, 3, 5, 4, 8, 9, 6, 10, 7 };
	struct sf_corr c;

	assert_int_equal(sf_rank_corr(pause, near, 5, &c), 0);
	assert_near(c.rho, 0.8, 1e-12);
	assert_near(c.p, 0.13333333333333333, 1e-12);
	assert_int_equal(sf_rank_corr(pause, ties, 5, &c), 0);
	assert_near(c.rho, 0.9486832980505138, 1e-12);
	assert_near(c.p, 0.06666666666666667, 1e-12);
	assert_int_equal(sf_rank_corr(pause, flat, 5, &c), 0);
	assert_near(c.rho, 0, 0);
	assert_near(c.p, 1, 0);
	assert_int_equal(sf_rank_corr(gradual, order, 10, &c), 0);
	assert_near(c.rho, 0.9636363636363635, 1e-12);
	assert_near(c.p, 7.3209748095299185e-06, 1e-12);
	assert_false(c.exact);
	/* Two of the 10! orders are perfect. */
	assert_int_equal(sf_rank_corr(order, order, 10, &c), 0);
	assert_near(c.p, 2. / 3628800, 1e-15);
}

/* Dirty_kB goes with the pauses; the others stand still, jitter, or are missing. */
static void covariates(void **state)
{
	static const double pause[] = { 288, 263, 1321, 1389, 1446 };
	static const double v[4][5] = {
		{ 812, 812, 812, 812, 812 },
		{ 31, 35, 30, 33, 36 },
		{ 120, 140, 48000, 51000, 47000 },
		{ NAN, NAN, NAN, NAN, 4 },
	};
	const struct sf_span fast = { 0, 2 }, slow = { 2, 3 };
	struct sf_corr_covariate out[4];

	assert_int_equal(sf_corr_covariates(pause, 5, v[0], 4, fast, slow, out), 0);
	assert_int_equal(out[0].at, 2);
	assert_int_equal(out[0].separates, 1);
	assert_near(out[0].fast, 130, 1e-9);
	assert_near(out[0].slow, 48000, 1e-9);
	assert_int_equal(out[1].at, 1);
	assert_int_equal(out[1].separates, 0);
	assert_int_equal(out[3].at, 3);
	assert_int_equal(out[3].corr.n, 1);
	assert_true(isnan(out[3].fast));
	assert_int_equal(sf_corr_covariates(pause, 5, v[0], 4, fast, (struct sf_span){ 3, 3 }, out),
			 -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kendall_exact),
		cmocka_unit_test(kendall_approximate),
		cmocka_unit_test(few_values_cannot_say_much),
		cmocka_unit_test(trend_of_measured_series),
		cmocka_unit_test(growth_over_trials),
		cmocka_unit_test(welch),
		cmocka_unit_test(false_discoveries),
		cmocka_unit_test(spearman),
		cmocka_unit_test(covariates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
