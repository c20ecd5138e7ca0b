/* SPDX-License-Identifier: GPL-2.0-only */
/* What grows over BRANCHes, what merely swaps, what differs between the sides: on recordings by hand. */
#include "synth.h"

#include <errno.h>
#include <math.h>

#include <snapflame/diff_paths.h>
#include <snapflame/growth.h>
#include <snapflame/render_table.h>
#include <snapflame/same_name.h>
#include <snapflame/tables.h>

#include "near.h"
#include "render/layout.h"

#define THREADS \
	"thread 0 0 swapper idle\n" \
	"thread 100 100 vmm target\n" \
	"thread 101 100 aux target\n" \
	"thread 110 100 vcpu target vcpu\n"

/* For so many ms the thread computes in the functions (leaf first). */
struct work {
	const char *functions;
	double ms;
};

/* BRANCH k from 1000 k ms on: main does the works one after the other while the vCPU waits for it. */
static void branch(struct sf_str *s, int k, const struct work *w, size_t nr)
{
	double t = 1000.0 * k, at = t, all = 2;

	for (size_t i = 0; i < nr; i++)
		all += w[i].ms;
	sf_str_addf(s, "window %d %f %f 110\n", k, t, t + all);
	sf_str_addf(s, "%f in 110 cpu1\n%f in 100 cpu0\n", t - 1, t - 1);
	sf_str_addf(s, "%f out 110 S futex_do_wait futex_wait | wait_resume vcpu_loop\n", t);
	for (size_t i = 0; i < nr; at += w[i++].ms)
		for (double x = 0.5; x < w[i].ms; x += 1)
			sf_str_addf(s, "%f sample 100 | %s\n", at + x, w[i].functions);
	sf_str_addf(s, "%f wake 110 by 100\n%f in 110 cpu1\n", t + all - 1, t + all);
	sf_str_addf(s, "%f out 100 S ep_poll | loop main\n", t + all);
	sf_str_addf(s, "%f out 110 S kvm_vcpu_block kvm_arch_vcpu_ioctl_run | run\n", t + all + 20);
	sf_str_addf(s, "snap %d begin %f 0 101 S 0\n", k, t - 5);
}

static const char *label(const struct sf_growths *g, const struct sf_growth_line *l)
{
	return sf_strtab_text(&g->profile.str, g->profile.path[l->path].label);
}

static const struct sf_growth_line *line_of(const struct sf_growths *g, const char *name)
{
	for (size_t i = 0; i < g->nr_lines; i++) {
		const struct sf_growth_line *l = &g->line[i];

		if (l->of == SF_GROWTH_PATH ? !strcmp(label(g, l), name) :
					      l->name && !strcmp(l->name, name))
			return l;
	}
	fail_msg("no line for %s", name);
	return NULL;
}

static struct sf_growths *growths(struct sf_recording **rec, const char *text)
{
	struct sf_error err = SF_ERROR_INIT;
	struct sf_growths *g;

	*rec = synth(text);
	if (sf_growths_make(&g, *rec, NULL, 0, &err))
		fail_msg("%s", err.what);
	return g;
}

/* One loop grows with every BRANCH, one function steps, one is large and stays. */
static void which_of_them_grows(void **state)
{
	static const double loop[] = { 20, 40, 61, 80, 100, 121 }, step[] = { 30, 31, 30, 90, 91, 90 };
	static const double stays[] = { 200, 203, 198, 201, 200, 199 };
	const struct sf_growth_line *l;
	struct sf_str s = SF_STR_INIT;
	struct sf_recording *rec;
	struct sf_growths *g;

	sf_str_add(&s, THREADS);
	for (int k = 0; k < 6; k++) {
		struct work w[] = { { "grow main", loop[k] }, { "jump main", step[k] },
				    { "stay main", stays[k] } };

		branch(&s, k + 1, w, 3);
		sf_str_addf(&s, "covariate %d Dirty_kB %d %d\n", k + 1, 1000 * k, 1000 * k + 1);
		sf_str_addf(&s, "covariate %d Load %d %d\n", k + 1, k % 2, k % 2);
		sf_str_addf(&s, "covariate %d disk_vda_writes %d %d\n", k + 1, 100 * k,
			    100 * k + 7 * k);
	}
	g = growths(&rec, s.buf);
	assert_int_equal(g->nr, 6);
	l = sf_growths_pause(g);
	assert_int_equal(l->of, SF_GROWTH_PAUSE);
	assert_true(l->grows && l->growth.series.direction == 1);
	l = line_of(g, "grow");
	assert_true(l->grows);
	assert_int_equal(l->growth.series.shape, SF_SHAPE_LINEAR);
	assert_true(l->growth.trend.lo > 15 && l->growth.trend.hi < 25);
	assert_near(l->first, 30, 2);
	assert_near(l->last, 110, 2);
	l = line_of(g, "jump");
	assert_true(l->grows);
	assert_int_equal(l->growth.series.shape, SF_SHAPE_STEP);
	assert_int_equal(sf_growths_branch(g, &l->growth), 4);
	assert_false(line_of(g, "stay")->grows);
	/* Covariates come last, the one that goes with the pause before the one that does not. */
	l = line_of(g, "Dirty_kB");
	assert_near(l->corr.rho, 1, 1e-9);
	assert_true(l < line_of(g, "Load"));
	assert_true(l > line_of(g, "stay"));
	/* A count since boot goes with everything that grows: what counts is its change inside. */
	l = line_of(g, "disk_vda_writes");
	assert_true(l->during);
	assert_near(l->last, 31.5, 1e-9);
	for (size_t i = 0; i < g->nr_lines; i++)
		assert_false(g->line[i].name && !strcmp(g->line[i].name, "disk_vda_writes") &&
			     !g->line[i].during);
	sf_growths_free(g);
	sf_recording_free(rec);
	sf_str_release(&s);
}

