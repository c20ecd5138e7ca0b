/* SPDX-License-Identifier: GPL-2.0-only */
/* Lines of folded text: what flamegraph.pl takes for a stack and its weights. */
#define _GNU_SOURCE /* memfd_create */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <snapflame/folded.h>
#include <snapflame/str.h>

#include "near_text.h"

/* "stack|columns|weights", or "" where the line is none. */
static const char *split(const char *text, char *buf, size_t size)
{
	struct sf_folded_line l;
	bool rounded;

	if (!sf_folded_parse(text, strlen(text), &l, &rounded))
		return "";
	snprintf(buf, size, "%.*s|%d|%llu|%llu%s", (int)l.len, l.stack, l.columns,
		 (unsigned long long)l.weight[0], (unsigned long long)l.weight[1],
		 rounded ? "|rounded" : "");
	return buf;
}

static void lines(void **state)
{
	static const char *const bad[] = { "",     "a",   "12",  "a 12 ", "a 1e3", "a -3",
					   "a;b", "a 18446744073709551616", "a 1.2.3", "a .5", "a12" };
	char buf[128];

	assert_string_equal(split("a;b 12", buf, 128), "a;b|1|12|0");
	assert_string_equal(split("a;b 12 13", buf, 128), "a;b|2|12|13");
	assert_string_equal(split("a;b\t12", buf, 128), "a;b|1|12|0");
	assert_string_equal(split("a;x y  12", buf, 128), "a;x y |1|12|0");
	assert_string_equal(split("a 2.5", buf, 128), "a|1|3|0|rounded");
	assert_string_equal(split("a 2.0", buf, 128), "a|1|2|0");
	assert_string_equal(split("a 2.", buf, 128), "a|1|2|0");
	assert_string_equal(split("a 18446744073709551615", buf, 128),
			    "a|1|18446744073709551615|0");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_string_equal(split(bad[i], buf, 128), "");
}

/* In a file of one column a name may end in a number. */
static void columns(void **state)
{
	static const char text[] = "a;b 1\r\n# comment\na;node.js 387 5\nrubbish\na 3";
	const struct sf_folded_line *l;
	struct sf_folded *f;
	struct sf_input *in = open_text(text, strlen(text));

	assert_int_equal(sf_folded_new(&f, in, "text", NULL), 0);
	assert_int_equal(sf_folded_next(f, &l, NULL), 1);
	assert_int_equal(sf_folded_next(f, &l, NULL), 1);
	assert_int_equal(l->columns, 1);
	assert_int_equal(l->weight[0], 5);
	assert_int_equal(l->len, strlen("a;node.js 387"));
	assert_int_equal(l->line, 3);
	assert_int_equal(sf_folded_next(f, &l, NULL), 1);
	assert_int_equal(l->line, 5);
	assert_int_equal(sf_folded_next(f, &l, NULL), 0);
	assert_int_equal(sf_folded_stats(f)->unrecognized, 1);
	assert_int_equal(sf_folded_stats(f)->first_unrecognized, 4);
	sf_folded_free(f);
	sf_input_free(in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
