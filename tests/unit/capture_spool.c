/* SPDX-License-Identifier: GPL-2.0-only */
/* The way of raw data: rings, spool, sub-buffers of ftrace, polls, and all of it in order of time. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <snapflame/writer.h>

#include "capture/merge.h"
#include "capture/poller.h"
#include "capture/ring.h"
#include "capture/spool.h"
#include "capture/wakings.h"

static atomic_uint_fast64_t used;
static struct sf_spool spool;

static int setup(void **state)
{
	used = 0;
	return sf_spool_open(&spool, "test", 4096, &used);
}

static int teardown(void **state)
{
	sf_spool_close(&spool);
	return 0;
}

static void test_chunks(void **state)
{
	const struct sf_chunk *c;
	struct sf_spool_map m;
	const uint8_t *data;

	assert_int_equal(sf_spool_add(&spool, 1, 7, "hello ", 6, "you", 3), 0);
	assert_int_equal(sf_spool_add(&spool, 2, 8, "12345678", 8, NULL, 0), 0);
	assert_int_equal(sf_spool_map(&spool, &m), 0);
	c = sf_spool_next(&m, &data);
	assert_int_equal(c->kind, 1);
	assert_int_equal(c->source, 7);
	assert_int_equal(c->size, 9);
	assert_memory_equal(data, "hello you", 9);
	c = sf_spool_next(&m, &data);
	assert_int_equal(c->source, 8);
	assert_memory_equal(data, "12345678", 8);
	assert_null(sf_spool_next(&m, &data));
	sf_spool_unmap(&m);
}

static void test_limit(void **state)
{
	const struct sf_chunk *c;
	struct sf_spool_map m;
	static char big[4096];
	const uint8_t *data;

	assert_int_equal(sf_spool_add(&spool, 1, 0, big, 2000, NULL, 0), 0);
	assert_int_equal(sf_spool_add(&spool, 1, 0, big, sizeof(big), NULL, 0), -ENOSPC);
	assert_int_equal(sf_spool_add(&spool, 1, 1, big, 1000, NULL, 0), 0);
	assert_int_equal(spool.refused, 1);
	assert_int_equal(used, spool.size);
	assert_int_equal(sf_spool_map(&spool, &m), 0);
	assert_non_null(sf_spool_next(&m, &data));
	c = sf_spool_next(&m, &data);
	assert_int_equal(c->source, 1);
	assert_null(sf_spool_next(&m, &data));
	sf_spool_unmap(&m);
	assert_int_equal(sf_spool_map(&(struct sf_spool){ .fd = -1 }, &m), 0);
	assert_null(sf_spool_next(&m, &data));
}

/* A ring of 256 bytes behind its page, as the kernel lays it out. */
struct fake_ring {
	struct perf_event_mmap_page page;
	uint64_t data[32];
};

static struct fake_ring *ring_new(uint64_t tail)
{
	struct fake_ring *r = calloc(1, sizeof(*r));

	r->page.data_offset = offsetof(struct fake_ring, data);
	r->page.data_size = sizeof(r->data);
	r->page.data_head = r->page.data_tail = tail;
	return r;
}

static void ring_put(struct fake_ring *r, uint32_t words, uint64_t fill)
{
	struct perf_event_header h = { .type = 9, .size = (uint16_t)(words * 8) };
	uint64_t at = r->page.data_head / 8;

	memcpy(&r->data[at % 32], &h, 8);
	for (uint32_t i = 1; i < words; i++)
		r->data[(at + i) % 32] = fill + i;
	r->page.data_head += words * 8;
}

static void test_ring_wraps(void **state)
{
	struct fake_ring *f = ring_new(8 * 29 + 256 * 1000);
	struct sf_ring ring = { &f->page };
	const uint64_t *u;
	struct sf_spool_map m;
	const uint8_t *data;

	assert_int_equal(sf_ring_drain(&ring, 3, &spool), 0);
	assert_int_equal(spool.size, 0);
	ring_put(f, 2, 100);
	ring_put(f, 9, 200); /* across the end */
	assert_int_equal(sf_ring_drain(&ring, 3, &spool), 0);
	assert_int_equal(f->page.data_tail, f->page.data_head);
	assert_int_equal(sf_spool_map(&spool, &m), 0);
	assert_int_equal(sf_spool_next(&m, &data)->size, 11 * 8);
	u = (const uint64_t *)data;
	assert_int_equal(u[1], 101);
	for (int i = 1; i < 9; i++)
		assert_int_equal(u[2 + i], 200 + i);
	assert_null(sf_spool_next(&m, &data));
	sf_spool_unmap(&m);
	free(f);
}

