/* SPDX-License-Identifier: GPL-2.0-only */
/* What outlives a recorder, and what a flight recorder forgets: journal, spools, tasks, budget. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <snapflame/writer.h>

#include "capture/session.h"

/* A recorder and its keeper: they share the memory of journal and spools, and nothing else. */
static struct sf_capture rec, keeper;

static int setup(void **state)
{
	memset(&rec, 0, sizeof(rec));
	if (sf_spool_open(&rec.spool, "rings", 1 << 20, &rec.spooled) ||
	    sf_spool_open(&rec.poll_spool, "polls", 1 << 20, &rec.spooled) ||
	    sf_journal_open(&rec.journal))
		return -1;
	sf_sideband_init(&rec.sideband, 1, 1);
	keeper = rec;
	keeper.spool.used = keeper.poll_spool.used = &keeper.spooled;
	keeper.journal.spool.used = &keeper.journal.used;
	sf_sideband_init(&keeper.sideband, 1, 1);
	return 0;
}

static void release(struct sf_capture *c)
{
	sf_marks_release(&c->marks);
	sf_sideband_release(&c->sideband);
	sf_flight_release(&c->flight);
	free(c->addresses.item);
}

static int teardown(void **state)
{
	release(&rec);
	release(&keeper);
	sf_spool_close(&rec.spool);
	sf_spool_close(&rec.poll_spool);
	sf_journal_close(&rec.journal);
	return 0;
}

static void mark(unsigned branch, const char *type)
{
	assert_int_equal(sf_marks_add(&rec.marks, type, branch, json_pack("{s:i}", "branch", (int)branch)),
			 0);
}

static void test_journal(void **state)
{
	unsigned branch;
	uint64_t time;

	assert_int_equal(sf_journal_read(&keeper, &branch, &time), -ENODATA);
	sf_str_add(&rec.sideband.records, "sideband");
	mark(0, "meta");
	assert_int_equal(sf_journal_rewrite(&rec), 0);
	mark(1, "window");
	rec.addresses.item = malloc(sizeof(uint64_t));
	rec.addresses.item[rec.addresses.nr++] = 4711;
	rec.stats.branches = 1;
	rec.recorder_ns = 17;
	assert_int_equal(sf_journal_write(&rec), 0);
	assert_int_equal(sf_journal_begin(&rec, 2, 99), 0);
	assert_int_equal(sf_journal_read(&keeper, &branch, &time), 0);
	assert_int_equal(branch, 2);
	assert_int_equal(time, 99);
	assert_int_equal(keeper.marks.nr, 2);
	assert_string_equal(keeper.marks.item[1].text, rec.marks.item[1].text);
	assert_int_equal(keeper.addresses.nr, 1);
	assert_int_equal(keeper.addresses.item[0], 4711);
	assert_int_equal(keeper.stats.branches, 1);
	assert_int_equal(keeper.recorder_ns, 17);
	assert_memory_equal(keeper.sideband.records.buf, "sideband", 8);
}

/* A generation that is not whole does not count; one that is makes the ones before void. */
static void test_generations(void **state)
{
	struct sf_journal *j = &rec.journal;
	unsigned branch;
	uint64_t time;

	mark(1, "window");
	mark(2, "window");
	assert_int_equal(sf_journal_rewrite(&rec), 0);
	sf_marks_forget(&rec.marks, 1);
	assert_int_equal(sf_journal_rewrite(&rec), 0);
	assert_true(j->spool.first > 0);
	/* Killed while it wrote the next one. */
	sf_marks_forget(&rec.marks, 2);
	assert_int_equal(sf_journal_rewrite(&rec), 0);
	assert_int_equal(ftruncate(j->spool.fd, (off_t)j->spool.size - 8), 0);
	keeper.journal.spool.fd = j->spool.fd;
	assert_int_equal(sf_journal_read(&keeper, &branch, &time), -ENODATA);
	assert_int_equal(keeper.marks.nr, 0);
}

