/* SPDX-License-Identifier: GPL-2.0-only */
/* What a recording says beside its records: names, header features, build ids, tracepoint fields.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <cmocka.h>

#include <snapflame/reader.h>

#include "perfbuild.h"
#include "perfdata/evlist.h"

static void composed_names(void **state)
{
	static const struct {
		struct perf_event_attr attr;
		const char *name;
	} cases[] = {
		{ { .type = 0, .config = 0, .exclude_guest = 1, .precise_ip = 3 }, "cycles:pppH" },
		{ { .type = 0, .config = 0, .exclude_guest = 1 }, "cycles" },
		{ { .type = 0, .config = 0 }, "cycles:HG" },
		{ { .type = 0, .config = 1, .exclude_kernel = 1, .exclude_hv = 1 },
		  "instructions:u" },
		{ { .type = 0, .config = 4, .exclude_user = 1, .exclude_guest = 1 },
		  "branches:khH" },
		{ { .type = 0, .config = 0x400000001ULL, .exclude_guest = 1 }, "instructions" },
		{ { .type = 0, .config = 99, .exclude_guest = 1 }, "unknown-hardware" },
		{ { .type = 1, .config = 0, .exclude_guest = 1 }, "cpu-clock" },
		{ { .type = 1, .config = 3, .exclude_guest = 1 }, "context-switches" },
		{ { .type = 1, .config = 10, .exclude_guest = 1 }, "bpf-output" },
		{ { .type = 2, .config = 7 }, "unknown tracepoint" },
		{ { .type = 3, .config = 0x10000, .exclude_guest = 1 }, "L1-dcache-load-misses" },
		{ { .type = 3, .config = 0x102, .exclude_guest = 1 }, "LLC-stores" },
		{ { .type = 3, .config = 0xff, .exclude_guest = 1 },
		  "unknown-ext-hardware-cache-type" },
		{ { .type = 4, .config = 0x1a8, .exclude_guest = 1 }, "raw 0x1a8" },
		{ { .type = 5, .bp_addr = 0x1000, .bp_type = 3, .exclude_guest = 1 },
		  "mem:0x1000:rw" },
		{ { .type = 8 }, "unknown attr type: 8" },
	};

	for (size_t i = 0; i < SF_ARRAY_SIZE(cases); i++) {
		char *name = sf_evname_compose(&cases[i].attr);

		assert_string_equal(name, cases[i].name);
		free(name);
	}
}

static void sized_text(struct pb *b, const char *text)
{
	pb_u32(b, 64);
	pb_bytes(b, text, strlen(text));
	for (size_t i = strlen(text); i < 64; i++)
		pb_bytes(b, "", 1);
}

static const struct perf_event_attr attrs[2] = {
	{ .type = PERF_TYPE_HARDWARE, .sample_type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_TIME },
	{ .type = PERF_TYPE_TRACEPOINT,
	  .config = 316,
	  .sample_type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_TIME | PERF_SAMPLE_RAW },
};

static struct sf_reader *open_bytes(const struct pb *file)
{
	struct sf_reader *r;
	char path[64];

	pb_save(file->p, file->nr, path);
	assert_int_equal(sf_reader_open(&r, path, NULL, NULL), 0);
	unlink(path);
	return r;
}

static struct sf_reader *with_feature(const struct pb *data, unsigned bit, struct pb *payload)
{
	struct pb file = { .swap = payload->swap };
	struct sf_reader *r;

	pb_file(&file, attrs, 2, data, bit, payload);
	r = open_bytes(&file);
	pb_release(&file);
	pb_release(payload);
	return r;
}

/* Data of size 0 would be that of a recording that was never finished. */
static void one_record(struct pb *b)
{
	pb_begin(b, SF_RECORD_FINISHED_ROUND, 0);
	pb_end(b);
}

static int drain(struct sf_reader *r)
{
	const struct sf_record *rec;
	int n;

	while ((n = sf_reader_next(r, &rec, NULL)) == 1)
		;
	return n;
}

static void build_event_desc(struct pb *b)
{
	pb_u32(b, 2);
	pb_u32(b, PB_ATTR);
	for (unsigned i = 0; i < 2; i++) {
		pb_attr(b, &attrs[i]);
		pb_u32(b, 1);
		sized_text(b, i ? "snapflame:mark" : "cycles:P");
		pb_u64(b, 100 + i);
	}
}

