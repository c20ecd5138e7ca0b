/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "near.h"
#include <stdio.h>
#include <stdlib.h>

#include <snapflame/stats.h>

static void medians(void **state)
{
	static const double v[] = { 5, 1, 4, 2 };

	assert_near(sf_median(v, 3), 4, 0);
	assert_near(sf_median(v, 4), 3, 0);
	assert_near(sf_median(v, 1), 5, 0);
	assert_true(isnan(sf_median(v, 0)));
	/* numpy.quantile([5, 1, 4, 2], [.1, .25, .9]) */
	assert_near(sf_quantile(v, 4, 0.1), 1.3, 1e-12);
	assert_near(sf_quantile(v, 4, 0.25), 1.75, 1e-12);
	assert_near(sf_quantile(v, 4, 0.9), 4.7, 1e-12);
	assert_near(sf_quantile(v, 4, 0), 1, 0);
	assert_near(sf_quantile(v, 4, 1), 5, 0);
	assert_true(isnan(sf_quantile(v, 4, 1.1)));
	assert_near(sf_mad(v, 4), 1.5, 1e-12);
}

static void windows_of_the_median(void **state)
{
	static const double v[] = { 5, 1, 4, 2 }, ties[] = { 3, 3, 3, 3, 3 };
	size_t at[2];

	assert_int_equal(sf_median_windows(v, 4, at), 2);
	assert_int_equal(at[0], 3);
	assert_int_equal(at[1], 2);
	assert_int_equal(sf_median_windows(v, 3, at), 1);
	assert_int_equal(at[0], 2);
	assert_int_equal(sf_median_windows(ties, 5, at), 1);
	assert_int_equal(at[0], 2);
	assert_int_equal(sf_median_windows(ties, 4, at), 2);
	assert_int_equal(at[0], 1);
	assert_int_equal(at[1], 2);
	assert_int_equal(sf_median_windows(v, 0, at), 0);
}

static void intervals(void **state)
{
	static const double fast[] = { 288, 263 }, slow[] = { 1321, 1389, 1446 };
	struct sf_interval i, shifted;
	double moved[3];

	assert_int_equal(sf_diff_interval(fast, 2, slow, 3, &i), 0);
	assert_true(i.known);
	assert_near(i.delta, 1389 - 275.5, 1e-9);
	assert_true(i.lo < i.delta && i.delta < i.hi);
	assert_near(i.delta - i.lo, i.hi - i.delta, 1e-9);
	assert_true(i.hi - i.lo < 400);
	for (int k = 0; k < 3; k++)
		moved[k] = slow[k] + 1e6;
	assert_int_equal(sf_diff_interval(fast, 2, moved, 3, &shifted), 0);
	assert_near(shifted.hi - shifted.lo, i.hi - i.lo, 1e-6);
}

static void one_window_has_no_interval(void **state)
{
	static const double one[] = { 19 }, more[] = { 1048, 1063, 1069, 1028 };
	struct sf_interval i;

	assert_int_equal(sf_diff_interval(one, 1, more, 4, &i), 0);
	assert_false(i.known);
	assert_near(i.delta, 1055.5 - 19, 1e-9);
	assert_true(isnan(i.lo) && isnan(i.hi));
	assert_int_equal(sf_diff_interval(one, 0, more, 4, &i), -EINVAL);
	assert_int_equal(sf_median_interval(one, 1, &i), 0);
	assert_false(i.known);
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/*
 * The closed form is what resampling converges to: all n^n resamples of n values, for odd and even
 * n. sf_median_interval scales the variance by c; the ratio to the enumeration has to be that c.
 */
static void variance_is_the_bootstraps(void **state)
{
	static const double v[] = { 3.1, 4.7, 4.9, 8.2, 11.5, 12.0 };
	static const double c[] = { 0, 0, 2, 0.8330, 0.8714, 0.7416, 0.8127 };

	for (size_t n = 2; n <= 6; n++) {
		double sum = 0, squares = 0, all = pow((double)n, (double)n), variance, x[6];
		struct sf_interval i;

		for (size_t code = 0; code < (size_t)all; code++) {
			size_t rest = code;
			double m;

			for (size_t k = 0; k < n; k++, rest /= n)
				x[k] = v[rest % n];
			qsort(x, n, sizeof(x[0]), by_value);
			m = (x[n / 2] + x[(n - 1) / 2]) / 2;
			sum += m;
			squares += m * m;
		}
		variance = squares / all - sum / all * (sum / all);
		assert_int_equal(sf_median_interval(v, n, &i), 0);
		assert_near(i.se * i.se / variance, c[n], 1e-9);
	}
}

static void equal_windows(void **state)
{
	static const double zero[40] = { 0 };
	struct sf_interval i;

	assert_int_equal(sf_diff_interval(zero, 3, zero, 40, &i), 0);
	assert_true(i.known && i.lo == 0 && i.hi == 0);
}

/* scipy.stats: t.ppf, t.sf, norm.ppf, norm.sf */
static void distributions(void **state)
{
	assert_near(sf_normal_upper(1.959963984540054), 0.025, 1e-15);
	assert_near(sf_normal_quantile(0.975), 1.959963984540054, 1e-13);
	assert_near(sf_normal_quantile(1e-10), -6.361340902404056, 1e-10);
	assert_near(sf_normal_quantile(0.6), 0.2533471031357998, 1e-13);
	assert_near(sf_t_quantile(0.975, 1), 12.706204736174698, 1e-10);
	assert_near(sf_t_quantile(0.975, 2), 4.302652729749462, 1e-11);
	assert_near(sf_t_quantile(0.975, 8), 2.306004135204166, 1e-11);
	assert_near(sf_t_quantile(0.025, 8), -2.306004135204166, 1e-11);
	assert_near(sf_t_quantile(0.6, 3), 0.2766706623326898, 1e-11);
	assert_near(sf_t_quantile(0.975, INFINITY), 1.959963984540054, 1e-12);
	assert_near(sf_t_upper(10, 8) / 4.2440907638142445e-06, 1, 1e-12);
	assert_near(sf_t_upper(0, 3), 0.5, 1e-15);
	for (double df = 0.3; df < 200; df *= 1.7)
		for (double p = 1e-9; p < 1; p = p < 0.1 ? p * 7 : p + 0.13)
			assert_near(1 - sf_t_upper(sf_t_quantile(p, df), df), p, 1e-9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(medians),
		cmocka_unit_test(windows_of_the_median),
		cmocka_unit_test(intervals),
		cmocka_unit_test(one_window_has_no_interval),
		cmocka_unit_test(variance_is_the_bootstraps),
		cmocka_unit_test(equal_windows),
		cmocka_unit_test(distributions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
