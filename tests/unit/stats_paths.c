/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Families of paths, and a short calibration with fixed seeds; tests/bench/stats_calibration.sh is
 * the long one. Limits leave room for the chance of so few rounds: three standard errors.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <time.h>

#include <snapflame/array.h>
#include <snapflame/stats.h>

#include "../bench/stats_synth.h"
#include "near.h"
#include "valgrind.h"

enum { PATHS = 30 };

/* One path jumps as in the worked example, the others stay as they are. */
static void one_path_grows(void **state)
{
	static const double writeback[] = { 3.1, 3.3, 1008, 1074.3, 1131 };
	struct synth s = { .seed = 5 };
	struct sf_path_diff out[PATHS];
	struct sf_paths_info info;
	double v[PATHS][5];

	for (size_t i = 0; i < PATHS; i++)
		for (size_t k = 0; k < 5; k++)
			v[i][k] = i == 7 ? writeback[k] : 20 * exp(0.05 * synth_normal(&s));
	assert_int_equal(sf_paths_diff(v[0], PATHS, 2, 3, NULL, out, &info), 0);
	assert_int_equal(info.tested, PATHS);
	assert_int_equal(info.found, 1);
	assert_true(info.prior_df > 0);
	assert_true(out[7].differs && out[7].q < 0.05);
	assert_near(out[7].interval.delta, 1074.3 - 3.2, 1e-9);
	assert_true(out[7].interval.known && out[7].interval.lo > 800);
	v[3][1] = NAN;
	assert_int_equal(sf_paths_diff(v[0], PATHS, 2, 3, NULL, out, &info), -EINVAL);
}

static void a_lone_fast_window(void **state)
{
	static const double writeback[] = { 14, 524, 531, 403, 407 };
	struct synth s = { .seed = 6 };
	struct sf_path_diff out[PATHS];
	double v[PATHS][5];

	for (size_t i = 0; i < PATHS; i++)
		for (size_t k = 0; k < 5; k++)
			v[i][k] = i == 7 ? writeback[k] : 3 * exp(0.05 * synth_normal(&s));
	assert_int_equal(sf_paths_diff(v[0], PATHS, 1, 4, NULL, out, NULL), 0);
	for (size_t i = 0; i < PATHS; i++) {
		assert_int_equal(out[i].differs, i == 7);
		assert_false(out[i].interval.known);
	}
	/* One window on either side: differences, no tests. */
	assert_int_equal(sf_paths_diff(v[0], PATHS, 1, 1, NULL, out, NULL), 0);
	assert_true(isnan(out[7].p) && isnan(out[7].q) && !out[7].differs);
}

/* Nothing to share, nothing to test, nothing at all. */
static void few_paths(void **state)
{
	static const double v[] = { 1, 2, 1.5, 9, 10, 11, 4, 4, 4, 4, 4, 4 };
	struct sf_paths_info info;
	struct sf_path_diff out[2];

	assert_int_equal(sf_paths_diff(v, 2, 3, 3, NULL, out, &info), 0);
	assert_int_equal(info.tested, 1);
	assert_near(info.prior_df, 0, 0);
	assert_true(out[0].differs);
	assert_true(isnan(out[1].p) && !out[1].differs);
	assert_near(out[1].interval.hi, 0, 0);
	assert_int_equal(sf_paths_diff(v, 0, 3, 3, NULL, out, &info), 0);
	assert_int_equal(sf_paths_diff(v, 2, 0, 6, NULL, out, &info), -EINVAL);
	assert_int_equal(sf_paths_diff(v, SIZE_MAX / 4, 3, 3, NULL, out, &info), -EINVAL);
}

/* Shrinking paths only count for who asks. */
static void two_sided(void **state)
{
	static const double v[] = { 10, 9, 11, 2, 2.2, 1.8 };
	struct sf_paths_opts both = { .two_sided = true };
	struct sf_path_diff out;

	assert_int_equal(sf_paths_diff(v, 1, 3, 3, NULL, &out, NULL), 0);
	assert_false(out.differs);
	assert_int_equal(sf_paths_diff(v, 1, 3, 3, &both, &out, NULL), 0);
	assert_true(out.differs && out.interval.hi < 0);
}

