/* SPDX-License-Identifier: GPL-2.0-only */
/* Every field of samples and of the kernel's records, in both byte orders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cmocka.h>

#include <snapflame/reader.h>

#include "perfbuild.h"

#define ALL_FIELDS                                                                                 \
	(PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |            \
	 PERF_SAMPLE_ADDR | PERF_SAMPLE_ID | PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CPU |             \
	 PERF_SAMPLE_PERIOD | PERF_SAMPLE_CALLCHAIN | PERF_SAMPLE_RAW | PERF_SAMPLE_BRANCH_STACK | \
	 PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER | PERF_SAMPLE_WEIGHT_STRUCT |              \
	 PERF_SAMPLE_DATA_SRC | PERF_SAMPLE_TRANSACTION | PERF_SAMPLE_REGS_INTR |                  \
	 PERF_SAMPLE_PHYS_ADDR | PERF_SAMPLE_CGROUP | PERF_SAMPLE_DATA_PAGE_SIZE |                 \
	 PERF_SAMPLE_CODE_PAGE_SIZE | PERF_SAMPLE_AUX)

static struct sf_reader *open_built(const struct perf_event_attr *attr, size_t nr,
				    const struct pb *data)
{
	struct pb file = { .swap = data->swap };
	struct sf_reader *r;
	char path[64];

	pb_file(&file, attr, nr, data, 0, NULL);
	pb_save(file.p, file.nr, path);
	pb_release(&file);
	assert_int_equal(sf_reader_open(&r, path, NULL, NULL), 0);
	unlink(path);
	assert_int_equal(sf_reader_swapped(r), data->swap);
	return r;
}

static const struct sf_record *must_read(struct sf_reader *r)
{
	const struct sf_record *rec;

	if (sf_reader_next(r, &rec, NULL) != 1)
		fail_msg("no record: %s", sf_reader_problem(r, 0) ? sf_reader_problem(r, 0) : "-");
	return rec;
}

static void must_end(struct sf_reader *r)
{
	const struct sf_record *rec;

	assert_int_equal(sf_reader_next(r, &rec, NULL), 0);
	assert_int_equal(sf_reader_next(r, &rec, NULL), 0);
	assert_null(sf_reader_problem(r, 0));
	sf_reader_free(r);
}

static void build_sample(struct pb *b)
{
	pb_begin(b, PERF_RECORD_SAMPLE, PERF_RECORD_MISC_USER);
	pb_u64(b, 100); /* identifier */
	pb_u64(b, 0x401000);
	pb_u32(b, 11);
	pb_u32(b, 12);
	pb_u64(b, 123456789);
	pb_u64(b, 0xadd0);
	pb_u64(b, 100);
	pb_u64(b, 0x57);
	pb_u32(b, 3);
	pb_u32(b, 0);
	pb_u64(b, 1000003);
	pb_u64(b, 3);
	pb_u64(b, PERF_CONTEXT_USER);
	pb_u64(b, 0x401000);
	pb_u64(b, 0x402000);
	pb_u32(b, 12);
	pb_bytes(b, "\1\2\3\4\5\6\7\x8\x9\xa\xb\xc", 12);
	pb_u64(b, 1);
	pb_u64(b, 5); /* hw_idx */
	pb_u64(b, 0xf1);
	pb_u64(b, 0xf2);
	/* mispred, in_tx, 77 cycles, type 5: bit fields */
	pb_u64(b, b->swap ? 1ULL << 63 | 1ULL << 61 | 77ULL << 44 | 5ULL << 40
			  : 1 | 4 | 77 << 4 | 5 << 20);
	pb_u64(b, 2); /* abi */
	pb_u64(b, 0x51);
	pb_u64(b, 0x52);
	pb_u64(b, 16);
	pb_bytes(b, "stack of 16 byte", 16);
	pb_u64(b, 9);
	pb_u64(b, 0x0003000200000007ULL); /* weight 7, latencies 2 and 3 */
	pb_u64(b, 0xda7a);
	pb_u64(b, 0x7c);
	pb_u64(b, 1);
	pb_u64(b, 0x61);
	pb_u64(b, 0x9999);
	pb_u64(b, 0xc9);
	pb_u64(b, 4096);
	pb_u64(b, 8192);
	pb_u64(b, 4);
	pb_bytes(b, "aux-pad", 8);
	pb_end(b);
}