static void as_a_table(void **state)
{
	struct sf_text_opts o = { .width = 80 };
	struct sf_error err = SF_ERROR_INIT;
	struct sf_str s = SF_STR_INIT, out = SF_STR_INIT;
	struct sf_recording *rec;
	struct sf_table *t;

	sf_str_add(&s, THREADS);
	for (int k = 1; k <= 5; k++) {
		struct work w[] = { { "a_function_with_a_long_name main", 20.0 * k }, { "stay main", 30 } };

		branch(&s, k, w, 2);
		sf_str_addf(&s, "covariate %d cgroup_file_writeback_bytes %d %d\n", k, 100000000 * k, 0);
	}
	rec = synth(s.buf);
	assert_int_equal(sf_table_make(&t, rec, SF_TABLE_GROWTH, NULL, &err), 0);
	assert_true(t->nr_rows >= 4 && t->nr_notes == 1);
	sf_text_table(&out, t, &o);
	for (const char *p = out.buf; *p; p += strcspn(p, "\n") + 1)
		assert_true(sf_columns(p, strcspn(p, "\n")) <= 80);
	assert_non_null(strstr(out.buf, "the pause"));
	sf_str_reset(&out);
	assert_int_equal(sf_json_table(&out, t), 0);
	assert_non_null(strstr(out.buf, "\"shape\": \"linear\""));
	sf_table_free(t);
	sf_recording_free(rec);
	sf_str_release(&out);
	sf_str_release(&s);
}

static void too_few(void **state)
{
	struct work w = { "f main", 20 };
	struct sf_error err = SF_ERROR_INIT;
	struct sf_str s = SF_STR_INIT;
	struct sf_recording *rec;
	struct sf_growths *g;

	sf_str_add(&s, THREADS);
	branch(&s, 1, &w, 1);
	branch(&s, 2, &w, 1);
	rec = synth(s.buf);
	assert_int_equal(sf_growths_make(&g, rec, NULL, 0, &err), -EINVAL);
	assert_non_null(strstr(err.what, "--branches"));
	assert_null(g);
	sf_recording_free(rec);
	sf_str_release(&s);
}

/* ------------------------------------------------------------------------ diff */

struct compared {
	struct sf_recording *rec[SF_NR_SIDES];
	struct sf_window_ref ref[SF_NR_SIDES][8];
	struct sf_diff *d;
};

/* Each side a recording of its own. */
static void compare(struct compared *c, const char *fast, const char *slow)
{
	const char *text[SF_NR_SIDES] = { fast, slow };
	struct sf_diff_input in = { 0 };
	struct sf_error err = SF_ERROR_INIT;

	for (int s = 0; s < SF_NR_SIDES; s++) {
		if (!c->rec[s])
			c->rec[s] = synth(text[s]);
		for (size_t i = 0; i < c->rec[s]->nr_windows; i++)
			c->ref[s][i] = (struct sf_window_ref){ c->rec[s], &c->rec[s]->window[i] };
		in.ref[s] = c->ref[s];
		in.nr[s] = c->rec[s]->nr_windows;
	}
	if (sf_diff_make(&c->d, &in, NULL, &err))
		fail_msg("%s", err.what);
}

static void done(struct compared *c)
{
	sf_diff_free(c->d);
	for (int s = 0; s < SF_NR_SIDES; s++)
		sf_recording_free(c->rec[s]);
}