/* A sample in every slow window and none before is little, if a sample is what they count in. */
static void samples_are_counted(void **state)
{
	static const double v[] = { 0, 0, 0, 0, 0, 1, 1, 1, 1, 1 };
	struct sf_paths_opts counts = { .quantum = 1 };
	struct sf_path_diff out;

	assert_int_equal(sf_paths_diff(v, 1, 5, 5, NULL, &out, NULL), 0);
	assert_true(out.p < 1e-6);
	/* Poisson: half a sample a window, so t = 1 / sqrt(0.5 (1/5 + 1/5)). */
	assert_int_equal(sf_paths_diff(v, 1, 5, 5, &counts, &out, NULL), 0);
	assert_near(out.test.t, sqrt(5), 0.001);
	assert_true(out.p > 0.02);
}

/*
 * What the paths know of their noise: it is the same for all, or variances scatter as a scaled
 * inverse chi-square with 4 degrees of freedom. Either way 5 % of the paths pass a test at 5 %.
 */
static void shared_noise(void **state)
{
	enum { MANY = 2000 };
	struct sf_path_diff *out = calloc(MANY, sizeof(*out));
	double(*v)[6] = calloc(MANY, sizeof(*v));
	struct synth s = { .seed = 21 };

	assert_non_null(out);
	assert_non_null(v);
	for (int scattered = 0; scattered < 2; scattered++) {
		struct sf_paths_info info;
		double passed = 0;

		for (size_t i = 0; i < MANY; i++) {
			double mean = 100 * (1 + (double)(i % 50)), sd = 0.05 * mean, chi = 0;

			for (int k = 0; k < 4; k++)
				chi += pow(synth_normal(&s), 2);
			sd *= scattered ? sqrt(4 / chi) : 1;
			for (size_t k = 0; k < 6; k++)
				v[i][k] = mean + sd * synth_normal(&s);
		}
		assert_int_equal(sf_paths_diff(v[0], MANY, 3, 3, NULL, out, &info), 0);
		for (size_t i = 0; i < MANY; i++)
			passed += out[i].test.p_up <= 0.05;
		if (scattered)
			assert_true(info.prior_df > 3 && info.prior_df < 5.5);
		else
			assert_true(info.prior_df > 100);
		assert_true(passed > 0.035 * MANY && passed < 0.06 * MANY);
	}
	free(out);
	free(v);
}

static void intervals_cover(void **state)
{
	static const size_t size[][2] = { { 3, 3 }, { 5, 5 }, { 10, 10 }, { 20, 20 } };

	for (enum noise noise = NOISE_NORMAL; noise <= NOISE_LOGNORMAL; noise++) {
		for (size_t i = 0; i < SF_ARRAY_SIZE(size); i++) {
			for (double ratio = 1; ratio < 6; ratio += 4) {
				double held = synth_coverage(100 + i, noise, size[i][0], size[i][1],
							     ratio, 4000);

				if (held < 0.93 || held > 0.98)
					print_error("%zu + %zu, %s, x%g: %.4f\n", size[i][0],
						    size[i][1], noise_name[noise], ratio, held);
				assert_true(held >= 0.93 && held <= 0.98);
			}
		}
	}
}

static void no_false_causes(void **state)
{
	static const size_t size[][2] = { { 2, 3 }, { 3, 3 }, { 5, 5 } };

	for (size_t i = 0; i < SF_ARRAY_SIZE(size); i++) {
		struct family_case c = { NOISE_LOGNORMAL, SIZES_ZIPF, 200, size[i][0], size[i][1],
					 0, 1, false, 0 };
		struct family_rate rate = synth_family(200 + i, &c, 150);

		assert_true(rate.any <= 0.10);
		assert_true(rate.gated <= 0.05);
	}
}