static void check_sample(const struct sf_record *rec)
{
	const struct sf_sample *s = &rec->u.sample;

	assert_int_equal(rec->type, PERF_RECORD_SAMPLE);
	assert_int_equal(rec->misc, PERF_RECORD_MISC_USER);
	assert_true(rec->has_tid && rec->has_time && rec->has_cpu);
	assert_int_equal(rec->pid, 11);
	assert_int_equal(rec->tid, 12);
	assert_int_equal(rec->time, 123456789);
	assert_int_equal(rec->cpu, 3);
	assert_int_equal(s->has, ALL_FIELDS);
	assert_int_equal(s->id, 100);
	assert_int_equal(s->ip, 0x401000);
	assert_int_equal(s->addr, 0xadd0);
	assert_int_equal(s->stream_id, 0x57);
	assert_int_equal(s->period, 1000003);
	assert_int_equal(s->nr_chain, 3);
	assert_true(s->chain[0] == PERF_CONTEXT_USER);
	assert_int_equal(s->chain[2], 0x402000);
	assert_int_equal(s->raw_size, 12);
	assert_memory_equal(s->raw, "\1\2\3\4\5\6\7\x8\x9\xa\xb\xc", 12);
}

static void check_sample_rest(const struct sf_sample *s)
{
	assert_int_equal(s->nr_branch, 1);
	assert_int_equal(s->branch[0].from, 0xf1);
	assert_int_equal(s->branch[0].to, 0xf2);
	assert_int_equal(s->branch[0].mispred, 1);
	assert_int_equal(s->branch[0].predicted, 0);
	assert_int_equal(s->branch[0].in_tx, 1);
	assert_int_equal(s->branch[0].cycles, 77);
	assert_int_equal(s->branch[0].type, 5);
	assert_int_equal(s->user_abi, 2);
	assert_int_equal(s->user_regs_mask, 0x81);
	assert_int_equal(s->user_regs[1], 0x52);
	assert_int_equal(s->user_stack_size, 9);
	assert_memory_equal(s->user_stack, "stack of ", 9);
	assert_int_equal(s->weight, 7);
	assert_int_equal(s->data_src, 0xda7a);
	assert_int_equal(s->transaction, 0x7c);
	assert_int_equal(s->phys_addr, 0x9999);
	assert_int_equal(s->cgroup, 0xc9);
	assert_int_equal(s->data_page_size, 4096);
	assert_int_equal(s->code_page_size, 8192);
}

static void sample_fields(bool swap)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.sample_type = ALL_FIELDS,
		.sample_regs_user = 0x81,
		.sample_regs_intr = 0x10,
		.branch_sample_type = PERF_SAMPLE_BRANCH_HW_INDEX,
		.sample_id_all = 1,
		.precise_ip = 2,
		.exclude_kernel = 1,
		.clockid = -5,
		.config1 = 0x123456789abcdefULL,
		.wakeup_events = 77,
	};
	struct pb data = { .swap = swap };
	const struct sf_event *ev;
	struct sf_reader *r;

	build_sample(&data);
	r = open_built(&attr, 1, &data);
	ev = sf_reader_event(r, 0);
	assert_string_equal(ev->name, "cycles:uhpp");
	assert_int_equal(ev->attr.clockid, -5);
	assert_true(ev->attr.config1 == 0x123456789abcdefULL);
	assert_int_equal(ev->attr.wakeup_events, 77);
	assert_int_equal(ev->attr.sample_id_all, 1);
	assert_int_equal(ev->attr.precise_ip, 2);
	assert_int_equal(ev->nr_ids, 1);
	assert_int_equal(ev->id[0], 100);
	check_sample(must_read(r));
	pb_release(&data);
	must_end(r);

	build_sample(&data);
	r = open_built(&attr, 1, &data);
	check_sample_rest(&must_read(r)->u.sample);
	pb_release(&data);
	must_end(r);
}

static void samples(void **state)
{
	sample_fields(false);
	sample_fields(true);
}

static void trailer(struct pb *b, uint64_t time)
{
	pb_u32(b, time ? 11 : 0);
	pb_u32(b, time ? 12 : 0);
	pb_u64(b, time);
	pb_u64(b, time ? 100 : 0);
	pb_u64(b, time ? 9 : 0);
	pb_u32(b, time ? 3 : 0);
	pb_u32(b, 0);
	pb_u64(b, time ? 100 : 0);
	pb_end(b);
}