static void features_of_files(void **state)
{
	for (int swap = 0; swap < 2; swap++) {
		struct pb none = { .swap = swap }, f = { .swap = swap };
		struct sf_reader *r;
		uint64_t clock, real;
		int id;

		one_record(&none);
		build_event_desc(&f);
		r = with_feature(&none, SF_FEAT_EVENT_DESC, &f);
		assert_string_equal(sf_reader_event(r, 0)->name, "cycles:P");
		assert_string_equal(sf_reader_event(r, 1)->name, "snapflame:mark");
		assert_null(sf_reader_event(r, 2));
		assert_string_equal(sf_reader_feature(r, SF_FEAT_HOSTNAME), "");
		assert_false(sf_reader_clock(r, &id, &clock, &real));
		sf_reader_free(r);

		sized_text(&f, "host.example");
		r = with_feature(&none, SF_FEAT_HOSTNAME, &f);
		assert_string_equal(sf_reader_feature(r, SF_FEAT_HOSTNAME), "host.example");
		assert_string_equal(sf_reader_event(r, 0)->name, "cycles:HG");
		sf_reader_free(r);

		pb_u32(&f, 3);
		sized_text(&f, "perf");
		sized_text(&f, "record");
		sized_text(&f, "-a");
		r = with_feature(&none, SF_FEAT_CMDLINE, &f);
		assert_string_equal(sf_reader_feature(r, SF_FEAT_CMDLINE), "perf record -a");
		sf_reader_free(r);

		pb_u32(&f, 16);
		pb_u32(&f, 12);
		r = with_feature(&none, SF_FEAT_NRCPUS, &f);
		assert_int_equal(sf_reader_nr_cpus(r), 12);
		sf_reader_free(r);

		pb_u32(&f, 1);
		pb_u32(&f, 1);
		pb_u64(&f, 1700000000000000000ULL);
		pb_u64(&f, 5000000000ULL);
		r = with_feature(&none, SF_FEAT_CLOCK_DATA, &f);
		assert_true(sf_reader_clock(r, &id, &clock, &real));
		assert_int_equal(id, 1);
		assert_true(clock == 5000000000ULL && real == 1700000000000000000ULL);
		assert_null(sf_reader_problem(r, 0));
		sf_reader_free(r);
		pb_release(&none);
	}
}

static void cut_off_features(void **state)
{
	struct pb none = { 0 }, f = { 0 };
	struct sf_reader *r;

	one_record(&none);
	build_event_desc(&f);
	f.nr -= 100;
	r = with_feature(&none, SF_FEAT_EVENT_DESC, &f);
	assert_string_equal(sf_reader_event(r, 0)->name, "cycles:P");
	assert_string_equal(sf_reader_event(r, 1)->name, "unknown tracepoint");
	assert_non_null(strstr(sf_reader_problem(r, 0), "cut off"));
	sf_reader_free(r);

	pb_u32(&f, UINT32_MAX); /* strings */
	pb_u32(&f, UINT32_MAX); /* bytes in the first */
	r = with_feature(&none, SF_FEAT_CMDLINE, &f);
	assert_non_null(strstr(sf_reader_problem(r, 0), "cut off"));
	sf_reader_free(r);
	pb_release(&none);
}

static void build_ids(struct pb *b, int nr)
{
	for (int i = 0; i < nr; i++) {
		pb_begin(b, i ? SF_RECORD_HEADER_BUILD_ID : 0, i ? 1 << 15 | 2 : 2);
		pb_u32(b, (uint32_t)-1);
		pb_bytes(b, "0123456789abcdefghij", 20);
		pb_bytes(b, "\x08\0\0\0", 4);
		pb_text(b, i ? "/bin/short" : "/bin/whole");
		pb_end(b);
	}
}

