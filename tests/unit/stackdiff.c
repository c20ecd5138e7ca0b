/* SPDX-License-Identifier: GPL-2.0-only */
/* Comparing stacks without windows: shares, and where a change is. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <snapflame/render_stackdiff.h>

#include "near.h"

static struct sf_stackdiff *d;

/* "a;b 5\na;c 3\n" */
static struct sf_fold *folded(const char *text)
{
	struct sf_fold_opts opts = { 0 };
	char *copy = strdup(text), *save = NULL;
	struct sf_fold *f;

	assert_int_equal(sf_fold_new(&f, &opts, NULL), 0);
	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *number = strrchr(line, ' '), *rest = NULL;
		const char *name[2000];
		size_t n = 0;

		*number++ = '\0';
		for (char *w = strtok_r(line, ";", &rest); w; w = strtok_r(NULL, ";", &rest))
			name[n++] = w;
		assert_int_equal(sf_fold_add(f, name, n, strtoull(number, NULL, 10)), 0);
	}
	free(copy);
	return f;
}

static int compare(const char *fast, const char *slow, struct sf_error *err)
{
	struct sf_fold *a = folded(fast), *b = folded(slow);
	int ret = sf_stackdiff_make(&d, a, b, err);

	sf_fold_free(a);
	sf_fold_free(b);
	return ret;
}

static const struct sf_stackdiff_row *row(const char *leaf)
{
	for (size_t i = 0; i < d->nr_rows; i++)
		if (!strcmp(d->row[i].frame[0], leaf))
			return &d->row[i];
	fail_msg("no row for %s", leaf);
	return NULL;
}

static double sum_of_rows(void)
{
	double sum = 0;

	for (size_t i = 0; i < d->nr_rows; i++)
		sum += d->row[i].delta_pct;
	return sum;
}

static void shares_not_weights(void **state)
{
	/* Twice as long a recording, nothing changed. */
	assert_int_equal(compare("a;b 5\na;c 15\n", "a;b 10\na;c 30\n", NULL), 0);
	assert_int_equal(d->nr_rows, 0);
	assert_int_equal(d->nr_lines, 2);
	assert_int_equal(d->total[SF_SLOW], 40);
	sf_stackdiff_free(d);
}

static void the_deepest_frame(void **state)
{
	assert_int_equal(compare("m;read;parse 50\nm;idle 50\n",
				 "m;read;parse 50\nm;read;wait;futex 45\nm;read;wait;other 5\nm;idle 100\n",
				 NULL), 0);
	assert_near(row("futex")->delta_pct, 22.5, 1e-9);
	assert_int_equal(row("futex")->nr_frames, 4);
	assert_string_equal(row("futex")->frame[3], "m");
	assert_near(row("other")->delta_pct, 2.5, 1e-9);
	assert_near(row("parse")->delta_pct, -25, 1e-9);
	assert_near(sum_of_rows(), 0, 1e-9);
	assert_true(d->row[0].delta_pct >= d->row[d->nr_rows - 1].delta_pct);
	sf_stackdiff_free(d);
}

/* From one callee to another: the callers do not change, the callees do. */
static void changes_that_cancel_out(void **state)
{
	assert_int_equal(compare("m;f;old 40\nm;g 60\n", "m;f;new 40\nm;g 60\n", NULL), 0);
	assert_int_equal(d->nr_rows, 2);
	assert_near(row("new")->delta_pct, 40, 1e-9);
	assert_near(row("old")->delta_pct, -40, 1e-9);
	sf_stackdiff_free(d);
}

/* Many small ones below one caller are that caller's row, and nothing is counted twice. */
static void small_ones_add_up(void **state)
{
	struct sf_str s = SF_STR_INIT;

	sf_str_add(&s, "m;idle 900\n");
	for (int i = 0; i < 100; i++)
		sf_str_addf(&s, "m;work;f%d 1\n", i);
	assert_int_equal(compare("m;idle 1000\n", s.buf, NULL), 0);
	assert_int_equal(d->nr_rows, 2);
	assert_near(row("work")->delta_pct, 10, 1e-9);
	assert_near(row("idle")->delta_pct, -10, 1e-9);
	sf_stackdiff_free(d);
	sf_str_release(&s);
}

static void a_side_without_stacks(void **state)
{
	struct sf_error err = SF_ERROR_INIT;

	assert_int_equal(compare("m;a 1\n", "", &err), -EINVAL);
	assert_non_null(strstr(err.what, "slow"));
	assert_null(d);
}

static void deep_stacks(void **state)
{
	struct sf_str s = SF_STR_INIT, out = SF_STR_INIT;
	struct sf_text_opts o = { .width = 80 };

	for (int i = 0; i < 1500; i++)
		sf_str_addf(&s, "%sf%d", i ? ";" : "", i);
	sf_str_add(&s, " 7\n");
	assert_int_equal(compare("f0;g 7\n", s.buf, NULL), 0);
	assert_near(sum_of_rows(), 0, 1e-9);
	sf_text_stackdiff(&out, d, &o);
	assert_false(sf_str_failed(&out));
	sf_str_reset(&out);
	assert_int_equal(sf_folded_stackdiff(&out, d), 0);
	assert_non_null(strstr(out.buf, ";f1499 0 7\n")); /* folded, nothing is cut */
	sf_str_release(&s);
	sf_str_release(&out);
	sf_stackdiff_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_not_weights),   cmocka_unit_test(the_deepest_frame),
		cmocka_unit_test(changes_that_cancel_out), cmocka_unit_test(small_ones_add_up),
		cmocka_unit_test(a_side_without_stacks), cmocka_unit_test(deep_stacks),
	};

	return cmocka_run_group_tests_name("stackdiff", tests, NULL, NULL);
}
