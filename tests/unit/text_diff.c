/* SPDX-License-Identifier: GPL-2.0-only */
/* The text of a diff: what is on the screen, and that it fits it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <snapflame/render_text.h>

#include "fake_diff.h"
#include "render/layout.h"

static struct fake_diff *f;
static struct sf_str out;

static int setup(void **state)
{
	f = fake_diff();
	sf_str_init(&out);
	return 0;
}

static int teardown(void **state)
{
	fake_diff_free(f);
	sf_str_release(&out);
	return 0;
}

static const char *render(unsigned width)
{
	struct sf_text_opts o = { .width = width };

	sf_str_reset(&out);
	sf_text_diff(&out, &f->d, &o);
	assert_false(sf_str_failed(&out));
	return out.buf;
}

static size_t widest(const char *text)
{
	size_t most = 0;

	while (*text) {
		size_t n = strcspn(text, "\n"), w = sf_columns(text, n);

		most = w > most ? w : most;
		text += n + (text[n] == '\n');
	}
	return most;
}

#define assert_has(text, what)                                                  \
	do {                                                                    \
		if (!strstr(text, what)) {                                      \
			print_error("no '%s' in:\n%s\n", what, text);           \
			fail();                                                 \
		}                                                               \
	} while (0)
#define assert_has_not(text, what) assert_null(strstr(text, what))

/* Text without line breaks and runs of spaces: what is said, not how it is broken. */
static const char *flat(const char *text)
{
	static char buf[16384];
	size_t n = 0;

	for (; *text && n + 1 < sizeof(buf); text++) {
		bool space = *text == ' ' || *text == '\n';

		if (!space || (n && buf[n - 1] != ' '))
			buf[n++] = space ? ' ' : *text;
	}
	buf[n] = '\0';
	return buf;
}

static void the_example(void **state)
{
	const char *text = flat(render(80));

	assert_has(text, "proof 2 + 3 windows; 9 threads and 41 others; critical path 99.8 % attributed");
	assert_has(text, "0 lost; CPU time off by 0.4 %; sampler saw 97 % of what it should");
	assert_has(text, "pauses fast 288 263, slow 1321 1389 1446 ms");
	assert_has(text, "verdict The pauses grew from 276 to 1389 ms because firecracker (main) waits");
	assert_has(text, "+1071.2 96.2 % 3.1 → 1074.3 firecracker (main) blocked io-throttle");
	assert_has(text, "io-throttle ████ wbt_wait < rq_qos_wait < __rq_qos_throttle <");
	/* The first one has two lines: room for what the program was doing. */
	assert_has(text, "… < snapshot_memory_to_file < create_snapshot");
	assert_has(text, "+29.8 2.7 % 12.0 → 41.8 jbd2/vda-8 running io-journal");
	assert_has(text, "served by vda; firecracker (main) waits in jbd2_log_wait_commit <");
	assert_has(text, "fill_page < -- < rwsem_down_write_slowpath");
	assert_has(text, "-0.5 0.0 % 259.4 → 258.9 (not listed) waiting");
	assert_has(text, "waiting fc_api, fc_vcpu 0, fc_vcpu 1 for firecracker; rayon-0…2 idle: not causes");
	assert_has(text, "moved Dirty 0.4 → 212 MB, Writeback 0 → 96 MB when the pause began; psi_io_some "
			 "12 → 1300 ms during the pause");
	assert_has_not(text, "load_1min");
	assert_has(text, "try preallocate the memory file;");
	assert_has_not(text, "n = 1");
}

static size_t blocks(const char *text, const char *row)
{
	const char *at = strstr(text, row), *end = at ? strchr(at, '\n') : NULL;
	size_t n = 0;

	for (; at && at < end; at++)
		n += !strncmp(at, "█", 3);
	return n;
}

/* Bars are as long as there is room, and to scale. */
static void bars(void **state)
{
	const char *text = render(130);

	assert_int_equal(blocks(text, "+1071.2"), 24);
	assert_int_equal(blocks(text, "+29.8"), 0); /* 29.8 / 1071.2 of 24 columns: five eighths of one */
	assert_has(text, "io-journal  ▋\n");
	f->d.cause[1].delta.value = 1071.2 / 2;
	assert_int_equal(blocks(render(130), "+535.6"), 12);
}

