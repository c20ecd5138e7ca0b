/* SPDX-License-Identifier: GPL-2.0-only */
/* Comparing stacks without windows: shares, and where a change is. */
#define _GNU_SOURCE /* memfd_create */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include <snapflame/folded.h>
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

/* Files of both sides, each as text; NULL ends a side. */
static int compare_files(const char *const *fast, const char *const *slow, struct sf_error *err)
{
	const char *const *file[SF_NR_SIDES] = { fast, slow };
	size_t nr[SF_NR_SIDES] = { 0 };
	int ret;

	for (int s = 0; s < SF_NR_SIDES; s++)
		while (file[s][nr[s]])
			nr[s]++;
	ret = sf_stackdiff_new(&d, nr[SF_FAST], nr[SF_SLOW], err);
	for (int s = 0; s < SF_NR_SIDES; s++)
		for (size_t i = 0; !ret && i < nr[s]; i++) {
			struct sf_fold *f = folded(file[s][i]);

			ret = sf_stackdiff_add(d, s, f, err);
			sf_fold_free(f);
		}
	if (!ret)
		ret = sf_stackdiff_finish(d, err);
	if (ret) {
		sf_stackdiff_free(d);
		d = NULL;
	}
	return ret;
}

static int compare(const char *fast, const char *slow, struct sf_error *err)
{
	const char *const a[] = { fast, NULL }, *const b[] = { slow, NULL };

	return compare_files(a, b, err);
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

/* The unit is the file: what one file shows is noise where the others do not. */
static void several_files(void **state)
{
	const char *const fast[] = { "m;a 500\nm;b 300\nm;c 200\n", "m;a 510\nm;b 290\nm;c 200\n",
				     "m;a 490\nm;b 305\nm;c 205\n", NULL };
	const char *const slow[] = { "m;a 400\nm;b 400\nm;c 200\n", "m;a 210\nm;b 190\nm;c 100\n",
				     "m;a 395\nm;b 405\nm;c 200\n", NULL };
	const char *const odd[] = { "m;a 900\nm;b 50\nm;c 50\n", "m;a 500\nm;b 300\nm;c 200\n",
				    "m;a 300\nm;b 500\nm;c 200\n", NULL };

	assert_int_equal(compare_files(fast, slow, NULL), 0);
	assert_int_equal(d->nr[SF_FAST], 3);
	assert_true(d->tested >= 3);
	assert_near(row("b")->pct[SF_FAST], 30, 1e-9);
	assert_near(row("b")->delta_pct, 10, 1e-9); /* shares: the second file is half as long */
	assert_true(row("b")->interval.known && row("b")->interval.lo > 0);
	assert_true(row("b")->significant && row("a")->significant);
	sf_stackdiff_free(d);
	assert_int_equal(compare_files(fast, odd, NULL), 0);
	for (size_t i = 0; i < d->nr_rows; i++)
		assert_false(d->row[i].significant);
	sf_stackdiff_free(d);
	/* One on a side: no interval, and one against one is not tested at all. */
	assert_int_equal(compare("m;a 5\nm;b 5\n", "m;a 4\nm;b 6\n", NULL), 0);
	assert_int_equal(d->tested, 0);
	assert_false(d->row[0].interval.known || d->row[0].significant);
	sf_stackdiff_free(d);
}

/* Another build of the same program: pieces, clones and hashes are not new functions. */
static void names_of_builds(void **state)
{
	assert_int_equal(compare("m;f;g 40\nm;r::h0123456789abcdef 60\n",
				 "m;f;f.part.0;g.isra.0 40\nm;r::hfedcba9876543210 60\n", NULL), 0);
	assert_int_equal(d->nr_rows, 0);
	assert_int_equal(d->nr_lines, 4); /* nothing that was there is lost */
	sf_stackdiff_free(d);
	assert_int_equal(compare("m;f;old 40\nm;g 60\n", "m;f;new 40\nm;g 60\n", NULL), 0);
	assert_true(row("new")->shift && row("old")->shift);
	assert_int_equal(row("new")->note, SF_STACKDIFF_RENAMED);
	assert_string_equal(d->row[row("new")->partner].frame[0], "old");
	assert_string_equal(d->row[row("old")->partner].frame[0], "new");
	sf_stackdiff_free(d);
}

/* Real growth is none: its caller grows with it. */
static void growth_is_no_shift(void **state)
{
	assert_int_equal(compare("m;f;a 20\nm;g 80\n", "m;f;a 20\nm;f;b 40\nm;g 80\n", NULL), 0);
	assert_false(row("b")->shift);
	assert_int_equal(row("b")->note, SF_STACKDIFF_NEW);
	sf_stackdiff_free(d);
}

/* A file of folded text, straight into the comparison or by way of a fold. */
static int add_text(struct sf_stackdiff *to, enum sf_side side, const char *text, bool by_fold,
		    struct sf_error *err)
{
	int fd = memfd_create("folded", 0), ret;
	struct sf_fold_opts opts = { 0 };
	struct sf_fold *f = NULL;
	struct sf_folded *in;
	struct sf_input *file;
	char path[32];

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(sf_input_open(&file, path, err), 0);
	assert_int_equal(sf_folded_new(&in, file, "file", err), 0);
	if (by_fold) {
		assert_int_equal(sf_fold_new(&f, &opts, err), 0);
		ret = sf_fold_folded(f, in, "file", err);
		if (!ret)
			ret = sf_stackdiff_add(to, side, f, err);
	} else {
		ret = sf_stackdiff_add_folded(to, side, in, "file", err);
	}
	sf_fold_free(f);
	sf_folded_free(in);
	sf_input_free(file);
	close(fd);
	return ret;
}

/* Odd names, lines that come twice, lines of no weight: the same by either way. */
static void folded_text(void **state)
{
	static const char *const text[] = {
		"vmm;main;write 40\nvmm;main;read 20\nvmm;;nothing 0\nvmm;main;write 5\n",
		"vmm;main;write 44\nvmm;main;read.part.0 20\nvmm;a\tb;x\x01y 3\n",
		"vmm;main;write 90\nvmm;main;read 20\nvmm;;new 9\n# a comment\nno weight\n",
		"vmm;main;write 92\nvmm;main;read.part.0 21\nvmm;a\tb;x\x01y 3\nvmm;;new 8\n",
	};
	struct sf_error err = SF_ERROR_INIT;
	struct sf_str out[2] = { SF_STR_INIT, SF_STR_INIT };

	for (int by_fold = 0; by_fold < 2; by_fold++) {
		assert_int_equal(sf_stackdiff_new(&d, 2, 2, &err), 0);
		for (int i = 0; i < 4; i++)
			assert_int_equal(add_text(d, i < 2 ? SF_FAST : SF_SLOW, text[i], by_fold, &err), 0);
		assert_int_equal(sf_stackdiff_finish(d, &err), 0);
		assert_int_equal(sf_folded_stackdiff(&out[by_fold], d), 0);
		assert_int_equal(sf_json_stackdiff(&out[by_fold], d), 0);
		sf_stackdiff_free(d);
	}
	assert_non_null(strstr(out[0].buf, "vmm;main;write 89 182\n"));
	assert_non_null(strstr(out[0].buf, "vmm;[unknown];new 0 17\n"));
	assert_null(strstr(out[0].buf, "nothing"));
	assert_string_equal(out[0].buf, out[1].buf);
	sf_str_release(&out[0]);
	sf_str_release(&out[1]);

	assert_int_equal(sf_stackdiff_new(&d, 1, 1, &err), 0);
	assert_int_equal(add_text(d, SF_FAST, "a;b 3 4\n", false, &err), -EINVAL);
	assert_non_null(strstr(err.what, "two weights"));
	sf_stackdiff_free(d);
	assert_int_equal(sf_stackdiff_new(&d, 1, 1, &err), 0);
	assert_int_equal(add_text(d, SF_FAST, "a;b 0\n", false, &err), -EINVAL);
	assert_int_equal(add_text(d, SF_FAST, "a;b 1\n", false, &err), -EINVAL); /* one too many */
	sf_stackdiff_free(d);
	d = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_not_weights),   cmocka_unit_test(the_deepest_frame),
		cmocka_unit_test(changes_that_cancel_out), cmocka_unit_test(small_ones_add_up),
		cmocka_unit_test(a_side_without_stacks), cmocka_unit_test(deep_stacks),
		cmocka_unit_test(several_files), cmocka_unit_test(names_of_builds),
		cmocka_unit_test(growth_is_no_shift), cmocka_unit_test(folded_text),
	};

	return cmocka_run_group_tests_name("stackdiff", tests, NULL, NULL);
}