static void test_ring_refused(void **state)
{
	struct fake_ring *f = ring_new(8 * 30);
	struct sf_ring ring = { &f->page };

	spool.max = 64;
	for (int i = 0; i < 5; i++)
		ring_put(f, 5, 0);
	/* Counted, and out of the way: the kernel must find room. */
	assert_int_equal(sf_ring_drain(&ring, 0, &spool), 5);
	assert_int_equal(f->page.data_tail, f->page.data_head);
	assert_int_equal(sf_ring_drain(&ring, 0, &spool), 0);
	free(f);
}

struct seen {
	uint64_t time[8];
	char text[8][16];
	size_t nr;
};

static int see(void *arg, uint64_t time, const void *entry, size_t size)
{
	struct seen *s = arg;

	assert_in_range(s->nr, 0, 7);
	assert_in_range(size, 1, 15);
	s->time[s->nr] = time;
	memcpy(s->text[s->nr++], entry, size);
	return 0;
}

/* type_len and delta in one word, as ring_buffer_event has them on a little endian machine. */
static uint32_t event_word(uint32_t type_len, uint32_t delta)
{
	return type_len | delta << 5;
}

static void test_sub_buffer(void **state)
{
	uint32_t page[1024] = { 0 };
	uint64_t time = 5000000000, commit = 9 * 4;
	struct seen s = { .nr = 0 };

	memcpy(page, &time, 8);
	memcpy(page + 2, &commit, 8);
	page[4] = event_word(2, 10); /* two words of data */
	memcpy(page + 5, "first..", 8);
	page[7] = event_word(30, 5); /* time extend: delta = 5 + (1 << 27) */
	page[8] = 1;
	page[9] = event_word(0, 1); /* length in the next word, itself included */
	page[10] = 12;
	memcpy(page + 11, "second.", 8);
	assert_int_equal(sf_wakings_decode(page, sizeof(page), see, &s), 0);
	assert_int_equal(s.nr, 2);
	assert_int_equal(s.time[0], time + 10);
	assert_string_equal(s.text[0], "first..");
	assert_int_equal(s.time[1], time + 10 + 5 + (1 << 27) + 1);
	assert_string_equal(s.text[1], "second.");
	/* More than was read, and less than a head. */
	commit = 1 << 16;
	memcpy(page + 2, &commit, 8);
	assert_int_equal(sf_wakings_decode(page, sizeof(page), see, &s), -EINVAL);
	assert_int_equal(sf_wakings_decode(page, 8, see, &s), -EINVAL);
}

static void test_polls(void **state)
{
	struct {
		struct sf_poll_rec rec;
		char text[24];
		struct sf_poll_rec again;
	} p = {
		.rec = { .time = 1, .tid = 5, .syscall_len = 7, .stack_len = 10 },
		.text = "syscallstack text",
		.again = { .time = 2, .tid = 5, .again = true },
	};
	const uint8_t *data = (const uint8_t *)&p;
	const struct sf_poll_rec *r;
	const char *syscall, *stack;
	uint64_t at = 0;

	r = sf_poll_next(data, sizeof(p), &at, &syscall, &stack);
	assert_int_equal(r->time, 1);
	assert_memory_equal(syscall, "syscall", 7);
	assert_memory_equal(stack, "stack text", 10);
	r = sf_poll_next(data, sizeof(p), &at, &syscall, &stack);
	assert_int_equal(r->time, 2);
	assert_null(sf_poll_next(data, sizeof(p), &at, &syscall, &stack));
	/* Cut anywhere: never beyond the end. */
	for (uint64_t size = 0; size < sizeof(p.rec) + 17; size++) {
		at = 0;
		assert_null(sf_poll_next(data, size, &at, &syscall, &stack));
	}
}

static void test_merge(void **state)
{
	const uint64_t times[] = { 30, 10, 20, 10, 30 };
	struct sf_merge m = { 0 };
	struct sf_str b = SF_STR_INIT;

	for (uint64_t i = 0; i < 5; i++) {
		struct sf_stamp stamp = { .time = times[i], .id = i };

		sf_str_reset(&b);
		sf_build_lost(&b, &stamp, 0, i);
		assert_int_equal(sf_merge_add_copy(&m, 99, &b), 0);
	}
	sf_merge_sort(&m);
	assert_int_equal(m.nr, 5);
	for (size_t i = 0; i < 5; i++) {
		static const uint64_t want[] = { 1, 3, 2, 0, 4 };
		const uint64_t *u = (const uint64_t *)(m.item[i].rec + 1);

		assert_int_equal(u[1], want[i]);
	}
	sf_str_release(&b);
	sf_merge_release(&m);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_chunks),     TEST(test_limit), TEST(test_ring_wraps),
		TEST(test_ring_refused),
#ifdef HAVE_TRACEEVENT
		TEST(test_sub_buffer),
#endif
		TEST(test_polls),      TEST(test_merge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
