/* SPDX-License-Identifier: GPL-2.0-only */
/* What upset the machine between two looks at it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture/proc.h"
#include "capture/upsets.h"

#define MS INT64_C(1000000)

static unsigned cpu[] = { 0, 1, 3 };
static const struct sf_events events = { .cpu = cpu, .nr_cpus = 3 };

/* Two looks, 200 ms apart, between which nothing happened. */
static void calm(struct sf_upsets u[2], uint64_t running[2][3])
{
	for (int i = 0; i < 2; i++) {
		for (int k = 0; k < 3; k++)
			running[i][k] = (uint64_t)(1000 + 200 * i) * MS;
		u[i] = (struct sf_upsets){
			.at = (uint64_t)(5000 + 200 * i) * MS,
			.asleep = 7 * MS,
			.time_set = INT64_C(1700000000) * 1000 * MS,
			.running = running[i],
			.nr_running = 3,
			.online = cpu,
			.nr_online = 3,
		};
	}
}

/* One of that kind, with these words in it, and no other. */
static void one(const struct sf_upsets u[2], const char *kind, const char *words)
{
	json_t *list = sf_upsets_between(&u[0], &u[1], &events);
	const json_t *o = json_array_get(list, 0);

	assert_int_equal(json_array_size(list), 1);
	assert_string_equal(json_string_value(json_object_get(o, "kind")), kind);
	if (!strstr(json_string_value(json_object_get(o, "text")), words))
		fail_msg("%s is not in: %s", words, json_string_value(json_object_get(o, "text")));
	json_decref(list);
}

static void none(const struct sf_upsets u[2])
{
	assert_null(sf_upsets_between(&u[0], &u[1], &events));
}

static void test_clocks(void **state)
{
	uint64_t running[2][3];
	struct sf_upsets u[2];

	calm(u, running);
	none(u);
	u[1].asleep += MS / 2; /* no reading is exact */
	u[1].time_set -= MS / 2;
	none(u);
	u[1].asleep = u[0].asleep + 2500 * MS;
	one(u, "sleep", "slept for 2.500 s");
	u[1].asleep = u[0].asleep;
	u[1].time_set = u[0].time_set + 20 * MS;
	one(u, "clock", "forward by 0.020 s");
	u[1].time_set = u[0].time_set - 3600 * 1000 * MS;
	one(u, "clock", "back by 3600.000 s");
}

static void test_cpus(void **state)
{
	unsigned more[] = { 0, 1, 2, 3 }, fewer[] = { 0, 3 };
	uint64_t running[2][3];
	struct sf_upsets u[2];

	calm(u, running);
	running[1][2] -= 11 * MS; /* 1 % of the time and 10 ms are within what clocks differ by */
	none(u);
	running[1][2] -= 39 * MS;
	one(u, "cpu", "CPU 3 went offline, and what it ran in 50.0 of 200.0 ms");
	running[1][2] = running[0][2];
	one(u, "cpu", "CPU 3 went offline, and what it ran in 200.0 of 200.0 ms");
	calm(u, running);
	u[1].online = more;
	u[1].nr_online = 4;
	one(u, "cpu", "CPU 2 came online");
	/* One that went had no time to be seen by; its events tell. */
	u[1].online = fewer;
	u[1].nr_online = 2;
	none(u);
	u[0].nr_running = 0; /* no CPU-wide events */
	running[1][2] = 0;
	none(u);
}

static void test_taken(void **state)
{
	struct sf_upsets a, b;
	struct sf_events no_events = { 0 };

	sf_upsets_take(&a, &no_events);
	sf_upsets_take(&b, &no_events);
	assert_true(a.nr_online > 0);
	assert_true(a.at > 0 && b.at >= a.at && a.asleep >= -MS);
	assert_int_equal(a.nr_running, 0);
	assert_null(sf_upsets_between(&a, &b, &no_events));
	sf_upsets_release(&a);
	sf_upsets_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clocks),
		cmocka_unit_test(test_cpus),
		cmocka_unit_test(test_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