static void fits(void **state)
{
	static const unsigned width[] = { 72, 80, 90, 100, 139, 140, 200 };

	for (size_t i = 0; i < SF_ARRAY_SIZE(width); i++) {
		const char *text = render(width[i]);

		if (widest(text) > width[i])
			print_error("%u columns:\n%s", width[i], text);
		assert_true(widest(text) <= width[i]);
		assert_true(sf_lines(text) <= SF_TEXT_LINES);
	}
	/* A wide terminal has the stack in a column of its own: one line for each cause less. */
	size_t narrow = sf_lines(render(139));

	assert_true(sf_lines(render(140)) <= narrow - 4);
}

static void many_causes_are_summed_up(void **state)
{
	size_t first = f->d.nr_causes;
	double sum = 0, printed = 0;
	const char *line;

	while (f->d.nr_causes < SF_ARRAY_SIZE(f->cause))
		fake_cause(f, 1, SF_KIND_CPU_USER, SF_STATE_RUNNING, 10,
			   10 + 80. / (double)(f->d.nr_causes - first + 1), fake_commit, 5);
	for (size_t i = 0; i < f->d.nr_causes; i++)
		sum += f->cause[i].delta.value;
	assert_true(sf_lines(render(80)) <= SF_TEXT_LINES);
	assert_has(out.buf, "more)");
	/* The rows of the table still sum to the whole. */
	for (line = strstr(out.buf, "Δ ms"); line && *line; line = strchr(line, '\n'), line += !!line) {
		double v;

		if (strstr(line, "→") && sscanf(line, " %lf", &v) == 1 && strspn(line, " ") < 9)
			printed += v;
	}
	if (fabs(printed - sum) > 1)
		print_error("printed %f, sum %f\n%s", printed, sum, out.buf);
	assert_true(fabs(printed - sum) <= 1);
}

static void no_verdict_says_why(void **state)
{
	f->d.has_verdict = false;
	f->d.sentence = NULL;
	f->d.coverage.ok = false;
	f->problem[0] = "the events of CPU 1 were lost";
	f->problem[1] = "41 % of the critical path has no owner";
	f->d.coverage.nr_problems = 2;
	const char *text = flat(render(80));

	assert_has(text, "proof FAILS: 2 + 3 windows");
	assert_has(text, "the events of CPU 1 were lost 41 % of the critical path has no owner");
	assert_has(text, "verdict none: the proof fails");
	assert_has_not(text, "because");
}

/* Columns of the first line that begins with head, and whether the next one goes on with it. */
static bool one_line(const char *text, const char *head, size_t width)
{
	const char *at = strstr(text, head), *end = at ? strchr(at, '\n') : NULL;

	return end && (size_t)(end - at) <= width && end[1] != ' ';
}

static void the_proof_has_one_line(void **state)
{
	const char *text;

	for (unsigned width = 100; width <= 240; width += 10)
		assert_true(one_line(render(width), "proof ", width));
	text = flat(render(240));
	assert_has(text, "9 threads and 41 others; critical path 99.8 % attributed");
	assert_has(text, "0 lost; CPU time off by 0.4 %; sampler saw 97 % of what it should");
	/* Zeroes go first; what says how good it is stays. */
	text = flat(render(100));
	assert_has(text, "proof 2 + 3 windows; critical path 99.8 % attributed, ");
	assert_has(text, "sampler 97 %");
	assert_has_not(text, "0 lost");
	/* What is missing is said, whatever the width. */
	f->d.coverage.lost = 7;
	f->d.coverage.missing_wakers_pct = 3;
	text = flat(render(100));
	assert_has(text, "7 lost");
	assert_has(text, "waker not seen for 3.0 %");
	/* A proof that fails is shown whole. */
	f->d.has_verdict = f->d.coverage.ok = false;
	assert_has(flat(render(100)), "sampler saw 97 % of what it should");
}

static void many_problems_on_one_screen(void **state)
{
	const char *problem[60];

	f->d.has_verdict = f->d.coverage.ok = false;
	for (size_t i = 0; i < 60; i++)
		problem[i] = "only 0.2 % of the critical path of some BRANCH have an owner: the recording "
			     "has no wakings (sched:sched_waking; needs root and tracefs)";
	f->d.coverage.problem = problem;
	f->d.coverage.nr_problems = 60;
	assert_true(sf_lines(render(80)) <= SF_TEXT_LINES);
	assert_has(flat(out.buf), "(and 56 more; --json has them all)");
}

