/* SPDX-License-Identifier: GPL-2.0-only */
/* The JSON of a diff: the fields that programs rely on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <jansson.h>

#include <snapflame/render_json.h>

#include "fake_diff.h"
#include "near.h"

static struct fake_diff *f;

static int setup(void **state)
{
	f = fake_diff();
	return 0;
}

static int teardown(void **state)
{
	fake_diff_free(f);
	return 0;
}

static json_t *render(void)
{
	struct sf_str out = SF_STR_INIT;
	json_error_t why;
	json_t *o;

	assert_int_equal(sf_json_diff(&out, &f->d), 0);
	assert_int_equal(out.buf[out.len - 1], '\n');
	o = json_loads(out.buf, JSON_REJECT_DUPLICATES, &why);
	if (!o)
		print_error("%s\n%s\n", why.text, out.buf);
	assert_non_null(o);
	sf_str_release(&out);
	return o;
}

/* The value at a path of keys and indices, "causes/0/owner/comm". */
static json_t *at(json_t *o, const char *path)
{
	char key[64];

	while (*path) {
		size_t n = strcspn(path, "/");

		assert_true(n < sizeof(key));
		memcpy(key, path, n);
		key[n] = '\0';
		o = json_is_array(o) ? json_array_get(o, (size_t)atoi(key)) : json_object_get(o, key);
		path += n + (path[n] == '/');
	}
	return o;
}

#define is_text(o, path, want) assert_string_equal(json_string_value(at(o, path)), want)
#define is_number(o, path, want) assert_near(json_number_value(at(o, path)), want, 1e-9)
#define is_null(o, path) assert_true(json_is_null(at(o, path)))

static void fields(void **state)
{
	json_t *o = render();

	is_text(o, "schema", "snapflame.diff/1");
	is_number(o, "fast/windows/0/branch", 1);
	is_number(o, "fast/windows/1/pause_ms", 263);
	assert_int_equal(json_array_size(at(o, "slow/windows")), 3);
	is_number(o, "slow/windows/2/pause_ms", 1446);
	is_number(o, "slow/windows/2/api_ms", 1446);
	is_null(o, "slow/windows/2/dark_ms");
	is_number(o, "fast/pause_ms/median", 275.5);
	is_number(o, "delta_ms/median", 1113.5);
	assert_int_equal(json_array_size(at(o, "paths/rows")), 0); /* this one has no profile */
	is_number(o, "paths/rest/delta_ms", 0);
	is_number(o, "delta_ms/ci95/0", 1020);
	is_number(o, "delta_ms/ci95/1", 1210);
	is_number(o, "coverage/critical_path_pct", 99.8);
	is_number(o, "coverage/lost", 0);
	is_number(o, "coverage/schedstat_error_pct", 0.4);
	assert_true(json_is_true(at(o, "coverage/ok")));
	assert_int_equal(json_array_size(at(o, "coverage/problems")), 0);
	is_text(o, "verdict/kind", "io-throttle");
	assert_true(strstr(json_string_value(at(o, "verdict/sentence")), "because") != NULL);
	is_number(o, "verdict/delta_ms", 1071.2);
	is_number(o, "verdict/ci95_ms/0", 1020.2);
	is_text(o, "verdict/owner/comm", "firecracker");
	is_number(o, "verdict/owner/tid", 4242);
	is_number(o, "verdict/owner/pid", 4242);
	is_text(o, "verdict/owner/process", "firecracker");
	is_text(o, "verdict/frames/0", "wbt_wait");
	is_text(o, "verdict/frames/20", "_start");
	assert_int_equal(json_array_size(at(o, "causes")), 4);
	is_text(o, "causes/1/served_by/device", "254:0");
	is_text(o, "causes/1/served_by/comm", "vda");
	is_text(o, "causes/1/waiter/comm", "firecracker");
	is_text(o, "causes/1/waits_in/3", "create_snapshot");
	is_null(o, "causes/1/behind");
	is_null(o, "causes/3/owner");
	is_text(o, "passive/0/comm", "fc_vcpu 0");
	is_number(o, "passive/0/ms", 1388);
	is_text(o, "passive/0/waits_for/comm", "firecracker");
	is_number(o, "passive/0/waits_for/tid", 4242);
	is_null(o, "passive/3/waits_for");
	is_text(o, "covariates/0/name", "Dirty_kB");
	is_number(o, "covariates/0/fast", 400);
	is_number(o, "covariates/0/slow", 217088);
	json_decref(o);
}

static void unknown_is_null(void **state)
{
	json_t *o;

	f->d.delta.has_interval = false;
	f->cause[0].delta.has_interval = false;
	f->cause[0].p = NAN;
	f->cause[0].share_pct = INFINITY;
	f->d.coverage.schedstat_error_pct = -1;
	f->d.coverage.sampler_pct = -1;
	o = render();
	is_null(o, "delta_ms/ci95");
	is_null(o, "verdict/ci95_ms");
	is_null(o, "verdict/p");
	is_null(o, "verdict/share_pct");
	is_null(o, "coverage/schedstat_error_pct");
	is_null(o, "coverage/sampler_pct");
	is_null(o, "covariates/3/fast");
	json_decref(o);
}

static void no_verdict(void **state)
{
	json_t *o;

	f->d.has_verdict = false;
	f->d.sentence = NULL;
	f->d.coverage.ok = false;
	f->problem[0] = "events were lost";
	f->d.coverage.nr_problems = 1;
	o = render();
	is_null(o, "verdict");
	is_text(o, "coverage/problems/0", "events were lost");
	assert_true(json_is_false(at(o, "coverage/ok")));
	json_decref(o);
}

static void nothing_grew(void **state)
{
	json_t *o;

	f->d.kind = SF_KIND_NONE;
	f->d.sentence = "The pauses did not grow.";
	o = render();
	is_text(o, "verdict/kind", "none");
	is_text(o, "verdict/sentence", "The pauses did not grow.");
	is_null(o, "verdict/owner");
	assert_int_equal(json_array_size(at(o, "verdict/frames")), 0);
	/* A verdict has the same fields whatever it is. */
	const char *key;
	json_t *v;

	json_object_foreach(at(o, "causes/0"), key, v)
		assert_non_null(json_object_get(at(o, "verdict"), key));
	json_decref(o);
}

static void any_bytes_in_names(void **state)
{
	static const char *evil[] = { "\xff\xfe", "\033[31m", "quote\"\\", "" };
	json_t *o;

	f->cause[0].frame = evil;
	f->cause[0].nr_frames = 4;
	f->passive[0].comm = "\x80";
	o = render();
	is_text(o, "verdict/frames/0", "\\xff\\xfe");
	is_text(o, "verdict/frames/1", "\033[31m");
	is_text(o, "verdict/frames/2", "quote\"\\");
	is_text(o, "passive/0/comm", "\\x80");
	json_decref(o);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(fields), T(unknown_is_null), T(no_verdict), T(nothing_grew), T(any_bytes_in_names),
	};

	return cmocka_run_group_tests_name("json_diff", tests, NULL, NULL);
}
