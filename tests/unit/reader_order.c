/* SPDX-License-Identifier: GPL-2.0-only */
/* Sorting, on its own and through the reader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <snapflame/reader.h>

#include "perfbuild.h"
#include "perfdata/order.h"

static uint64_t seed;

static uint64_t rnd(void)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return seed >> 33;
}

/* Takes out what is ready; checks that it is sorted, and stable where the places count up. */
static size_t drain(struct sf_order *o, struct sf_pending *last)
{
	size_t n = 0;

	for (; o->head < o->ready; o->head++, n++) {
		const struct sf_pending *p = &o->item[o->head];

		assert_true(p->time >= last->time);
		if (p->time == last->time)
			assert_true(p->place > last->place);
		*last = *p;
	}
	return n;
}

/* Times made by make() come out sorted, all of them, equal ones as they went in. */
static void check_all(size_t nr, uint64_t (*make)(size_t i, size_t nr))
{
	struct sf_order o = { 0 };
	struct sf_pending last = { 0, 0 };
	uint64_t sum = 0, out = 0;

	for (size_t i = 0; i < nr; i++) {
		uint64_t t = make(i, nr);

		sum += t;
		assert_int_equal(sf_order_add(&o, t, i + 1), 0);
	}
	assert_int_equal(sf_order_all(&o), 0);
	for (size_t i = o.head; i < o.ready; i++)
		out += o.item[i].time;
	assert_int_equal(drain(&o, &last), nr);
	assert_int_equal(out, sum);
	sf_order_release(&o);
}

static uint64_t sorted(size_t i, size_t nr)
{
	return i;
}

static uint64_t backwards(size_t i, size_t nr)
{
	return nr - i;
}

static uint64_t random_time(size_t i, size_t nr)
{
	return rnd() % (nr + 1);
}

static uint64_t equal(size_t i, size_t nr)
{
	return 7;
}

static uint64_t four_cpus(size_t i, size_t nr)
{
	return i % (nr / 4 + 1) * 10 + rnd() % 25;
}

static uint64_t saw(size_t i, size_t nr)
{
	return i % 3 * 1000 + i;
}

static void shapes(void **state)
{
	static uint64_t (*const make[])(size_t, size_t) = { sorted, backwards, random_time,
							    equal,  four_cpus, saw };

	for (size_t m = 0; m < SF_ARRAY_SIZE(make); m++)
		for (size_t nr = 0; nr < 300; nr += 1 + nr / 7)
			check_all(nr, make[m]);
	for (size_t m = 0; m < SF_ARRAY_SIZE(make); m++)
		check_all(20000, make[m]);
}

/* A round lets go what is not younger than the youngest of the round before. */
static void rounds(void **state)
{
	struct sf_order o = { 0 };
	struct sf_pending last = { 0, 0 };

	sf_order_add(&o, 10, 1);
	sf_order_add(&o, 20, 2);
	sf_order_add(&o, 5, 3);
	assert_int_equal(sf_order_round(&o), 0);
	assert_int_equal(drain(&o, &last), 0);
	sf_order_add(&o, 30, 4);
	sf_order_add(&o, 15, 5);
	assert_int_equal(sf_order_round(&o), 0);
	assert_int_equal(drain(&o, &last), 4); /* 5 10 15 20 */
	assert_int_equal(last.time, 20);
	assert_int_equal(sf_order_waiting(&o), 1);
	assert_int_equal(sf_order_round(&o), 0);
	assert_int_equal(drain(&o, &last), 1);
	sf_order_release(&o);
}

static void many_rounds(void **state)
{
	struct sf_order o = { 0 };
	struct sf_pending last = { 0, 0 };
	size_t out = 0, in = 0, most = 0;

	for (uint64_t round = 0; round < 400; round++) {
		for (uint64_t cpu = 0; cpu < 4; cpu++)
			for (uint64_t i = 0; i < 1 + rnd() % 50; i++)
				sf_order_add(&o, round * 1000 + i * 20 + cpu, ++in);
		assert_int_equal(sf_order_round(&o), 0);
		out += drain(&o, &last);
		most = o.alloc > most ? o.alloc : most;
	}
	assert_int_equal(sf_order_all(&o), 0);
	out += drain(&o, &last);
	assert_int_equal(in, out);
	assert_true(most < 2000); /* bounded by rounds, not by what went through */
	sf_order_release(&o);
}