static void one_window_has_no_interval(void **state)
{
	f->d.nr[SF_FAST] = 1;
	f->d.delta.has_interval = false;
	assert_has(flat(render(80)), "n = 1: no interval");
}

static void names_are_data(void **state)
{
	static const char *evil[] = { "\033]0;owned\a", "a\nb", "\xff\xfe", ("\xc2\x9b" "31m"), "x" };

	f->cause[0].frame = evil;
	f->cause[0].nr_frames = 5;
	f->owner[1].label = fake_name(f, "fire\033[2J");
	f->passive[0].comm = "\033c";
	f->moved[0].name = "\033[31mDirty_kB";
	f->d.advice = "see \033[5m";
	f->problem[0] = "bad\r";
	f->d.coverage.nr_problems = 1;
	render(80);
	for (const char *p = out.buf; *p; p++)
		assert_true(*p == '\n' || (unsigned char)*p >= 0x20);
	assert_null(strstr(out.buf, "\xff"));
	assert_null(strstr(out.buf, "\xc2\x9b"));
	assert_has(out.buf, "\\x1b");
}

static void colour_changes_nothing_else(void **state)
{
	struct sf_text_opts o = { .width = 80, .color = true };
	struct sf_str colored = SF_STR_INIT, bare = SF_STR_INIT;

	sf_text_diff(&colored, &f->d, &o);
	assert_has(colored.buf, "\033[");
	for (const char *p = colored.buf; *p; p++) {
		if (*p == '\033')
			p += strcspn(p, "m");
		else
			sf_str_addch(&bare, *p);
	}
	assert_string_equal(bare.buf, render(80));
	sf_str_release(&colored);
	sf_str_release(&bare);
}

static void ascii_keeps_the_columns(void **state)
{
	struct sf_text_opts o = { .width = 80, .ascii = true };
	struct sf_str ascii = SF_STR_INIT;
	const char *a, *u;

	f->owner[2].label = fake_name(f, "журнал-日本");
	sf_text_diff(&ascii, &f->d, &o);
	for (a = ascii.buf; *a; a++)
		assert_true((unsigned char)*a < 0x80);
	a = ascii.buf;
	u = render(80);
	while (*a && *u) {
		size_t n = strcspn(a, "\n"), m = strcspn(u, "\n");

		assert_int_equal(n, sf_columns(u, m));
		a += n + 1;
		u += m + 1;
	}
	sf_str_release(&ascii);
}

static const char *frames(const char *const *frame, size_t nr, size_t width)
{
	sf_str_reset(&out);
	sf_text_frames(&out, frame, nr, width);
	assert_true(sf_columns(out.buf, out.len) <= width);
	return out.buf;
}

static void frames_are_shortened(void **state)
{
	size_t n = SF_ARRAY_SIZE(fake_throttle);

	assert_string_equal(frames(fake_throttle, 1, 71), "wbt_wait");
	assert_string_equal(frames(fake_throttle, 3, 71),
			    "wbt_wait < rq_qos_wait < __rq_qos_throttle");
	/* Leaf and the program's own functions stay to the last; entry code goes first. */
	assert_string_equal(frames(fake_throttle, n, 60),
			    "wbt_wait < rq_qos_wait < … < snapshot_memory_to_file < …");
	assert_string_equal(frames(fake_throttle, n, 16), "wbt_wait < …");
	for (size_t w = 12; w < 400; w++) {
		frames(fake_throttle, n, w);
		if (w > 140)
			assert_has(out.buf, "snapshot_memory_to_file");
	}
	assert_has(out.buf, "entry_SYSCALL_64_after_hwframe");
	assert_string_equal(frames(NULL, 0, 71), "");
}

static void one_long_name(void **state)
{
	static char huge[5000];
	const char *frame[] = { huge, "caller" };

	memset(huge, 'x', sizeof(huge) - 1);
	assert_has(frames(frame, 2, 71), "…");
	assert_has(out.buf, "caller");
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(the_example), T(bars), T(fits), T(many_causes_are_summed_up), T(no_verdict_says_why),
		T(the_proof_has_one_line),
		T(many_problems_on_one_screen),
		T(one_window_has_no_interval), T(names_are_data), T(colour_changes_nothing_else),
		T(ascii_keeps_the_columns), T(frames_are_shortened), T(one_long_name),
	};

	return cmocka_run_group_tests_name("text_diff", tests, NULL, NULL);
}