static void build_maps(struct pb *b)
{
	pb_begin(b, PERF_RECORD_MMAP, PERF_RECORD_MISC_MMAP_DATA);
	pb_u32(b, 1);
	pb_u32(b, 2);
	pb_u64(b, 0x1000);
	pb_u64(b, 0x2000);
	pb_u64(b, 0x3000);
	pb_text(b, "/lib/x.so");
	trailer(b, 1);
	pb_begin(b, PERF_RECORD_MMAP2, 0);
	pb_u32(b, 1);
	pb_u32(b, 2);
	pb_u64(b, 0x1000);
	pb_u64(b, 0x2000);
	pb_u64(b, 0x3000);
	pb_u32(b, 8);
	pb_u32(b, 1);
	pb_u64(b, 777);
	pb_u64(b, 888);
	pb_u32(b, PROT_READ | PROT_EXEC);
	pb_u32(b, MAP_PRIVATE);
	pb_text(b, "/bin/y");
	trailer(b, 2);
	pb_begin(b, PERF_RECORD_MMAP2, PERF_RECORD_MISC_MMAP_BUILD_ID);
	pb_u32(b, 1);
	pb_u32(b, 2);
	pb_u64(b, 0x1000);
	pb_u64(b, 0x2000);
	pb_u64(b, 0x3000);
	pb_bytes(b,
		 "\x10\0\0\0"
		 "0123456789abcdef\0\0\0\0",
		 24);
	pb_u32(b, PROT_EXEC);
	pb_u32(b, MAP_SHARED);
	pb_text(b, "/bin/z");
	trailer(b, 3);
}

static void check_maps(struct sf_reader *r)
{
	const struct sf_record *rec = must_read(r);

	assert_int_equal(rec->u.mmap.pid, 1);
	assert_int_equal(rec->u.mmap.tid, 2);
	assert_int_equal(rec->u.mmap.addr, 0x1000);
	assert_int_equal(rec->u.mmap.len, 0x2000);
	assert_int_equal(rec->u.mmap.pgoff, 0x3000);
	assert_false(rec->u.mmap.prot & PROT_EXEC);
	assert_string_equal(rec->u.mmap.filename, "/lib/x.so");
	assert_true(rec->has_time && rec->has_tid && rec->has_cpu);
	assert_int_equal(rec->pid, 11);
	assert_int_equal(rec->tid, 12);
	assert_int_equal(rec->cpu, 3);
	assert_int_equal(rec->body_size, 32 + 16);
	assert_ptr_equal(rec->event, sf_reader_event(r, 0));
	rec = must_read(r);
	assert_int_equal(rec->u.mmap.maj, 8);
	assert_int_equal(rec->u.mmap.min, 1);
	assert_int_equal(rec->u.mmap.ino, 777);
	assert_int_equal(rec->u.mmap.ino_generation, 888);
	assert_int_equal(rec->u.mmap.prot, PROT_READ | PROT_EXEC);
	assert_int_equal(rec->u.mmap.flags, MAP_PRIVATE);
	assert_null(rec->u.mmap.build_id);
	assert_string_equal(rec->u.mmap.filename, "/bin/y");
	rec = must_read(r);
	assert_int_equal(rec->u.mmap.build_id_size, 16);
	assert_memory_equal(rec->u.mmap.build_id, "0123456789abcdef", 16);
	assert_int_equal(rec->u.mmap.prot, PROT_EXEC);
	assert_int_equal(rec->u.mmap.ino, 0);
	assert_string_equal(rec->u.mmap.filename, "/bin/z");
}

static void build_tasks(struct pb *b)
{
	pb_begin(b, PERF_RECORD_COMM, PERF_RECORD_MISC_COMM_EXEC);
	pb_u32(b, 1);
	pb_u32(b, 2);
	pb_text(b, "vcpu 0");
	trailer(b, 4);
	for (int i = 0; i < 2; i++) {
		pb_begin(b, i ? PERF_RECORD_EXIT : PERF_RECORD_FORK, 0);
		pb_u32(b, 1);
		pb_u32(b, 2);
		pb_u32(b, 3);
		pb_u32(b, 4);
		pb_u64(b, 55);
		trailer(b, 5);
	}
	pb_begin(b, PERF_RECORD_SWITCH, PERF_RECORD_MISC_SWITCH_OUT);
	trailer(b, 6);
	pb_begin(b, PERF_RECORD_SWITCH_CPU_WIDE,
		 PERF_RECORD_MISC_SWITCH_OUT | PERF_RECORD_MISC_SWITCH_OUT_PREEMPT);
	pb_u32(b, 8);
	pb_u32(b, 9);
	trailer(b, 7);
}