static void test_generation_before(void **state)
{
	struct sf_journal *j = &rec.journal;
	unsigned branch;
	uint64_t time;

	mark(1, "window");
	assert_int_equal(sf_journal_rewrite(&rec), 0);
	/* The next one's beginning, and the end of the recorder. */
	assert_int_equal(sf_spool_add(&j->spool, SF_CHUNK_JOURNAL, 0, NULL, 0, NULL, 0), 0);
	assert_int_equal(sf_journal_read(&keeper, &branch, &time), 0);
	assert_int_equal(keeper.marks.nr, 1);
	assert_int_equal(branch, 0);
}

static void test_torn_chunk(void **state)
{
	const uint64_t header[2] = { SF_CHUNK_PERF, 800 };
	const struct sf_chunk *c;
	struct sf_spool_map m;
	const uint8_t *data;

	assert_int_equal(sf_spool_add(&rec.spool, SF_CHUNK_PERF, 0, "whole", 5, NULL, 0), 0);
	assert_int_equal(write(rec.spool.fd, header, sizeof(header)), sizeof(header));
	assert_int_equal(write(rec.spool.fd, "torn", 4), 4);
	keeper.spool.fd = rec.spool.fd;
	assert_int_equal(sf_spool_catch_up(&keeper.spool, 0), 0);
	assert_int_equal(keeper.spool.size, rec.spool.size);
	assert_int_equal(sf_spool_add(&keeper.spool, SF_CHUNK_PERF, 1, "next", 4, NULL, 0), 0);
	assert_int_equal(sf_spool_map(&keeper.spool, &m), 0);
	assert_memory_equal((sf_spool_next(&m, &data), data), "whole", 5);
	c = sf_spool_next(&m, &data);
	assert_non_null(c);
	assert_int_equal(c->source, 1);
	assert_null(sf_spool_next(&m, &data));
	sf_spool_unmap(&m);
}

static void test_forget(void **state)
{
	static char big[3 * 4096];
	struct sf_spool_map m;
	const uint8_t *data;
	uint64_t second;

	assert_int_equal(sf_spool_add(&rec.spool, SF_CHUNK_PERF, 0, big, sizeof(big), NULL, 0), 0);
	second = rec.spool.size;
	assert_int_equal(sf_spool_add(&rec.spool, SF_CHUNK_PERF, 1, "kept", 4, NULL, 0), 0);
	sf_spool_forget(&rec.spool, second);
	assert_int_equal(rec.spooled, rec.spool.size - second);
	assert_true(lseek(rec.spool.fd, 0, SEEK_DATA) >= 2 * 4096);
	assert_int_equal(sf_spool_map(&rec.spool, &m), 0);
	assert_int_equal(sf_spool_next(&m, &data)->source, 1);
	assert_memory_equal(data, "kept", 4);
	assert_null(sf_spool_next(&m, &data));
	sf_spool_unmap(&m);
}

/* Learn from each record in buf. */
static void learn(struct sf_flight *f, struct sf_str *buf)
{
	for (size_t at = 0; at < buf->len;) {
		const struct perf_event_header *h = (const void *)(buf->buf + at);

		assert_int_equal(sf_flight_learn(f, 10, h), 0);
		at += h->size;
	}
	sf_str_reset(buf);
}

static size_t kept(const struct sf_flight *f, uint32_t type)
{
	struct sf_str s = SF_STR_INIT;
	size_t nr = 0;

	sf_flight_kept(f, &s);
	for (size_t at = 0; at < s.len;) {
		const struct perf_event_header *h = (const void *)(s.buf + at);

		nr += h->type == type;
		at += h->size;
	}
	sf_str_release(&s);
	return nr;
}

