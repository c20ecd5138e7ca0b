/* SPDX-License-Identifier: GPL-2.0-only */
/* What a BRANCH prints, and the marks that are made of it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <snapflame/marks.h>

#include "capture/driver.h"
#include "capture/mark_list.h"

static json_t *parse(const char *text, const char *fields)
{
	return sf_branch_json(text, strlen(text), fields);
}

static double number(const json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

static void expect_note(const char *text, const char *fields, const char *want)
{
	struct sf_branch b = { 0 };

	sf_branch_take_reply(&b, text, strlen(text), fields);
	if (want)
		assert_non_null(b.note);
	else
		assert_null(b.note);
	if (want)
		assert_non_null(strstr(b.note, want));
	assert_true(!b.json || !b.text);
	sf_branch_release(&b);
}

/* Broken, or without what was asked for: said; without anything, nothing. */
static void test_note(void **state)
{
	expect_note("done\n", NULL, NULL);
	expect_note("", NULL, NULL);
	expect_note("{\"pause_ms\": 1, \"diff_ms\": null, \"x\": []}\n", NULL, NULL);
	expect_note("{\"pause_ms\": 1, \"diff\n", NULL, "cannot be read");
	expect_note("done\n", "pause_ms=t.p", "no JSON object");
	expect_note("{\"t\": {\"p\": 3}}", "pause_ms=t.p", NULL);
	expect_note("{\"t\": {\"p\": 3}}", "pause_ms=t.p,diff_ms=t.d", "no number at t.d");
	expect_note("{\"t\": {\"p\": \"3\"}}", "pause_ms=t.p", "no number at t.p");
	expect_note("{\"pause_ms\": \"12\"}", NULL, "pause_ms in its JSON is no number");
	expect_note("{\"diff_ms\": -1}", NULL, "diff_ms in its JSON is no number");
}

static void test_json(void **state)
{
	json_t *o = parse("{\"pause_ms\":288,\"diff_ms\":286}\n", NULL);

	assert_int_equal(number(o, "pause_ms"), 288);
	json_decref(o);
	o = parse("starting\n{not json}\n{\"pause_ms\": 1}\n{\n  \"pause_ms\": 2\n}\nbye\n", NULL);
	assert_int_equal(number(o, "pause_ms"), 2);
	json_decref(o);
	assert_null(parse("", NULL));
	assert_null(parse("pause_ms=5\n", NULL));
	assert_null(parse("[1, 2]\n", NULL));
	assert_null(parse("{\"a\":", NULL));
	assert_null(parse("x {\"a\":1}", NULL));
}

static void test_fields(void **state)
{
	const char *text = "{\"t\":{\"pause\":5,\"x\":{\"y\":6}},\"n\":7}";
	json_t *o = parse(text, "pause_ms=t.pause,diff_ms=t.x.y,diff_physical_bytes=n,z=t.none,=,q");

	assert_int_equal(number(o, "pause_ms"), 5);
	assert_int_equal(number(o, "diff_ms"), 6);
	assert_int_equal(number(o, "diff_physical_bytes"), 7);
	assert_null(json_object_get(o, "z"));
	json_decref(o);
	o = parse(text, "pause_ms=t.pause.deeper,a=n.n,b=.");
	assert_null(json_object_get(o, "pause_ms"));
	json_decref(o);
}

static void test_marks(void **state)
{
	struct sf_marks m = { 0 };
	char *big = malloc(SF_MARK_MAX + 1);

	memset(big, 'x', SF_MARK_MAX);
	big[SF_MARK_MAX] = '\0';
	assert_int_equal(sf_marks_add(&m, "window", 5, json_pack("{s:i}", "branch", 1)), 0);
	assert_string_equal(m.item[0].text, "{\"branch\":1,\"type\":\"window\",\"t\":5}");
	assert_int_equal(m.item[0].len, strlen(m.item[0].text));
	assert_int_equal(sf_marks_add(&m, "window", 5, json_pack("{s:s}", "text", big)), -E2BIG);
	assert_int_equal(sf_marks_add(&m, "window", 5, NULL), -ENOMEM);
	assert_int_equal(m.nr, 1);
	sf_marks_release(&m);
	free(big);
}

static void test_text(void **state)
{
	json_t *v = sf_json_text("a\xff" "b", 3);

	assert_string_equal(json_string_value(v), "a\\xffb");
	json_decref(v);
	v = sf_json_text("µs", 3);
	assert_string_equal(json_string_value(v), "µs");
	json_decref(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_note),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
