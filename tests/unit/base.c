/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <snapflame/array.h>
#include <snapflame/error.h>
#include <snapflame/progress.h>
#include <snapflame/str.h>
#include <snapflame/table.h>

static void error_text(void **state)
{
	struct sf_error err = SF_ERROR_INIT;
	char buf[1200], name[300];

	assert_int_equal(sf_error_set(&err, -EINVAL, "no %s", "luck"), -EINVAL);
	assert_int_equal(err.code, -EINVAL);
	assert_string_equal(sf_error_text(&err, buf, sizeof(buf)), "no luck");
	assert_int_equal(sf_error_at(&err, -EIO, "a.txt", 7, "bad %d", 3), -EIO);
	assert_string_equal(sf_error_text(&err, buf, sizeof(buf)), "a.txt:7: bad 3");
	sf_error_at(&err, -EIO, "a.txt", 0, "bad");
	assert_string_equal(sf_error_text(&err, buf, sizeof(buf)), "a.txt: bad");
	sf_error_set(&err, -EIO, "plain");
	assert_string_equal(sf_error_text(&err, buf, sizeof(buf)), "plain");
	err = (struct sf_error){ .code = -ENOENT };
	assert_string_equal(sf_error_text(&err, buf, sizeof(buf)), strerror(ENOENT));

	/* Callers may not want to know, and names may be longer than the room for them. */
	assert_int_equal(sf_error_set(NULL, -EPERM, "x"), -EPERM);
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	sf_error_at(&err, -EIO, name, 1, "%s%s%s%s", name, name, name, name);
	assert_int_equal(strlen(err.file), sizeof(err.file) - 1);
	assert_int_equal(strlen(err.what), sizeof(err.what) - 1);
	sf_error_text(&err, buf, 10);
	assert_int_equal(strlen(buf), 9);
}

static void debug_modules(void **state)
{
	setenv("SNAPFLAME_DEBUG", "fold,symbol", 1);
	assert_true(sf_debug_on("fold"));
	assert_true(sf_debug_on("symbol"));
	assert_false(sf_debug_on("sym"));
	assert_false(sf_debug_on("folds"));
	setenv("SNAPFLAME_DEBUG", "x,all", 1);
	assert_true(sf_debug_on("anything"));
	unsetenv("SNAPFLAME_DEBUG");
	assert_false(sf_debug_on("fold"));
}

static void array_grows(void **state)
{
	uint32_t *item = NULL, *before;
	size_t nr = 0, alloc = 0, huge;

	for (uint32_t i = 0; i < 10000; i++) {
		assert_int_equal(SF_GROW(item, nr + 1, alloc), 0);
		item[nr++] = i;
	}
	for (uint32_t i = 0; i < 10000; i++)
		assert_int_equal(item[i], i);
	assert_true(alloc >= nr && alloc < 2 * nr);

	/* A size that overflows leaves everything as it was. */
	before = item;
	huge = SIZE_MAX / 2;
	assert_int_equal(SF_GROW(item, huge, alloc), -ENOMEM);
	assert_ptr_equal(item, before);
	assert_int_equal(item[9999], 9999);
	free(item);
}

static void arena(void **state)
{
	struct sf_arena a = { 0 };
	unsigned char *p[200];
	char *s;

	for (size_t i = 0; i < SF_ARRAY_SIZE(p); i++) {
		p[i] = sf_arena_alloc(&a, i * 13 + 1);
		assert_non_null(p[i]);
		assert_int_equal((uintptr_t)p[i] % 8, 0);
		for (size_t k = 0; k < i * 13 + 1; k++)
			assert_int_equal(p[i][k], 0);
		memset(p[i], (int)i, i * 13 + 1);
	}
	for (size_t i = 0; i < SF_ARRAY_SIZE(p); i++)
		for (size_t k = 0; k < i * 13 + 1; k++)
			assert_int_equal(p[i][k], (unsigned char)i);
	s = sf_arena_alloc(&a, 1 << 20); /* larger than a block */
	assert_non_null(s);
	memset(s, 1, 1 << 20);
	s = sf_arena_strndup(&a, "snapshot", 4);
	assert_string_equal(s, "snap");
	assert_null(sf_arena_alloc(&a, SIZE_MAX - 3));
	assert_null(sf_arena_strndup(&a, "", SIZE_MAX));
	sf_arena_release(&a);
	assert_null(a.head);
	sf_arena_release(&a);
}

