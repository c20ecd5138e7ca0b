/* SPDX-License-Identifier: GPL-2.0-only */
/* The gate for CI: what exceeds a limit, and what cannot. */
#include "synth.h"

#include <math.h>

#include <snapflame/gate.h>

#include "near.h"

/* A recording whose BRANCHes have these pauses, in ms; nothing happens in it. */
static struct sf_recording *pauses(const double *ms, size_t nr)
{
	struct sf_recording *rec;
	struct sf_str s = SF_STR_INIT;
	double at = 0;

	sf_str_add(&s, "thread 100 100 vmm target\n0 in 100 cpu0\n");
	for (size_t i = 0; i < nr; i++, at += 10000)
		sf_str_addf(&s, "window %zu %f %f 100\n", i + 1, at, at + ms[i]);
	rec = synth(s.buf);
	sf_str_release(&s);
	return rec;
}

/* The gate on the split of the pauses: the first fast of them against the rest, or found (0). */
static struct sf_gate check(const double *ms, size_t nr, uint32_t fast, double limit)
{
	struct sf_recording *rec = pauses(ms, nr);
	struct sf_window_ref *refs = calloc(nr, sizeof(*refs));
	struct sf_error err = SF_ERROR_INIT;
	uint32_t branch[64];
	struct sf_diff_input in;
	struct sf_gate g;
	struct sf_diff *d;
	char text[256];

	for (uint32_t i = 0; i < nr; i++)
		branch[i] = i + 1;
	if (sf_diff_split(rec, branch, fast, branch + fast, fast ? nr - fast : 0, 0, refs, &in, text,
			  sizeof(text), &err))
		fail_msg("%s", err.what);
	assert_int_equal(sf_diff_make(&d, &in, NULL, &err), 0);
	assert_int_equal(sf_gate_check(&g, d, limit), 0);
	sf_diff_free(d);
	free(refs);
	sf_recording_free(rec);
	return g;
}

static void a_clear_step(void **state)
{
	static const double ms[] = { 288, 263, 271, 1321, 1389, 1446 };
	struct sf_gate g = check(ms, 6, 3, 20);

	assert_true(g.exceeded && g.decided);
	assert_near(g.growth_pct, 100 * (1389 - 271) / 271., 1e-6);
	assert_true(g.least_pct > 200 && g.least_pct < g.growth_pct);
	assert_non_null(strstr(g.text, "the limit of 20 % is exceeded"));
	g = check(ms, 6, 3, 1000);
	assert_true(!g.exceeded && g.decided);
	assert_non_null(strstr(g.text, "is kept"));
}

/* The point estimate is 25 % above, but noise does that, too. */
static void noise_exceeds_nothing(void **state)
{
	static const double ms[] = { 100, 140, 80, 125, 90, 160 };
	struct sf_gate g = check(ms, 6, 3, 20);

	assert_true(g.decided && !g.exceeded);
	assert_true(g.growth_pct > 20);
}

static void one_of_each_decides_nothing(void **state)
{
	static const double ms[] = { 100, 1000 };
	struct sf_gate g = check(ms, 2, 1, 20);

	assert_true(!g.decided && !g.exceeded);
	assert_true(isnan(g.least_pct));
	assert_non_null(strstr(g.text, "n = 1"));
}

static void a_trend(void **state)
{
	static const double five[] = { 20, 70, 120, 170, 221 }, four[] = { 20, 70, 120, 170 };
	struct sf_gate g = check(five, 5, 0, 20);

	/* Its sides have no interval, its slope has. */
	assert_true(g.decided && g.exceeded);
	assert_true(g.least_pct <= g.growth_pct);
	g = check(four, 4, 0, 20);
	if (!g.decided)
		assert_non_null(strstr(g.text, "trend"));
}

static void faster_is_not_slower(void **state)
{
	static const double ms[] = { 1321, 1389, 1446, 288, 263, 271 };
	struct sf_gate g = check(ms, 6, 3, 0);

	assert_true(g.decided && !g.exceeded);
	assert_true(g.growth_pct < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clear_step),
		cmocka_unit_test(noise_exceeds_nothing),
		cmocka_unit_test(one_of_each_decides_nothing),
		cmocka_unit_test(a_trend),
		cmocka_unit_test(faster_is_not_slower),
	};

	return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