static void growth_is_found(void **state)
{
	struct family_case c = { NOISE_LOGNORMAL, SIZES_EQUAL, 200, 5, 5, 0, 1.1, false, 0 };

	assert_true(synth_family(300, &c, 200).alone >= 0.84);
	/* Few paths know of each other's noise, too; a large one is asked before the small ones. */
	c.paths = 5;
	assert_true(synth_family(305, &c, 200).alone >= 0.84);
	c = (struct family_case){ NOISE_LOGNORMAL, SIZES_SHARE, 200, 5, 5, 0, 1.1, false, 0.3 };
	assert_true(synth_family(306, &c, 200).found >= 0.83);
	/* Who is asked by name is not said to grow more often than 5 % where nothing does. */
	c.factor = 1;
	assert_true(synth_family(307, &c, 300).alone <= 0.05 + 3 * sqrt(0.05 * 0.95 / 300));
	c = (struct family_case){ NOISE_LOGNORMAL, SIZES_EQUAL, 200, 5, 5, 0, 1.1, false, 0 };
	c.factor = 1.3;
	assert_true(synth_family(301, &c, 100).found >= 0.90);
	c.sizes = SIZES_ZIPF;
	assert_true(synth_family(302, &c, 100).first >= 0.95);
	/* More growth is not harder to find, in large paths nor in small ones. */
	c = (struct family_case){ NOISE_LOGNORMAL, SIZES_EQUAL, 200, 2, 3, 0, 2, false, 0 };
	assert_true(synth_family(303, &c, 200).found >= 0.95);
	c = (struct family_case){ NOISE_LOGNORMAL, SIZES_ZIPF, 200, 3, 3, 150, 10, false, 0 };
	assert_true(synth_family(304, &c, 200).found >= 0.95);
}

static void series_are_told_apart(void **state)
{
	for (size_t n = 5; n <= 40; n *= 2) {
		struct series_case c = { TRUTH_NONE, NOISE_LOGNORMAL, n, 0 };

		assert_true(synth_series(400 + n, &c, 600).grows <= 0.075);
		c = (struct series_case){ TRUTH_STEP, NOISE_NORMAL, n, 3 };
		assert_true(synth_series(500 + n, &c, 600).near >= 0.92);
		assert_true(n < 20 || synth_series(500 + n, &c, 600).step >= 0.72);
		c = (struct series_case){ TRUTH_LINE, NOISE_LOGNORMAL, n, 4 };
		assert_true(synth_series(600 + n, &c, 600).step <= 0.03);
		assert_true(synth_series(700 + n, &c, 600).grows >= 0.97);
	}
}

/* 20 thousand paths in 100 windows. The limit for users is 2 s; instrumented builds get 20. */
static void fast_enough(void **state)
{
	size_t paths = 20000, windows = 100;
	double *v = calloc(paths * windows, sizeof(*v)), seconds;
	struct sf_path_diff *out = calloc(paths, sizeof(*out));
	struct synth s = { .seed = 9 };
	struct sf_paths_info info;
	clock_t begin;

	assert_non_null(v);
	assert_non_null(out);
	for (size_t i = 0; i < paths * windows; i++)
		v[i] = synth_uniform(&s);
	begin = clock();
	assert_int_equal(sf_paths_diff(v, paths, 40, 60, NULL, out, &info), 0);
	seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
	print_message("# %zu paths x %zu windows: %.2f s of CPU\n", paths, windows, seconds);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	assert_true(seconds < 20);
#else
	assert_true(seconds < (under_valgrind() ? 40 : 2));
#endif
	free(v);
	free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_path_grows),      cmocka_unit_test(a_lone_fast_window),
		cmocka_unit_test(few_paths),           cmocka_unit_test(two_sided),
		cmocka_unit_test(samples_are_counted), cmocka_unit_test(shared_noise),
		cmocka_unit_test(intervals_cover),
		cmocka_unit_test(no_false_causes),     cmocka_unit_test(growth_is_found),
		cmocka_unit_test(series_are_told_apart), cmocka_unit_test(fast_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