static void string_appends(void **state)
{
	struct sf_str s = SF_STR_INIT;
	char *p;

	assert_string_equal(s.buf, "");
	sf_str_add(&s, "one");
	sf_str_addch(&s, ' ');
	sf_str_addf(&s, "%d+%s", 2, "three");
	sf_str_addn(&s, "four", 2);
	assert_string_equal(s.buf, "one 2+threefo");
	assert_int_equal(s.len, strlen(s.buf));
	sf_str_reset(&s);
	assert_string_equal(s.buf, "");
	for (int i = 0; i < 5000; i++)
		sf_str_addf(&s, "%d,", i);
	assert_int_equal(s.len, strlen(s.buf));
	assert_string_equal(s.buf + s.len - 10, "4998,4999,");
	sf_str_addn(&s, "a\0b", 3); /* bytes are bytes */
	assert_memory_equal(s.buf + s.len - 3, "a\0b", 4);
	assert_false(sf_str_failed(&s));
	p = sf_str_detach(&s);
	assert_non_null(p);
	free(p);
	assert_string_equal(s.buf, "");
	p = sf_str_detach(&s); /* nothing is a string, too */
	assert_string_equal(p, "");
	free(p);
	sf_str_release(&s);
}

static void string_without_memory(void **state)
{
	struct sf_str s = SF_STR_INIT;

	sf_str_add(&s, "kept");
	sf_str_addn(&s, "x", SIZE_MAX / 2);
	assert_true(sf_str_failed(&s));
	sf_str_add(&s, "more"); /* does nothing from here on */
	assert_string_equal(s.buf, "kept");
	assert_null(sf_str_detach(&s));
	assert_false(sf_str_failed(&s));
	assert_string_equal(s.buf, "");
}

static void printable(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "plain", "plain" },
		{ "\x1b[31mred", "\\x1b[31mred" },
		{ "tab\tnl\n", "tab\\x09nl\\x0a" },
		{ "del\x7f", "del\\x7f" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "csi\xc2\x9b", "csi\\xc2\\x9b" },    /* C1, an escape for some terminals */
		{ "a\xe2\x80\xae" "b", "a\\xe2\\x80\\xae" "b" }, /* U+202E: the rest from right to left */
		{ "\xe2\x81\xa6", "\\xe2\\x81\\xa6" },
		{ "\xd8\x9c", "\\xd8\\x9c" },
		{ "\xe2\x80\xa8", "\\xe2\\x80\\xa8" },	/* U+2028: a line separator */
		{ "\xe2\x80\xa6", "\xe2\x80\xa6" },
		{ "\xc3", "\\xc3" },		       /* cut off */
		{ "\xc0\xaf", "\\xc0\\xaf" },	       /* overlong */
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" }, /* surrogate */
		{ "\xe2\x82\xac", "\xe2\x82\xac" },
		{ "\xf0\x9f\x94\xa5", "\xf0\x9f\x94\xa5" },
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" }, /* above U+10FFFF */
	};

	for (size_t i = 0; i < SF_ARRAY_SIZE(cases); i++) {
		struct sf_str s = SF_STR_INIT;

		sf_str_add_printable(&s, cases[i].in, strlen(cases[i].in));
		assert_string_equal(s.buf, cases[i].out);
		sf_str_release(&s);
	}
	assert_int_equal(sf_utf8_len("", 0), 0);
	assert_int_equal(sf_utf8_len("\xe2\x82\xac", 2), 0);
	assert_int_equal(sf_utf8_len("\xe2\x82\xac", 3), 3);
}

/* What a program reads stays the same. */
static void inert_json(void **state)
{
	static const char json[] = "{\n\t\"\\u001b \xc2\x9b \x7f \xe2\x80\xae gr\xc3\xbc\": 1}\n";
	struct sf_str s = SF_STR_INIT;

	sf_str_add_inert_json(&s, json, strlen(json));
	assert_string_equal(s.buf, "{\n\t\"\\u001b \\u009b \\u007f \\u202e gr\xc3\xbc\": 1}\n");
	sf_str_release(&s);
}

static void map64(void **state)
{
	struct sf_map64 m = { 0 };
	bool made;
	uint32_t *v;

	assert_int_equal(sf_map64_get(&m, 1, 99), 99);
	for (uint64_t i = 0; i < 20000; i++) {
		v = sf_map64_at(&m, i << 20, &made);
		assert_non_null(v);
		assert_true(made);
		assert_int_equal(*v, 0);
		*v = (uint32_t)i;
	}
	v = sf_map64_at(&m, 5 << 20, &made);
	assert_false(made);
	assert_int_equal(*v, 5);
	assert_int_equal(m.nr, 20000);
	for (uint64_t i = 0; i < 20000; i++) {
		assert_int_equal(sf_map64_get(&m, i << 20, UINT32_MAX), i);
		assert_int_equal(sf_map64_get(&m, (i << 20) + 1, UINT32_MAX), UINT32_MAX);
	}
	*sf_map64_at(&m, 0, NULL) = 1; /* 0 and ~0 are keys like any other */
	*sf_map64_at(&m, UINT64_MAX, NULL) = 2;
	assert_int_equal(sf_map64_get(&m, 0, 0), 1);
	assert_int_equal(sf_map64_get(&m, UINT64_MAX, 0), 2);
	sf_map64_release(&m);
	assert_int_equal(sf_map64_get(&m, 0, 7), 7);
}