static void check_tasks(struct sf_reader *r)
{
	const struct sf_record *rec = must_read(r);

	assert_int_equal(rec->u.comm.tid, 2);
	assert_string_equal(rec->u.comm.comm, "vcpu 0");
	assert_true(rec->u.comm.exec);
	rec = must_read(r);
	assert_int_equal(rec->type, PERF_RECORD_FORK);
	assert_int_equal(rec->u.task.pid, 1);
	assert_int_equal(rec->u.task.ppid, 2);
	assert_int_equal(rec->u.task.tid, 3);
	assert_int_equal(rec->u.task.ptid, 4);
	assert_int_equal(rec->u.task.time, 55);
	assert_int_equal(must_read(r)->type, PERF_RECORD_EXIT);
	rec = must_read(r);
	assert_true(rec->u.sw.out && !rec->u.sw.preempt && !rec->u.sw.has_other);
	assert_int_equal(rec->tid, 12);
	rec = must_read(r);
	assert_true(rec->u.sw.out && rec->u.sw.preempt && rec->u.sw.has_other);
	assert_int_equal(rec->u.sw.other_pid, 8);
	assert_int_equal(rec->u.sw.other_tid, 9);
}

static void build_others(struct pb *b)
{
	pb_begin(b, PERF_RECORD_LOST, 0);
	pb_u64(b, 100);
	pb_u64(b, 41);
	trailer(b, 8);
	pb_begin(b, PERF_RECORD_LOST_SAMPLES, 0);
	pb_u64(b, 1);
	trailer(b, 9);
	pb_begin(b, PERF_RECORD_THROTTLE, 0);
	pb_u64(b, 10);
	pb_u64(b, 100);
	pb_u64(b, 101);
	trailer(b, 10);
	pb_begin(b, PERF_RECORD_KSYMBOL, 0);
	pb_u64(b, 0xffffffffc0000000ULL);
	pb_u32(b, 64);
	pb_u16(b, 1);
	pb_u16(b, 1);
	pb_text(b, "bpf_prog_1");
	trailer(b, 11);
	pb_begin(b, 30, 0); /* of a kernel to come */
	pb_u64(b, 1);
	trailer(b, 12);
	/* perf's own: all zeroes is no trailer, and comes at once */
	pb_begin(b, PERF_RECORD_COMM, 0);
	pb_u32(b, 1);
	pb_u32(b, 2);
	pb_text(b, "made up");
	trailer(b, 0);
}

static void check_others(struct sf_reader *r)
{
	const struct sf_record *rec = must_read(r);
	const struct sf_reader_stats *st = sf_reader_stats(r);

	assert_int_equal(rec->u.lost.id, 100);
	assert_int_equal(rec->u.lost.lost, 41);
	assert_int_equal(must_read(r)->u.lost.lost, 1);
	assert_int_equal(st->lost, 42);
	assert_int_equal(st->lost_records, 2);
	rec = must_read(r);
	assert_int_equal(rec->u.throttle.time, 10);
	assert_int_equal(rec->u.throttle.id, 100);
	assert_int_equal(rec->u.throttle.stream_id, 101);
	assert_false(rec->u.throttle.unthrottle);
	assert_int_equal(st->throttled, 1);
	rec = must_read(r);
	assert_true(rec->u.ksymbol.addr == 0xffffffffc0000000ULL);
	assert_int_equal(rec->u.ksymbol.len, 64);
	assert_int_equal(rec->u.ksymbol.type, 1);
	assert_int_equal(rec->u.ksymbol.flags, 1);
	assert_string_equal(rec->u.ksymbol.name, "bpf_prog_1");
	assert_int_equal(must_read(r)->type, 30);
	assert_int_equal(st->unknown, 1);
}