static void half(void **state)
{
	struct sf_order o = { 0 };
	struct sf_pending last = { 0, 0 };

	for (uint64_t i = 0; i < 1000; i++)
		sf_order_add(&o, 1 + (i * 7919) % 1000, i + 1);
	assert_int_equal(sf_order_half(&o), 0);
	assert_int_equal(drain(&o, &last), 500);
	assert_int_equal(last.time, 500);
	assert_int_equal(sf_order_all(&o), 0);
	assert_int_equal(drain(&o, &last), 500);
	sf_order_release(&o);
}

#define TYPE (PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_PERIOD)

static void sample(struct pb *b, uint64_t time, uint64_t period)
{
	pb_begin(b, PERF_RECORD_SAMPLE, 0);
	pb_u32(b, 1);
	pb_u32(b, 1);
	pb_u64(b, time);
	pb_u64(b, period);
	pb_end(b);
}

static void comm(struct pb *b, uint64_t time)
{
	pb_begin(b, PERF_RECORD_COMM, 0);
	pb_u32(b, 1);
	pb_u32(b, 1);
	pb_text(b, "x");
	pb_u32(b, time ? 1 : 0);
	pb_u32(b, time ? 1 : 0);
	pb_u64(b, time);
	pb_end(b);
}

static void finished_round(struct pb *b)
{
	pb_begin(b, SF_RECORD_FINISHED_ROUND, 0);
	pb_end(b);
}

/* Reads data (with one event of TYPE) and writes the times, records without one as 0. */
static size_t read_times(struct pb *data, bool unordered, uint64_t *time, size_t max,
			 struct sf_reader_stats *stats)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.sample_type = TYPE,
					.sample_id_all = 1 };
	struct sf_reader_opts opts = { .unordered = unordered };
	const struct sf_record *rec;
	struct sf_reader *r;
	struct pb file = { 0 };
	char path[64];
	size_t n = 0;

	pb_file(&file, &attr, 1, data, 0, NULL);
	pb_save(file.p, file.nr, path);
	pb_release(&file);
	assert_int_equal(sf_reader_open(&r, path, &opts, NULL), 0);
	unlink(path);
	while (sf_reader_next(r, &rec, NULL) == 1) {
		assert_true(n < max);
		if (rec->type != SF_RECORD_FINISHED_ROUND)
			time[n++] = rec->has_time ? rec->time : 0;
	}
	*stats = *sf_reader_stats(r);
	sf_reader_free(r);
	return n;
}

static void through_the_reader(void **state)
{
	struct pb b = { 0 };
	struct sf_reader_stats st;
	uint64_t t[16];
	static const uint64_t ordered[] = { 0, 0, 4, 5, 6, 10, 20, 40, 12, 50 };
	static const uint64_t in_file[] = { 0, 10, 20, 5, 6, 0, 40, 4, 12, 50 };

	comm(&b, 0);
	sample(&b, 10, 1);
	sample(&b, 20, 1);
	sample(&b, 5, 1);
	comm(&b, 6);
	comm(&b, 0); /* no time: at once, also from the middle of a round */
	finished_round(&b);
	sample(&b, 40, 1);
	sample(&b, 4, 1);
	finished_round(&b); /* delivers up to 20 */
	finished_round(&b); /* and up to 40 */
	sample(&b, 12, 1);  /* which is too late for this one */
	sample(&b, 50, 1);
	assert_int_equal(read_times(&b, false, t, 16, &st), 10);
	assert_memory_equal(t, ordered, sizeof(ordered));
	assert_int_equal(st.out_of_order, 1);
	assert_int_equal(st.samples, 7);
	assert_int_equal(st.records, 13);
	assert_int_equal(read_times(&b, true, t, 16, &st), 10);
	assert_memory_equal(t, in_file, sizeof(in_file));
	pb_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shapes),
		cmocka_unit_test(rounds),
		cmocka_unit_test(many_rounds),
		cmocka_unit_test(half),
		cmocka_unit_test(through_the_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