static char *three(const struct work *w, size_t nr)
{
	struct sf_str s = SF_STR_INIT;

	sf_str_add(&s, THREADS);
	for (int k = 1; k <= 3; k++)
		branch(&s, k, w, nr);
	return sf_str_detach(&s);
}

/* The diff of one recording follows its causes over all BRANCHes. */
static void diff_says_how_it_grows(void **state)
{
	struct sf_error err = SF_ERROR_INIT;
	struct sf_str s = SF_STR_INIT;
	struct sf_window_ref ref[8];
	struct sf_diff_input in;
	struct sf_recording *rec;
	struct sf_diff *d;
	char text[256];

	sf_str_add(&s, THREADS);
	for (int k = 1; k <= 6; k++) {
		struct work w[] = { { "grow main", 20.0 * k }, { "stay main", 30 + k % 2 } };

		branch(&s, k, w, 2);
	}
	rec = synth(s.buf);
	assert_int_equal(sf_diff_split(rec, NULL, 0, NULL, 0, 0, ref, &in, text, sizeof(text), &err), 0);
	assert_int_equal(sf_diff_make(&d, &in, NULL, &err), 0);
	assert_non_null(d->growth);
	assert_int_equal(d->growth->nr, 6); /* also those on neither side */
	assert_true(d->nr[SF_FAST] + d->nr[SF_SLOW] < 6);
	assert_int_equal(d->cause[0].growth.branches, 6);
	assert_near(d->cause[0].growth.trend.slope, 20, 1.5);
	assert_non_null(strstr(d->sentence, "with every BRANCH"));
	assert_non_null(strstr(d->method, "Theil-Sen"));
	sf_diff_free(d);
	sf_recording_free(rec);
	sf_str_release(&s);
}

static const struct sf_shift *only_shift(const struct sf_diff *d)
{
	assert_int_equal(d->nr_shifts, 1);
	return &d->shift[0];
}

static const char *name_of(const struct sf_diff *d, uint32_t path)
{
	return sf_diff_text(d, d->profile.path[path].label);
}

/* create stays, what it calls is another function: that is not what grew. */
static void a_swap_is_no_growth(void **state)
{
	struct work fast[] = { { "old create main", 60 }, { "wait main", 20 } };
	struct work slow[] = { { "new create main", 60 }, { "wait main", 50 } };
	char *a = three(fast, 2), *b = three(slow, 2);
	const struct sf_shift *x;
	struct compared c = { 0 };
	struct sf_diff_paths *t;

	compare(&c, a, b);
	x = only_shift(c.d);
	assert_string_equal(name_of(c.d, x->path), "create");
	assert_string_equal(name_of(c.d, x->from), "old");
	assert_string_equal(name_of(c.d, x->to), "new");
	assert_int_equal(x->kind, SF_SHIFT_RENAMED);
	assert_near(x->ms, 60, 2);
	assert_string_equal(c.d->cause[0].frame[0], "wait");
	assert_int_equal(sf_diff_paths_make(&t, c.d), 0);
	for (size_t i = 0; i < t->nr_rows; i++) {
		const struct sf_path_row *r = &t->row[i];

		if (r->path == x->from || r->path == x->to)
			assert_int_equal(r->class, SF_PATH_SHIFT);
		if (r->path == x->path)
			assert_int_equal(r->class, SF_PATH_UNTESTED); /* the same in all windows */
		if (!strcmp(name_of(c.d, r->path), "wait"))
			assert_int_equal(r->class, SF_PATH_GREW);
	}
	sf_diff_paths_free(t);
	done(&c);
	free(a);
	free(b);
}

/* mid was inlined into create: leaf is called by create itself. */
static void inlined(void **state)
{
	struct work fast[] = { { "leaf mid create main", 60 }, { "wait main", 20 } };
	struct work slow[] = { { "leaf create main", 60 }, { "wait main", 50 } };
	char *a = three(fast, 2), *b = three(slow, 2);
	struct compared c = { 0 };

	compare(&c, a, b);
	assert_int_equal(only_shift(c.d)->kind, SF_SHIFT_INLINED);
	done(&c);
	compare(memset(&c, 0, sizeof(c)), b, a);
	assert_int_equal(only_shift(c.d)->kind, SF_SHIFT_SPLIT);
	done(&c);
	free(a);
	free(b);
}

