/* SPDX-License-Identifier: GPL-2.0-only */
/* Series of pauses that were measured, and what they are. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "near.h"

#include <snapflame/array.h>
#include <snapflame/stats.h>

struct known {
	double v[10];
	size_t n;
	enum sf_shape shape;
	size_t fast, slow; /* BRANCH that the fast group ends with and the slow one begins with */
};

static const struct known known[] = {
	{ { 288, 263, 1321, 1389, 1446 }, 5, SF_SHAPE_STEP, 2, 3 },
	{ { 286, 266, 1525, 1342, 1512 }, 5, SF_SHAPE_STEP, 2, 3 },
	{ { 288, 240, 962, 1410, 1639 }, 5, SF_SHAPE_STEP, 2, 3 },
	{ { 290, 284, 1476, 1416, 1188 }, 5, SF_SHAPE_STEP, 2, 3 },
	{ { 19, 1048, 1063, 1069, 1028 }, 5, SF_SHAPE_STEP, 1, 2 },
	{ { 8, 16, 416, 348, 350 }, 5, SF_SHAPE_STEP, 2, 3 },
	{ { 14, 524, 531, 403, 407 }, 5, SF_SHAPE_STEP, 1, 2 },
	{ { 147, 912, 581, 670, 646 }, 5, SF_SHAPE_STEP, 1, 2 },
	{ { 8, 76, 310, 300, 305 }, 5, SF_SHAPE_STEP, 2, 3 }, /* one disturbed fast window */
	{ { 351, 188, 248, 582, 397, 856, 972, 425, 878, 803 }, 10, SF_SHAPE_GRADUAL, 4, 7 },
	{ { 22, 61, 106, 142, 190 }, 5, SF_SHAPE_LINEAR, 2, 4 },
	{ { 12, 52, 92, 131, 175 }, 5, SF_SHAPE_LINEAR, 2, 4 },
	{ { 38, 97, 157, 217, 277 }, 5, SF_SHAPE_LINEAR, 2, 4 },
	{ { 12, 63, 112, 163, 213 }, 5, SF_SHAPE_LINEAR, 2, 4 },
	{ { 42, 87, 135, 231, 260 }, 5, SF_SHAPE_LINEAR, 2, 4 },
	{ { 10, 20, 40, 80, 160 }, 5, SF_SHAPE_SUPERLINEAR, 2, 4 },
	{ { 2, 2, 1, 2, 2 }, 5, SF_SHAPE_FLAT, 2, 4 },
	{ { 471, 495, 448, 432, 428 }, 5, SF_SHAPE_FLAT, 2, 4 },
	{ { 14, 18, 18, 15, 16 }, 5, SF_SHAPE_FLAT, 2, 4 },
	{ { 2, 2, 2, 3, 3 }, 5, SF_SHAPE_FLAT, 2, 4 }, /* rounding alone may do that */
	{ { 5, 5, 5 }, 3, SF_SHAPE_FLAT, 1, 3 },
	{ { 10, 20, 30 }, 3, SF_SHAPE_LINEAR, 1, 3 },
};

static void measured_series(void **state)
{
	for (size_t i = 0; i < SF_ARRAY_SIZE(known); i++) {
		const struct known *k = &known[i];
		struct sf_series s;

		assert_int_equal(sf_series_describe(k->v, k->n, NULL, &s), 0);
		if (s.shape != k->shape)
			print_error("%g %g …: %s\n", k->v[0], k->v[1], sf_shape_name(s.shape));
		assert_int_equal(s.shape, k->shape);
		assert_int_equal(s.fast.first, 0);
		assert_int_equal(s.fast.n, k->fast);
		assert_int_equal(s.slow.first + 1, k->slow);
		assert_int_equal(s.slow.first + s.slow.n, k->n);
		assert_int_equal(s.by_time, k->shape != SF_SHAPE_STEP);
		assert_int_equal(s.direction, k->shape != SF_SHAPE_FLAT);
		if (k->shape == SF_SHAPE_STEP)
			assert_int_equal(s.change, k->fast);
		assert_near(s.p, fmin(1, 2 * fmin(s.step_p, s.trend_p)), 0);
		assert_true((s.p <= 0.05) == (k->shape != SF_SHAPE_FLAT));
	}
}

/* The unit of the pauses does not matter, down to nanoseconds. */
static void units_do_not_matter(void **state)
{
	for (size_t i = 0; i < SF_ARRAY_SIZE(known); i++) {
		struct sf_series ms, ns;
		double v[10];

		for (size_t k = 0; k < known[i].n; k++)
			v[k] = known[i].v[k] * 1e6;
		assert_int_equal(sf_series_describe(known[i].v, known[i].n, NULL, &ms), 0);
		/* In ns they are rounded to ms still. */
		struct sf_series_opts opts = { .resolution = 1e6 };

		assert_int_equal(sf_series_describe(v, known[i].n, &opts, &ns), 0);
		assert_int_equal(ms.shape, ns.shape);
		assert_near(ms.p, ns.p, 1e-9);
		assert_near(ms.effect, ns.effect, 1e-9);
		assert_near(ms.slope * 1e6, ns.slope, 1e-3);
	}
}

/* A series that falls is flat for who looks for growth, and its mirror image for who does not. */
static void falling_series(void **state)
{
	static const double down[] = { 1446, 1389, 1321, 263, 288 };
	struct sf_series_opts both = { .two_sided = true };
	struct sf_series s;

	assert_int_equal(sf_series_describe(down, 5, NULL, &s), 0);
	assert_int_equal(s.shape, SF_SHAPE_FLAT);
	assert_int_equal(sf_series_describe(down, 5, &both, &s), 0);
	assert_int_equal(s.shape, SF_SHAPE_STEP);
	assert_int_equal(s.direction, -1);
	assert_int_equal(s.change, 3);
	assert_int_equal(s.fast.first, 3);
	assert_int_equal(s.fast.n, 2);
	assert_int_equal(s.slow.first, 0);
	assert_int_equal(s.slow.n, 3);
	assert_true(s.slope < 0 && s.slope_lo <= s.slope && s.slope <= s.slope_hi);
}

/* Growth below what is worth a word is not growth, however sure it is. */
static void small_effects(void **state)
{
	static const double v[] = { 1000, 1000.1, 1000.2, 1010, 1010.1, 1010.2 };
	struct sf_series_opts fine = { .min_effect = 0.005 };
	struct sf_series s;

	assert_int_equal(sf_series_describe(v, 6, NULL, &s), 0);
	assert_int_equal(s.shape, SF_SHAPE_FLAT);
	assert_true(s.p < 0.001);
	assert_int_equal(sf_series_describe(v, 6, &fine, &s), 0);
	assert_int_equal(s.shape, SF_SHAPE_STEP);
}

static void refuses_nonsense(void **state)
{
	static const double v[] = { 1, 2, NAN, 4 }, w[] = { 1, 2, INFINITY };
	struct sf_series s;

	assert_int_equal(sf_series_describe(v, 2, NULL, &s), -EINVAL);
	assert_int_equal(sf_series_describe(v, 4, NULL, &s), -EINVAL);
	assert_int_equal(sf_series_describe(w, 3, NULL, &s), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(measured_series),    cmocka_unit_test(units_do_not_matter),
		cmocka_unit_test(falling_series),     cmocka_unit_test(small_effects),
		cmocka_unit_test(refuses_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