static void test_tasks(void **state)
{
	const struct sf_build_mmap mapping = { .pid = 20, .tid = 20, .addr = 4096, .len = 4096,
					       .filename = "/bin/x" };
	const struct sf_stamp stamp = { .time = 5 };
	struct sf_flight *f = &rec.flight;
	struct sf_str buf = SF_STR_INIT;

	sf_build_task(&buf, &stamp, PERF_RECORD_FORK, 20, 1, 20, 1);
	sf_build_comm(&buf, &stamp, 20, 20, "old");
	sf_build_mmap(&buf, &stamp, PERF_RECORD_MISC_USER, &mapping);
	sf_build_task(&buf, &stamp, PERF_RECORD_FORK, 10, 10, 11, 10);
	sf_build_task(&buf, &stamp, PERF_RECORD_FORK, 30, 1, 30, 1);
	learn(f, &buf);
	assert_int_equal(kept(f, PERF_RECORD_FORK), 3);
	assert_int_equal(kept(f, PERF_RECORD_MMAP2), 1);
	/* Who has exited is nobody's name any more. */
	sf_build_task(&buf, &stamp, PERF_RECORD_EXIT, 30, 1, 30, 1);
	learn(f, &buf);
	assert_int_equal(kept(f, PERF_RECORD_FORK), 2);
	/* Another program: its mappings come behind its name. */
	sf_build_comm(&buf, &stamp, 20, 20, "new");
	((struct perf_event_header *)(void *)buf.buf)->misc |= PERF_RECORD_MISC_COMM_EXEC;
	learn(f, &buf);
	assert_int_equal(kept(f, PERF_RECORD_MMAP2), 0);
	assert_int_equal(kept(f, PERF_RECORD_COMM), 1);
	/* A thread that takes the number of one that has exited. */
	for (int i = 0; i < 1000; i++) {
		sf_build_task(&buf, &stamp, PERF_RECORD_FORK, 40, 1, 40, 1);
		sf_build_task(&buf, &stamp, PERF_RECORD_EXIT, 40, 1, 40, 1);
	}
	learn(f, &buf);
	assert_int_equal(f->nr_tasks, 4);
	assert_int_equal(kept(f, PERF_RECORD_EXIT), 0);
	sf_str_release(&buf);
}

static void test_budget(void **state)
{
	struct sf_budget b = { .pct = 5 };

	sf_budget_start(&b, 1000000);
	/* 1 ms at 5 % stands for 20 ms. */
	assert_int_equal(sf_budget_take(&b, 1000000, 2000000), 19000000);
	assert_int_equal(sf_budget_take(&b, 0, 21000000), 0);
	/* Who shares it rests for what others took. */
	sf_budget_take(&b, 500000, 21000000);
	assert_int_equal(sf_budget_take(&b, 500000, 21000000), 20000000);
	sf_budget_start(&b, 50000000);
	assert_int_equal(sf_budget_take(&b, 100, 60000000), 0);
	b.pct = 0;
	assert_int_equal(sf_budget_take(&b, 1000000000, 60000000), 0);
}

/* A ring with what a dead reader had saved, and had not taken out yet. */
static void test_skip(void **state)
{
	struct {
		struct perf_event_mmap_page page;
		uint64_t data[8];
	} *r = calloc(1, sizeof(*r));
	const uint64_t saved[4] = { 7, 8, 1, 2 }, other[4] = { 7, 8, 1, 3 };
	struct sf_ring ring;

	assert_non_null(r);
	ring = (struct sf_ring){ &r->page, sizeof(*r) };
	for (uint64_t i = 0; i < 8; i++)
		r->data[i] = i + 1;
	r->page.data_offset = (uint64_t)((char *)r->data - (char *)r);
	r->page.data_size = sizeof(r->data);
	r->page.data_tail = 6 * 8;
	r->page.data_head = 11 * 8; /* 7 8 1 2 3 */
	sf_ring_skip(&ring, other, sizeof(other));
	assert_int_equal(r->page.data_tail, 6 * 8);
	sf_ring_skip(&ring, saved, sizeof(saved));
	assert_int_equal(r->page.data_tail, 10 * 8);
	sf_ring_skip(&ring, saved, sizeof(saved));
	assert_int_equal(r->page.data_tail, 10 * 8);
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_journal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_generations, setup, teardown),
		cmocka_unit_test_setup_teardown(test_generation_before, setup, teardown),
		cmocka_unit_test_setup_teardown(test_torn_chunk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_forget, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tasks, setup, teardown),
		cmocka_unit_test(test_budget),
		cmocka_unit_test(test_skip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