/* The same functions by the names of another build. */
static void builds_are_matched(void **state)
{
	struct work fast[] = { { "hash fill create main", 60 } };
	struct work slow[] = { { "hash.isra.0 fill.part.1 fill create.cold main", 90 } };
	char *a = three(fast, 1), *b = three(slow, 1);
	struct compared c = { 0 };

	compare(&c, a, b);
	assert_int_equal(c.d->nr_shifts, 0);
	assert_int_equal(c.d->kind, SF_KIND_CPU_USER);
	assert_int_equal(c.d->cause[0].nr_frames, 4);
	assert_string_equal(c.d->cause[0].frame[0], "hash");
	assert_string_equal(c.d->cause[0].frame[1], "fill");
	assert_string_equal(c.d->cause[0].frame[2], "create");
	assert_near(c.d->cause[0].fast_ms, 60, 2);
	done(&c);
	free(a);
	free(b);
}

/* A thread that computes instead of sleeping did not grow; who did is named. */
static void an_owner_that_stays(void **state)
{
	static const char story[] = "thread 0 0 swapper idle\nthread 100 100 vmm target\n"
				    "thread 101 100 aux target\nthread 110 100 vcpu target vcpu\n";
	struct sf_str side[SF_NR_SIDES] = { SF_STR_INIT, SF_STR_INIT };
	struct compared c = { 0 };

	for (int s = 0; s < SF_NR_SIDES; s++) {
		sf_str_add(&side[s], story);
		for (int k = 1; k <= 3; k++) {
			double t = 1000.0 * k, more = s ? 30 : 0, end = t + 130 + more;

			/* main: 100 ms asleep (fast) or computing (slow), then aux: 30 or 60 ms */
			sf_str_addf(&side[s], "window %d %f %f 110\n%f in 110 cpu1\n", k, t, end + 1, t - 2);
			sf_str_addf(&side[s], "%f out 110 S futex_do_wait | wait_resume\n", t);
			if (s)
				for (int i = 0; i < 99; i++)
					sf_str_addf(&side[s], "%f sample 100 | spin main\n", t + i + 0.5);
			sf_str_addf(&side[s], "%f in 100 cpu0\n", t - 1);
			if (!s)
				sf_str_addf(&side[s], "%f out 100 S do_nanosleep hrtimer_nanosleep | nap main\n"
						      "%f wake 100 irq\n%f in 100 cpu0\n", t + 1, t + 99, t + 99);
			sf_str_addf(&side[s], "%f wake 101 by 100\n%f in 101 cpu2\n", t + 100, t + 100);
			sf_str_addf(&side[s], "%f out 100 S futex_do_wait | join main\n", t + 100);
			for (int i = 0; i < 29 + more; i++)
				sf_str_addf(&side[s], "%f sample 101 | extra aux_main\n", t + 100 + i + 0.5);
			sf_str_addf(&side[s], "%f wake 110 by 101\n%f in 110 cpu1\n", end, end + 1);
			sf_str_addf(&side[s], "%f out 101 S futex_do_wait | park\n", end + 0.5);
			sf_str_addf(&side[s], "%f out 110 S kvm_vcpu_block kvm_arch_vcpu_ioctl_run | run\n",
				    end + 5);
			sf_str_addf(&side[s], "snap %d begin %f 0 101 S 0\n", k, t - 5);
		}
	}
	compare(&c, side[SF_FAST].buf, side[SF_SLOW].buf);
	assert_string_equal(c.d->cause[0].frame[0], "extra");
	assert_false(c.d->cause[0].shift);
	assert_true(c.d->nr_causes > 1 && c.d->cause[1].shift);
	assert_true(c.d->cause[1].delta.value > c.d->cause[0].delta.value);
	done(&c);
	sf_str_release(&side[SF_FAST]);
	sf_str_release(&side[SF_SLOW]);
}

/* ------------------------------------------------------------------ conditions */

static bool says(const char **list, size_t nr, const char *what)
{
	for (size_t i = 0; i < nr; i++)
		if (strstr(list[i], what))
			return true;
	return false;
}

static void text_of(struct sf_recording *rec, uint32_t *field, const char *text)
{
	*field = sf_strtab_id(&rec->str, text);
}