static void strtab(void **state)
{
	struct sf_strtab t = { 0 };
	char name[32];
	uint32_t empty;

	assert_string_equal(sf_strtab_text(&t, 0), "");
	for (uint32_t i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "function_%u", i);
		assert_int_equal(sf_strtab_id(&t, name), i + 1);
	}
	for (uint32_t i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "function_%u", i);
		assert_int_equal(sf_strtab_id(&t, name), i + 1);
		assert_string_equal(sf_strtab_text(&t, i + 1), name);
		assert_int_equal(sf_strtab_len(&t, i + 1), strlen(name));
	}
	assert_int_equal(sf_strtab_idn(&t, "function_12345", 12), sf_strtab_id(&t, "function_123"));
	empty = sf_strtab_id(&t, "");
	assert_true(empty);
	assert_string_equal(sf_strtab_text(&t, empty), "");
	assert_int_not_equal(sf_strtab_idn(&t, "a\0b", 3), sf_strtab_idn(&t, "a\0c", 3));
	assert_string_equal(sf_strtab_text(&t, 999999), "");
	assert_int_equal(sf_strtab_len(&t, 999999), 0);
	sf_strtab_release(&t);
}

static void hashes(void **state)
{
	char a[40] = "the same bytes at two different places";
	char b[41];
	unsigned buckets[16] = { 0 };

	memcpy(b + 1, a, sizeof(a));
	for (size_t n = 0; n < sizeof(a); n++)
		assert_int_equal(sf_hash_bytes(a, n), sf_hash_bytes(b + 1, n));
	assert_int_not_equal(sf_hash_bytes("a\0", 1), sf_hash_bytes("a\0", 2));
	for (uint64_t i = 0; i < 16000; i++)
		buckets[sf_hash64(i * 4096) & 15]++;
	for (size_t i = 0; i < 16; i++)
		assert_in_range(buckets[i], 800, 1200);
}

static void progress(void **state)
{
	static const struct {
		enum sf_progress_unit unit;
		uint64_t done, total;
		double seconds;
		const char *text;
	} t[] = {
		{ SF_PROGRESS_BYTES, 42000000, 352000000, 2, "12 % (42 of 352 MB), 21 MB/s, 15 s left" },
		{ SF_PROGRESS_BYTES, 1500000, 0, 0.5, "1.5 MB, 3.0 MB/s" },
		{ SF_PROGRESS_BYTES, 0, 0, 0, "0.0 MB" },
		{ SF_PROGRESS_BYTES, 1000000, 1000000000, 1, "0 % (1.0 of 1000 MB), 1.0 MB/s, 17 min left" },
		{ SF_PROGRESS_ADDRESSES, 500, 2000, 5, "25 % (500 of 2000 addresses), 100 a second, 15 s left" },
		{ SF_PROGRESS_SECONDS, 3, 10, 3, "30 % (3 of 10 s), 7 s left" },
		{ SF_PROGRESS_SECONDS, 12, 10, 12, "100 % (10 of 10 s)" },
	};

	for (size_t i = 0; i < SF_ARRAY_SIZE(t); i++) {
		struct sf_str s = SF_STR_INIT;

		sf_progress_text(&s, t[i].unit, t[i].done, t[i].total, t[i].seconds);
		assert_string_equal(s.buf, t[i].text);
		sf_str_release(&s);
	}
}

/* Formatted texts of every length, so that each place of the end of the buffer is met. */
static void formatted_text_grows(void **state)
{
	struct sf_str s = SF_STR_INIT;
	char want[512];
	size_t len = 0;

	for (int width = 0; width < 400; width++) {
		sf_str_reset(&s);
		sf_str_addf(&s, "%s", "<");
		sf_str_addf(&s, "%*d>", width, 7);
		len = (size_t)snprintf(want, sizeof(want), "<%*d>", width, 7);
		assert_int_equal(s.len, len);
		assert_string_equal(s.buf, want);
		assert_true(s.alloc > s.len);
	}
	s.failed = true; /* what was there stays as it was */
	sf_str_addf(&s, "%d", 5);
	assert_int_equal(s.len, len);
	assert_string_equal(s.buf, want);
	sf_str_release(&s);
	for (int width = 0; width < 200; width++) {
		sf_str_addf(&s, "%*d", width, 7);
		assert_int_equal(strlen(s.buf), s.len);
		sf_str_release(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formatted_text_grows),
		cmocka_unit_test(progress),
		cmocka_unit_test(error_text),	  cmocka_unit_test(debug_modules),
		cmocka_unit_test(array_grows),	  cmocka_unit_test(arena),
		cmocka_unit_test(string_appends), cmocka_unit_test(string_without_memory),
		cmocka_unit_test(printable),	  cmocka_unit_test(inert_json),
		cmocka_unit_test(map64),
		cmocka_unit_test(strtab),	  cmocka_unit_test(hashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