static void records(bool swap)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.sample_id_all = 1,
		.build_id = 1,
		.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
			       PERF_SAMPLE_ID | PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CPU |
			       PERF_SAMPLE_IDENTIFIER,
	};
	struct pb data = { .swap = swap };
	const struct sf_record *rec;
	struct sf_reader *r;

	build_maps(&data);
	build_tasks(&data);
	build_others(&data);
	r = open_built(&attr, 1, &data);
	rec = must_read(r);
	assert_string_equal(rec->u.comm.comm, "made up");
	assert_true(!rec->has_time && !rec->has_tid && !rec->has_cpu && !rec->event);
	check_maps(r);
	check_tasks(r);
	check_others(r);
	pb_release(&data);
	must_end(r);
}

static void all_records(void **state)
{
	records(false);
	records(true);
}

/* Three events that are read together; each gets what it counted since the last sample. */
static void group_sample(struct pb *b, uint64_t time, uint64_t a, uint64_t bb, uint64_t c)
{
	uint64_t value[3] = { a, bb, c };

	pb_begin(b, PERF_RECORD_SAMPLE, 0);
	pb_u64(b, 100);
	pb_u32(b, 1);
	pb_u32(b, 1);
	pb_u64(b, time);
	pb_u64(b, 3);
	pb_u64(b, 1000);
	pb_u64(b, 900);
	for (uint64_t i = 0; i < 3; i++) {
		pb_u64(b, value[i]);
		pb_u64(b, 100 + i);
		pb_u64(b, 0);
	}
	pb_end(b);
}

static void groups(bool swap)
{
	struct perf_event_attr attr[3] = { 0 };
	struct pb data = { .swap = swap };
	static const struct {
		uint64_t time, event, period;
	} expect[] = { { 1, 0, 10 }, { 1, 1, 7 }, { 2, 0, 5 }, { 2, 2, 3 }, { 3, 1, 1 } };
	struct sf_reader *r;

	for (unsigned i = 0; i < 3; i++) {
		attr[i].config = i;
		attr[i].sample_type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
				      PERF_SAMPLE_READ;
		attr[i].read_format = PERF_FORMAT_GROUP | PERF_FORMAT_ID | PERF_FORMAT_LOST |
				      PERF_FORMAT_TOTAL_TIME_ENABLED |
				      PERF_FORMAT_TOTAL_TIME_RUNNING;
	}
	group_sample(&data, 1, 10, 7, 0);
	group_sample(&data, 2, 15, 7, 3);
	group_sample(&data, 3, 15, 8, 3);
	group_sample(&data, 4, 15, 8, 3); /* nothing new: nothing is delivered */
	r = open_built(attr, 3, &data);
	for (size_t i = 0; i < SF_ARRAY_SIZE(expect); i++) {
		const struct sf_record *rec = must_read(r);

		assert_int_equal(rec->time, expect[i].time);
		assert_int_equal(rec->event->index, expect[i].event);
		assert_int_equal(rec->u.sample.id, 100 + expect[i].event);
		assert_int_equal(rec->u.sample.period, expect[i].period);
		assert_int_equal(rec->u.sample.nr_read, 3 + 9);
		assert_int_equal(rec->u.sample.read[1], 1000);
	}
	pb_release(&data);
	must_end(r);
}

static void group_reads(void **state)
{
	groups(false);
	groups(true);
}

/* READ of one event, whose id is not next to its value, and one without ids. */
static void single_reads(void **state)
{
	struct perf_event_attr attr = {
		.sample_type = PERF_SAMPLE_TIME | PERF_SAMPLE_READ,
		.sample_period = 4000,
		.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_ID | PERF_FORMAT_LOST,
	};
	struct pb data = { 0 };
	struct sf_reader *r;

	for (uint64_t i = 1; i <= 2; i++) {
		pb_begin(&data, PERF_RECORD_SAMPLE, 0);
		pb_u64(&data, i);
		pb_u64(&data, i * i * 10);
		pb_u64(&data, 5000);
		pb_u64(&data, 100);
		pb_u64(&data, 1);
		pb_end(&data);
	}
	r = open_built(&attr, 1, &data);
	assert_int_equal(must_read(r)->u.sample.period, 10);
	assert_int_equal(must_read(r)->u.sample.period, 30);
	must_end(r);
	attr.read_format =
		PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING | PERF_FORMAT_LOST;
	r = open_built(&attr, 1, &data);
	assert_int_equal(must_read(r)->u.sample.period, 4000);
	assert_int_equal(must_read(r)->u.sample.period, 4000);
	must_end(r);
	pb_release(&data);
}