static void conditions_that_differ(void **state)
{
	struct work w = { "f main", 50 }, v = { "f main", 90 };
	char *a = three(&w, 1), *b = three(&v, 1);
	struct compared c = { 0 };

	compare(&c, a, b);
	assert_true(c.d->has_verdict);
	assert_false(says(c.d->coverage.note, c.d->coverage.nr_notes, "differ"));
	sf_diff_free(c.d);
	/* Worth knowing: times compare all the same. */
	c.rec[SF_SLOW]->meta.hz = 99;
	c.rec[SF_FAST]->meta.cpus = 4;
	c.rec[SF_SLOW]->meta.cpus = 8;
	text_of(c.rec[SF_FAST], &c.rec[SF_FAST]->meta.cpu, "AMD EPYC");
	text_of(c.rec[SF_SLOW], &c.rec[SF_SLOW]->meta.cpu, "Intel Xeon");
	text_of(c.rec[SF_FAST], &c.rec[SF_FAST]->meta.kernel, "6.1.0");
	text_of(c.rec[SF_SLOW], &c.rec[SF_SLOW]->meta.kernel, "6.18.4");
	compare(&c, NULL, NULL);
	assert_true(says(c.d->coverage.note, c.d->coverage.nr_notes, "samples at differ: 1000 Hz"));
	assert_true(says(c.d->coverage.note, c.d->coverage.nr_notes, "AMD EPYC"));
	assert_true(says(c.d->coverage.note, c.d->coverage.nr_notes, "kernel differ: 6.1.0"));
	assert_true(says(c.d->coverage.note, c.d->coverage.nr_notes, "CPUs differ: 4"));
	assert_false(says(c.d->coverage.problem, c.d->coverage.nr_problems, "differ"));
	sf_diff_free(c.d);
	/* The pauses are not the same thing. */
	for (size_t i = 0; i < c.rec[SF_FAST]->nr_windows; i++) {
		c.rec[SF_FAST]->window[i].dark_lo = c.rec[SF_FAST]->window[i].lo;
		c.rec[SF_FAST]->window[i].dark_hi = c.rec[SF_FAST]->window[i].hi;
	}
	compare(&c, NULL, NULL);
	assert_false(c.d->has_verdict);
	assert_true(says(c.d->coverage.problem, c.d->coverage.nr_problems, "--api"));
	sf_diff_free(c.d);
	for (size_t i = 0; i < c.rec[SF_FAST]->nr_windows; i++)
		c.rec[SF_FAST]->window[i].dark_lo = c.rec[SF_FAST]->window[i].dark_hi = 0;
	c.rec[SF_SLOW]->system_scope = false;
	compare(&c, NULL, NULL);
	assert_false(c.d->has_verdict);
	assert_true(says(c.d->coverage.problem, c.d->coverage.nr_problems, "--scope"));
	done(&c);
	free(a);
	free(b);
}

/* ----------------------------------------------------------------------- names */

static void function_names(void **state)
{
	static const struct {
		const char *name, *function;
		bool piece;
	} known[] = {
		{ "foo", "foo", false },
		{ "foo.part.0", "foo", true },
		{ "foo.cold", "foo", true },
		{ "foo.cold.3", "foo", true },
		{ "foo.isra.0", "foo", false },
		{ "foo.isra.0.cold", "foo", true },
		{ "foo.constprop.0.isra.1", "foo", false },
		{ "foo.lto_priv.0", "foo", false },
		{ "foo.llvm.12345678901234567890", "foo", false },
		{ "foo(int) [clone .part.0]", "foo(int)", true },
		{ "foo(int) [clone .isra.0] [clone .cold]", "foo(int)", true },
		{ "core::fmt::write::h0123456789abcdef", "core::fmt::write", false },
		{ "core::fmt::write::h0123456789abcdeg", "core::fmt::write::h0123456789abcdeg", false },
		{ "a::h0123456789abcdef.llvm.77", "a", false },
		/* What only looks like it. */
		{ "foo.part", "foo.part", false },
		{ ".part.0", ".part.0", false },
		{ "foo.1", "foo.1", false },
		{ "bar.scold", "bar.scold", false },
		{ "::h0123456789abcdef", "::h0123456789abcdef", false },
		{ "operator[]", "operator[]", false },
		{ "f [clone x]", "f [clone x]", false },
		{ "", "", false },
	};

	for (size_t i = 0; i < SF_ARRAY_SIZE(known); i++) {
		bool piece;
		size_t n = sf_function_name(known[i].name, strlen(known[i].name), &piece);

		if (n != strlen(known[i].function) || strncmp(known[i].name, known[i].function, n) ||
		    piece != known[i].piece)
			fail_msg("%s: %.*s, %d", known[i].name, (int)n, known[i].name, piece);
	}
	assert_int_equal(sf_function_name("foo.cold", 8, NULL), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(which_of_them_grows),  cmocka_unit_test(as_a_table),
		cmocka_unit_test(too_few),
		cmocka_unit_test(diff_says_how_it_grows), cmocka_unit_test(a_swap_is_no_growth),
		cmocka_unit_test(inlined),              cmocka_unit_test(builds_are_matched),
		cmocka_unit_test(an_owner_that_stays),  cmocka_unit_test(conditions_that_differ),
		cmocka_unit_test(function_names),
	};

	return cmocka_run_group_tests_name("growth", tests, NULL, NULL);
}