/* They are delivered before the first other record. */
static void build_ids_first(void **state)
{
	for (int swap = 0; swap < 2; swap++) {
		struct pb data = { .swap = swap }, f = { .swap = swap };
		const struct sf_record *rec;
		struct sf_reader *r;

		pb_begin(&data, PERF_RECORD_COMM, 0);
		pb_u32(&data, 1);
		pb_u32(&data, 1);
		pb_text(&data, "x");
		pb_end(&data);
		build_ids(&f, 2);
		r = with_feature(&data, SF_FEAT_BUILD_ID, &f);
		assert_int_equal(sf_reader_next(r, &rec, NULL), 1);
		assert_int_equal(rec->type, SF_RECORD_HEADER_BUILD_ID);
		assert_int_equal(rec->u.build_id.pid, (uint32_t)-1);
		assert_int_equal(rec->u.build_id.build_id_size, 20);
		assert_memory_equal(rec->u.build_id.build_id, "0123456789abcdefghij", 20);
		assert_string_equal(rec->u.build_id.filename, "/bin/whole");
		assert_int_equal(sf_reader_next(r, &rec, NULL), 1);
		assert_int_equal(rec->u.build_id.build_id_size, 8);
		assert_string_equal(rec->u.build_id.filename, "/bin/short");
		assert_int_equal(sf_reader_next(r, &rec, NULL), 1);
		assert_int_equal(rec->type, PERF_RECORD_COMM);
		assert_int_equal(sf_reader_next(r, &rec, NULL), 0);
		assert_int_equal(sf_reader_stats(r)->records, 1); /* the others are in the header */
		sf_reader_free(r);
		pb_release(&data);
	}
}

static void put_format(struct pb *b, const char *text)
{
	pb_u64(b, strlen(text));
	pb_bytes(b, text, strlen(text));
}

static const char sched_switch[] =
	"name: sched_switch\nID: 316\nformat:\n"
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n"
	"\n"
	"\tfield:char prev_comm[16];\toffset:8;\tsize:16;\tsigned:0;\n"
	"\tfield:pid_t prev_pid;\toffset:24;\tsize:4;\tsigned:1;\n"
	"\tfield:long prev_state;\toffset:32;\tsize:8;\tsigned:1;\n"
	"\tfield:__data_loc char[] name;\toffset:40;\tsize:4;\tsigned:0;\n"
	"\tfield:__rel_loc char[] rel;\toffset:44;\tsize:4;\tsigned:0;\n"
	"\nprint fmt: \"%s\", REC->prev_comm\n";

static void build_tracing(struct pb *b)
{
	pb_bytes(b, "\x17\x08\x44tracing0.6", 14);
	pb_bytes(b, b->swap ? "\1\10" : "\0\10", 2);
	pb_u32(b, 4096);
	pb_bytes(b, "header_page", 12);
	put_format(b, "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n");
	pb_bytes(b, "header_event", 13);
	put_format(b, "# compressed entry header\n");
	pb_u32(b, 1);
	put_format(b, "name: function\nID: 1\n");
	pb_u32(b, 2);
	pb_bytes(b, "irq", 4);
	pb_u32(b, 1);
	put_format(b, "name: irq_handler_entry\nID: 7\nformat:\n");
	pb_bytes(b, "sched", 6);
	pb_u32(b, 2);
	put_format(b, "name: no_id\n");
	put_format(b, sched_switch);
	pb_u32(b, 0);
	pb_u32(b, 0);
}

static void build_raw(struct pb *b)
{
	pb_u16(b, 316);
	pb_bytes(b, "\x10\0", 2);
	pb_u32(b, 77);
	pb_bytes(b, "previous\0xxxxxxx", 16);
	pb_u32(b, (uint32_t)-3);
	pb_u32(b, 0);
	pb_u64(b, (uint64_t)-9);
	pb_u32(b, 6 << 16 | 48);
	pb_u32(b, 4 << 16 | 6); /* from its own end, at 48 */
	pb_bytes(b, "hello\0rel", 10);
	pb_bytes(b, "\0\0", 2);
}