/* Two events whose samples look different: the id tells which is which. */
static void mixed_layouts(void **state)
{
	struct perf_event_attr attr[2] = {
		{ .sample_type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TIME },
		{ .sample_type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_TIME | PERF_SAMPLE_RAW },
	};
	struct pb data = { 0 };
	const struct sf_record *rec;
	struct sf_reader *r;

	pb_begin(&data, PERF_RECORD_SAMPLE, 0);
	pb_u64(&data, 100);
	pb_u64(&data, 0x1234);
	pb_u64(&data, 20);
	pb_end(&data);
	pb_begin(&data, PERF_RECORD_SAMPLE, 0);
	pb_u64(&data, 101);
	pb_u64(&data, 10);
	pb_u32(&data, 4);
	pb_bytes(&data, "mark", 4);
	pb_end(&data);
	r = open_built(attr, 2, &data);
	rec = must_read(r);
	assert_int_equal(rec->event->index, 1);
	assert_int_equal(rec->time, 10);
	assert_memory_equal(rec->u.sample.raw, "mark", 4);
	rec = must_read(r);
	assert_int_equal(rec->event->index, 0);
	assert_int_equal(rec->u.sample.ip, 0x1234);
	assert_null(rec->u.sample.raw);
	assert_int_equal(rec->u.sample.raw_size, 0);
	must_end(r);
	pb_release(&data);
}

static void mmap2(struct pb *b, const void *device_or_id, const char *name)
{
	pb_begin(b, PERF_RECORD_MMAP2, PERF_RECORD_MISC_MMAP_BUILD_ID | PERF_RECORD_MISC_USER);
	pb_u32(b, 1);
	pb_u32(b, 1);
	pb_u64(b, 0x1000);
	pb_u64(b, 0x2000);
	pb_u64(b, 0);
	pb_bytes(b, device_or_id, 24);
	pb_u32(b, PROT_EXEC);
	pb_u32(b, MAP_PRIVATE);
	pb_text(b, name);
	pb_end(b);
}

/*
 * While somebody else on the machine records build ids, the kernel sets the misc bit in records
 * that have a device and an inode: as seen with 6.18, device 254:0, and as it would be on 8:1.
 */
static void borrowed_build_id_bit(void **state)
{
	static const char id20[24] = "\x14\0\0\0"
				     "0123456789abcdefghij";
	static const char id8[24] = "\x08\0\0\0"
				    "01234567";
	static const char dev254[24] = "\xfe\0\0\0\0\0\0\0\x29\xc8\x03";
	static const char dev8[24] = "\x08\0\0\0\1\0\0\0\x29\xc8\x03";
	struct perf_event_attr attr = { .sample_type = PERF_SAMPLE_IP };
	struct pb data = { 0 };
	const struct sf_record *rec;
	struct sf_reader *r;

	mmap2(&data, dev254, "/a");
	mmap2(&data, dev8, "/b");
	mmap2(&data, id20, "/c");
	mmap2(&data, id8, "/d");
	r = open_built(&attr, 1, &data);
	rec = must_read(r);
	assert_null(rec->u.mmap.build_id);
	assert_int_equal(rec->u.mmap.maj, 254);
	assert_int_equal(rec->u.mmap.ino, 0x3c829);
	rec = must_read(r);
	assert_null(rec->u.mmap.build_id);
	assert_int_equal(rec->u.mmap.maj, 8);
	assert_int_equal(rec->u.mmap.min, 1);
	rec = must_read(r); /* perf inject adds ids to events that did not ask for them */
	assert_int_equal(rec->u.mmap.build_id_size, 20);
	must_read(r);
	must_end(r);
	attr.build_id = 1;
	r = open_built(&attr, 1, &data);
	assert_null(must_read(r)->u.mmap.build_id);
	must_read(r);
	assert_int_equal(must_read(r)->u.mmap.build_id_size, 20);
	assert_int_equal(must_read(r)->u.mmap.build_id_size, 8);
	must_end(r);
	pb_release(&data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples),	 cmocka_unit_test(all_records),
		cmocka_unit_test(group_reads),	 cmocka_unit_test(single_reads),
		cmocka_unit_test(mixed_layouts), cmocka_unit_test(borrowed_build_id_bit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
