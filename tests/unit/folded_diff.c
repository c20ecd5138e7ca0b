/* SPDX-License-Identifier: GPL-2.0-only */
/* Differential folded text of a diff: every line once, and nothing that could be read otherwise. */
#include "synth.h"

#include <snapflame/render_folded.h>

static void is_named(const char *name, const char *want)
{
	struct sf_str s = SF_STR_INIT;

	sf_folded_name(&s, name);
	assert_string_equal(s.buf, want);
	sf_str_release(&s);
}

static void names(void **state)
{
	is_named("write", "write");
	is_named("a;b", "a:b");
	is_named("operator()(int, char)", "operator()(int, char)");
	is_named("core::ops::FnOnce::call_once", "core::ops::FnOnce::call_once");
	is_named("thread 12", "thread_12");
	is_named("thread 1.5", "thread_1.5");
	is_named("thread12", "thread12");
	is_named("12", "12");
	is_named(" x  ", "x");
	is_named("   ", "[unknown]");
	is_named("", "[unknown]");
	is_named("\n\033", "\\x0a\\x1b");
	is_named("\xff", "\\xff");
	is_named("größe", "größe");
}

#define HEAD "thread 100 100 vmm target\n0 in 100 cpu0\n"

/* Two windows; main runs in f, then in g, which the second does for longer. */
static void lines(void **state)
{
	struct sf_recording *rec = synth(
		HEAD "5 sample 100 | f main\n15 sample 100 | g main\n20 out 100 S ep_poll | loop\n"
		     "100 in 100 cpu0\n105 sample 100 | f main\n115 sample 100 | g main\n"
		     "125 sample 100 | g main\n140 out 100 S ep_poll | loop\n"
		     "window 1 0 20 100\nwindow 2 100 140 100\n");
	uint32_t one = 1, two = 2;
	struct sf_window_ref refs[2];
	struct sf_str out = SF_STR_INIT;
	struct sf_diff_input in;
	struct sf_diff *d;
	char text[256];

	assert_int_equal(sf_diff_split(rec, &one, 1, &two, 1, 0, refs, &in, text, sizeof(text), NULL),
			 0);
	assert_int_equal(sf_diff_make(&d, &in, NULL, NULL), 0);
	assert_int_equal(sf_folded_diff(&out, d), 0);
	assert_non_null(strstr(out.buf, ";main;f 10000 10000\n"));
	assert_non_null(strstr(out.buf, ";main;g 10000 30000\n"));
	for (const char *p = out.buf; *p; p = strchr(p, '\n') + 1)
		assert_memory_equal(p, "vmm_(main);", strlen("vmm_(main);"));
	sf_str_release(&out);
	sf_diff_free(d);
	sf_recording_free(rec);
}

/* Names that become equal are one line: readers keep one of two. */
static void equal_names_are_one_line(void **state)
{
	struct sf_recording *rec = synth(
		HEAD "5 sample 100 | f;x main\n15 sample 100 | f:x main\n20 out 100 S ep_poll | loop\n"
		     "window 1 0 20 100\n");
	struct sf_window_ref refs[2] = { { rec, rec->window }, { rec, rec->window } };
	struct sf_diff_input in = { .ref = { refs, refs + 1 }, .nr = { 1, 1 } };
	struct sf_str out = SF_STR_INIT;
	struct sf_diff *d;

	assert_int_equal(sf_diff_make(&d, &in, NULL, NULL), 0);
	assert_int_equal(sf_folded_diff(&out, d), 0);
	assert_non_null(strstr(out.buf, ";main;f:x 20000 20000\n"));
	assert_null(strstr(strstr(out.buf, "f:x") + 1, "f:x"));
	sf_str_release(&out);
	sf_diff_free(d);
	sf_recording_free(rec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(lines),
		cmocka_unit_test(equal_names_are_one_line),
	};

	return cmocka_run_group_tests_name("folded_diff", tests, NULL, NULL);
}