static void check_fields(struct sf_reader *r, const struct sf_record *rec)
{
	const struct sf_sample *s = &rec->u.sample;
	struct sf_field f = sf_reader_field(r, rec->event, "prev_pid");
	size_t len;

	if (!f.size) {
#ifdef HAVE_TRACEEVENT
		fail_msg("no prev_pid");
#endif
		return;
	}
	assert_int_equal(sf_field_int(r, &f, s->raw, s->raw_size), -3);
	assert_int_equal(sf_field_int(r, &f, s->raw, 27), 0); /* outside */
	f = sf_reader_field(r, rec->event, "prev_state");
	assert_int_equal(sf_field_int(r, &f, s->raw, s->raw_size), -9);
	f = sf_reader_field(r, rec->event, "common_flags");
	assert_int_equal(sf_field_int(r, &f, s->raw, s->raw_size), 0x10);
	f = sf_reader_field(r, rec->event, "prev_comm");
	assert_string_equal(sf_field_str(r, &f, s->raw, s->raw_size, &len), "previous");
	assert_int_equal(len, 8);
	assert_null(sf_field_str(r, &f, s->raw, 20, &len));
	f = sf_reader_field(r, rec->event, "name");
	assert_true(f.is_dynamic);
	assert_memory_equal(sf_field_str(r, &f, s->raw, s->raw_size, &len), "hello", 5);
	assert_int_equal(len, 5);
	assert_null(sf_field_str(r, &f, s->raw, 50, &len));
	f = sf_reader_field(r, rec->event, "rel");
	assert_memory_equal(sf_field_str(r, &f, s->raw, s->raw_size, &len), "rel", 3);
	f = sf_reader_field(r, rec->event, "no_such_field");
	assert_int_equal(f.size, 0);
	assert_int_equal(sf_reader_field(r, sf_reader_event(r, 0), "prev_pid").size, 0);
}

static void tracepoints(void **state)
{
	for (int swap = 0; swap < 2; swap++) {
		struct pb data = { .swap = swap }, f = { .swap = swap }, raw = { .swap = swap };
		const struct sf_record *rec;
		struct sf_reader *r;

		build_raw(&raw);
		pb_begin(&data, PERF_RECORD_SAMPLE, 0);
		pb_u64(&data, 101);
		pb_u64(&data, 1);
		pb_u32(&data, (uint32_t)raw.nr);
		pb_bytes(&data, raw.p, raw.nr);
		pb_end(&data);
		build_tracing(&f);
		r = with_feature(&data, SF_FEAT_TRACING_DATA, &f);
		assert_string_equal(sf_reader_event(r, 1)->name, "sched:sched_switch");
		assert_int_equal(sf_reader_next(r, &rec, NULL), 1);
		assert_int_equal(rec->u.sample.raw_size, raw.nr);
		assert_memory_equal(rec->u.sample.raw, raw.p, raw.nr);
		check_fields(r, rec);
		assert_null(sf_reader_problem(r, 0));
		sf_reader_free(r);
		pb_release(&raw);
		pb_release(&data);
	}
}

static void hostile_tracing(void **state)
{
	struct pb whole = { 0 };

	build_tracing(&whole);
	for (size_t n = 0; n < whole.nr; n++) {
		struct pb none = { 0 }, f = { 0 };
		struct sf_reader *r;

		one_record(&none);
		pb_bytes(&f, whole.p, whole.nr);
		if (n % 2)
			f.nr = n;
		else
			f.p[n] ^= 0xff;
		r = with_feature(&none, SF_FEAT_TRACING_DATA, &f);
		sf_reader_field(r, sf_reader_event(r, 1), "prev_pid");
		sf_reader_free(r);
		pb_release(&none);
	}
	pb_release(&whole);
}

/* The same in records of a pipe, where names come after the events they belong to. */
static void pipe_mode(void **state)
{
	struct pb b = { 0 }, tracing = { 0 };
	const struct sf_record *rec;
	struct sf_reader *r;
	const char *early;

	pb_pipe_header(&b);
	for (unsigned i = 0; i < 2; i++) {
		pb_begin(&b, SF_RECORD_HEADER_ATTR, 0);
		pb_attr(&b, &attrs[i]);
		pb_u64(&b, 100 + i);
		pb_end(&b);
	}
	build_tracing(&tracing);
	pb_begin(&b, SF_RECORD_HEADER_TRACING_DATA, 0);
	pb_u32(&b, (uint32_t)(tracing.nr + 7) & ~7u);
	pb_end(&b);
	pb_bytes(&b, tracing.p, tracing.nr);
	pb_bytes(&b, "\0\0\0\0\0\0\0", (8 - tracing.nr % 8) % 8);
	pb_begin(&b, SF_RECORD_EVENT_UPDATE, 0);
	pb_u64(&b, 2);
	pb_u64(&b, 100);
	pb_text(&b, "my-cycles");
	pb_end(&b);
	pb_begin(&b, SF_RECORD_HEADER_FEATURE, 0);
	pb_u64(&b, SF_FEAT_ARCH);
	sized_text(&b, "x86_64");
	pb_end(&b);
	r = open_bytes(&b);
	assert_int_equal(sf_reader_nr_events(r), 0);
	assert_int_equal(sf_reader_next(r, &rec, NULL), 1);
	assert_int_equal(sf_reader_nr_events(r), 1);
	early = sf_reader_event(r, 0)->name;
	assert_string_equal(early, "cycles:HG");
	assert_int_equal(drain(r), 0);
	assert_string_equal(early, "cycles:HG"); /* what was handed out stays */
	assert_string_equal(sf_reader_event(r, 0)->name, "my-cycles");
	assert_string_equal(sf_reader_event(r, 1)->name, "sched:sched_switch");
	assert_string_equal(sf_reader_feature(r, SF_FEAT_ARCH), "x86_64");
	assert_null(sf_reader_problem(r, 0));
	sf_reader_free(r);
	pb_release(&tracing);
	pb_release(&b);
}

/* A whole file through a pipe: what stands behind the records is known before them all the same. */
static void late_features(void **state)
{
	struct pb none = { 0 }, f = { 0 }, file = { 0 };
	struct sf_reader *r;
	int fd[2], saved = dup(0);

	one_record(&none);
	build_event_desc(&f);
	pb_file(&file, attrs, 2, &none, SF_FEAT_EVENT_DESC, &f);
	assert_int_equal(pipe(fd), 0);
	assert_int_equal(write(fd[1], file.p, file.nr), file.nr); /* less than the pipe holds */
	close(fd[1]);
	dup2(fd[0], 0);
	close(fd[0]);
	assert_int_equal(sf_reader_open(&r, "-", NULL, NULL), 0);
	assert_string_equal(sf_reader_event(r, 1)->name, "snapflame:mark");
	assert_int_equal(drain(r), 0);
	assert_string_equal(sf_reader_event(r, 1)->name, "snapflame:mark");
	sf_reader_free(r);
	dup2(saved, 0);
	close(saved);
	pb_release(&none);
	pb_release(&f);
	pb_release(&file);
}

/* In a real recording the thread that switches out is the one whose sample it is. */
static void real_switches(void **state)
{
	const char *shared = getenv("SHARED");
	const struct sf_record *rec;
	struct sf_reader *r;
	char path[4096];
	unsigned seen = 0;

	snprintf(path, sizeof(path), "%s/fixtures/perfdata/%s", shared ? shared : "../shared",
		 "perfparser.parallel_static_gcc.perf.data.zstd");
	if (access(path, R_OK))
		skip();
#if !defined(HAVE_TRACEEVENT) || !defined(HAVE_ZSTD)
	skip();
#endif
	assert_int_equal(sf_reader_open(&r, path, NULL, NULL), 0);
	while (sf_reader_next(r, &rec, NULL) == 1) {
		const struct sf_sample *s = &rec->u.sample;
		struct sf_field pid, comm;
		size_t len;

		if (rec->type != PERF_RECORD_SAMPLE ||
		    strcmp(rec->event->name, "sched:sched_switch"))
			continue;
		pid = sf_reader_field(r, rec->event, "prev_pid");
		comm = sf_reader_field(r, rec->event, "prev_comm");
		assert_int_equal(sf_field_int(r, &pid, s->raw, s->raw_size), rec->tid);
		assert_non_null(sf_field_str(r, &comm, s->raw, s->raw_size, &len));
		assert_in_range(len, 1, 15);
		seen++;
	}
	assert_int_equal(seen, 9);
	sf_reader_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(composed_names),   cmocka_unit_test(features_of_files),
		cmocka_unit_test(cut_off_features), cmocka_unit_test(build_ids_first),
		cmocka_unit_test(tracepoints),	    cmocka_unit_test(hostile_tracing),
		cmocka_unit_test(pipe_mode),	    cmocka_unit_test(late_features),
		cmocka_unit_test(real_switches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
