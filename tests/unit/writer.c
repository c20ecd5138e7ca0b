/* SPDX-License-Identifier: GPL-2.0-only */
/* What the writer writes is what the reader reads; and what it does when it cannot write. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <snapflame/reader.h>
#include <snapflame/writer.h>

#define TYPE \
	(SF_STAMP_SAMPLE_TYPE | PERF_SAMPLE_IP | PERF_SAMPLE_PERIOD | PERF_SAMPLE_CALLCHAIN | \
	 PERF_SAMPLE_RAW)

static char dir[64], path[80], old[80];

static int setup(void **state)
{
	strcpy(dir, "/tmp/snapflame-writer.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/x.data", dir);
	snprintf(old, sizeof(old), "%s/x.data.old", dir);
	return 0;
}

static int teardown(void **state)
{
	unlink(path);
	unlink(old);
	/* Fails where a test left a temporary file. */
	return rmdir(dir);
}

static struct perf_event_attr attr_of(uint32_t type, uint64_t config)
{
	return (struct perf_event_attr){
		.size = sizeof(struct perf_event_attr), .type = type, .config = config,
		.sample_type = TYPE, .read_format = PERF_FORMAT_ID, .sample_id_all = 1,
		.use_clockid = 1, .clockid = 1,
	};
}

static void add_events(struct sf_writer *w)
{
	struct perf_event_attr a = attr_of(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK);
	uint64_t first[2] = { 11, 12 }, second = 1000;

	assert_int_equal(sf_writer_add_event(w, &a, "cpu-clock", first, 2), 0);
	a.config = PERF_COUNT_SW_DUMMY;
	assert_int_equal(sf_writer_add_event(w, &a, "own:event", &second, 1), 1);
}

static const uint64_t chain[] = { PERF_CONTEXT_KERNEL, 0xffffffff81000010, PERF_CONTEXT_USER,
				  0x1234, 0x5678 };

static void put_all(struct sf_writer *w)
{
	struct sf_stamp stamp = { .pid = 7, .tid = 8, .time = 100, .id = 11 };
	const uint8_t id[20] = { 1, 2, 3, 0xff };
	struct sf_build_mmap m = { .pid = 7, .tid = 7, .addr = 0x1000, .len = 0x2000, .pgoff = 0x3000,
				   .maj = 8, .min = 1, .ino = 99, .prot = 5, .flags = 2,
				   .filename = "/usr/bin/vmm" };
	struct sf_build_sample s = { .misc = PERF_RECORD_MISC_KERNEL, .id = 12, .ip = chain[1],
				     .time = 103, .period = 5000, .pid = 7, .tid = 8, .cpu = 3,
				     .chain = chain, .nr_chain = 5, .raw = "hello", .raw_size = 6 };
	struct sf_str b = SF_STR_INIT;

	sf_build_task(&b, &stamp, PERF_RECORD_FORK, 7, 1, 8, 7);
	sf_build_comm(&b, &stamp, 7, 8, "a name longer than fifteen");
	stamp.time = 101;
	sf_build_mmap(&b, &stamp, PERF_RECORD_MISC_USER, &m);
	m.build_id = id;
	m.build_id_size = 20;
	stamp.time = 102;
	sf_build_mmap(&b, &stamp, PERF_RECORD_MISC_USER, &m);
	assert_int_equal(sf_build_sample(&b, TYPE, &s), 0);
	s.id = 1000;
	s.time = 104;
	s.nr_chain = 0;
	assert_int_equal(sf_build_sample(&b, TYPE, &s), 0);
	stamp.time = 105;
	sf_build_lost(&b, &stamp, 1000, 42);
	assert_false(sf_str_failed(&b));
	sf_writer_put(w, b.buf, b.len);
	sf_str_release(&b);
}

static const struct sf_record *next(struct sf_reader *r, uint32_t type, uint64_t time)
{
	const struct sf_record *rec;
	struct sf_error err = SF_ERROR_INIT;

	assert_int_equal(sf_reader_next(r, &rec, &err), 1);
	assert_int_equal(rec->type, type);
	assert_int_equal(rec->time, time);
	return rec;
}

static void check_records(struct sf_reader *r)
{
	const struct sf_record *rec = next(r, PERF_RECORD_FORK, 100);

	assert_int_equal(rec->u.task.pid, 7);
	assert_int_equal(rec->u.task.ppid, 1);
	assert_int_equal(rec->u.task.tid, 8);
	assert_int_equal(rec->tid, 8);
	rec = next(r, PERF_RECORD_COMM, 100);
	assert_string_equal(rec->u.comm.comm, "a name longer t");
	rec = next(r, PERF_RECORD_MMAP2, 101);
	assert_int_equal(rec->u.mmap.addr, 0x1000);
	assert_int_equal(rec->u.mmap.ino, 99);
	assert_null(rec->u.mmap.build_id);
	assert_string_equal(rec->u.mmap.filename, "/usr/bin/vmm");
	rec = next(r, PERF_RECORD_MMAP2, 102);
	assert_int_equal(rec->u.mmap.build_id_size, 20);
	assert_int_equal(rec->u.mmap.build_id[3], 0xff);
	rec = next(r, PERF_RECORD_SAMPLE, 103);
	assert_string_equal(rec->event->name, "cpu-clock");
	assert_int_equal(rec->cpu, 3);
	assert_int_equal(rec->u.sample.period, 5000);
	assert_int_equal(rec->u.sample.nr_chain, 5);
	assert_memory_equal(rec->u.sample.chain, chain, sizeof(chain));
	assert_int_equal(rec->u.sample.raw_size, 12); /* 4 + 12 is a multiple of 8 */
	assert_string_equal((const char *)rec->u.sample.raw, "hello");
	rec = next(r, PERF_RECORD_SAMPLE, 104);
	assert_string_equal(rec->event->name, "own:event");
	assert_int_equal(rec->u.sample.nr_chain, 0);
	rec = next(r, PERF_RECORD_LOST, 105);
	assert_int_equal(rec->u.lost.lost, 42);
	assert_int_equal(sf_reader_next(r, &rec, NULL), 0);
	assert_int_equal(sf_reader_stats(r)->bad, 0);
	assert_false(sf_reader_stats(r)->unfinished);
}

static void test_round_trip(void **state)
{
	const char *const words[] = { "snapflame", "record", "-o", "a b" };
	const struct {
		uint32_t version, clockid;
		uint64_t wall, clock;
	} clock = { 1, 1, 2000, 1000 };
	uint64_t clock_ns, real_ns;
	struct sf_error err = SF_ERROR_INIT;
	struct sf_writer *w;
	struct sf_reader *r;
	int clockid;

	assert_int_equal(sf_writer_open(&w, path, &err), 0);
	add_events(w);
	put_all(w);
	sf_writer_feature_text(w, SF_FEAT_OSRELEASE, "wrong");
	sf_writer_feature_text(w, SF_FEAT_OSRELEASE, "6.18.0");
	sf_writer_feature_words(w, SF_FEAT_CMDLINE, 4, words);
	sf_writer_feature(w, SF_FEAT_CLOCK_DATA, &clock, sizeof(clock));
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(sf_writer_commit(w, &err), 0);
	sf_writer_free(w);

	assert_int_equal(sf_reader_open(&r, path, NULL, &err), 0);
	check_records(r);
	assert_int_equal(sf_reader_nr_events(r), 2);
	assert_int_equal(sf_reader_event(r, 0)->nr_ids, 2);
	assert_int_equal(sf_reader_event(r, 1)->id[0], 1000);
	assert_string_equal(sf_reader_feature(r, SF_FEAT_OSRELEASE), "6.18.0");
	assert_string_equal(sf_reader_feature(r, SF_FEAT_CMDLINE), "snapflame record -o a b");
	assert_true(sf_reader_clock(r, &clockid, &clock_ns, &real_ns));
	assert_int_equal(clock_ns, 1000);
	assert_int_equal(real_ns, 2000);
	sf_reader_free(r);
}

static void test_private(void **state)
{
	struct sf_writer *w;
	struct stat st;

	assert_int_equal(sf_writer_open(&w, path, NULL), 0);
	add_events(w);
	assert_int_equal(sf_writer_commit(w, NULL), 0);
	sf_writer_free(w);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void write_text(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void assert_text(const char *name, const char *want)
{
	char buf[64] = "";
	FILE *f = fopen(name, "r");

	assert_non_null(f);
	assert_non_null(fgets(buf, sizeof(buf), f));
	fclose(f);
	assert_string_equal(buf, want);
}

static void test_keeps_old(void **state)
{
	struct sf_writer *w;

	write_text(path, "before");
	assert_int_equal(sf_writer_open(&w, path, NULL), 0);
	sf_writer_keep_old(w);
	add_events(w);
	assert_int_equal(sf_writer_commit(w, NULL), 0);
	sf_writer_free(w);
	assert_text(old, "before");
}

static void test_given_up(void **state)
{
	struct sf_writer *w;

	write_text(path, "before");
	assert_int_equal(sf_writer_open(&w, path, NULL), 0);
	add_events(w);
	put_all(w);
	sf_writer_free(w); /* no commit: teardown finds no temporary file */
	assert_text(path, "before");
}

static void test_full(void **state)
{
	struct rlimit was, small = { 4096, RLIM_INFINITY };
	struct sf_error err = SF_ERROR_INIT;
	struct sf_writer *w;
	char *big = calloc(1, 1 << 20);

	write_text(path, "before");
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &was);
	small.rlim_max = was.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(sf_writer_open(&w, path, NULL), 0);
	sf_writer_keep_old(w);
	add_events(w);
	sf_writer_put(w, big, 1 << 20);
	assert_int_equal(sf_writer_commit(w, &err), -EFBIG);
	assert_string_equal(err.file, path);
	assert_non_null(strstr(err.what, "File too large"));
	sf_writer_free(w);
	setrlimit(RLIMIT_FSIZE, &was);
	free(big);
	assert_text(path, "before");
}

static void test_not_a_file(void **state)
{
	struct sf_error err = SF_ERROR_INIT;
	struct sf_writer *w = (void *)1;

	assert_int_equal(sf_writer_open(&w, "/dev/null", &err), -EINVAL);
	assert_null(w);
	assert_int_equal(sf_writer_open(&w, dir, &err), -EINVAL);
	assert_int_equal(sf_writer_open(&w, "/nonexistent/x", &err), -ENOENT);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(sf_writer_open(&w, path, &err), -EINVAL);
}

static void test_late_event(void **state)
{
	struct perf_event_attr a = attr_of(PERF_TYPE_SOFTWARE, 0);
	struct sf_writer *w;

	assert_int_equal(sf_writer_open(&w, path, NULL), 0);
	add_events(w);
	put_all(w);
	assert_int_equal(sf_writer_add_event(w, &a, "late", NULL, 0), -EINVAL);
	sf_writer_feature(w, 256, "x", 1);
	assert_int_equal(sf_writer_commit(w, NULL), -EINVAL);
	sf_writer_free(w);
}

static void test_too_big(void **state)
{
	struct sf_build_sample s = { .raw = dir, .raw_size = 1 << 20 };
	struct sf_str b = SF_STR_INIT;
	static char raw[65535];

	assert_int_equal(sf_build_sample(&b, TYPE, &s), -E2BIG);
	s.raw = raw;
	for (s.raw_size = 65300; s.raw_size < sizeof(raw); s.raw_size++) {
		sf_str_reset(&b);
		if (sf_build_sample(&b, TYPE, &s))
			break;
		assert_int_equal(((struct perf_event_header *)b.buf)->size, b.len);
	}
	assert_in_range(s.raw_size, 65400, 65530);
	assert_int_equal(b.len, 0);
	s = (struct sf_build_sample){ .nr_chain = SIZE_MAX / 4 };
	assert_int_equal(sf_build_sample(&b, TYPE, &s), -E2BIG);
	assert_int_equal(sf_build_sample(&b, TYPE | PERF_SAMPLE_READ, &s), -EINVAL);
	sf_str_release(&b);
}

static void test_stripped(void **state)
{
	struct sf_build_sample s = { .id = 5, .ip = 6, .time = 7, .pid = 8, .tid = 9, .cpu = 1,
				     .period = 10, .chain = chain, .nr_chain = 5, .raw = "entry",
				     .raw_size = 6 };
	struct sf_str whole = SF_STR_INIT, bare = SF_STR_INIT, want = SF_STR_INIT;
	struct perf_event_header *h;

	sf_build_sample(&whole, TYPE, &s);
	h = (struct perf_event_header *)whole.buf;
	assert_int_equal(sf_build_stripped(&bare, TYPE, h), 0);
	s.nr_chain = 0;
	sf_build_sample(&want, TYPE, &s);
	assert_int_equal(bare.len, want.len);
	assert_memory_equal(bare.buf, want.buf, want.len);
	assert_int_equal(sf_record_time((void *)bare.buf), 7);

	/* Lengths that lie: neither may be followed. */
	memset(whole.buf + sizeof(*h) + 48, 0xff, 8);
	assert_int_equal(sf_build_stripped(&bare, TYPE, h), -EINVAL);
	for (uint16_t size = 0; size < want.len; size++) {
		sf_str_reset(&whole);
		sf_str_addn(&whole, want.buf, want.len);
		h = (struct perf_event_header *)whole.buf;
		h->size = size;
		if (size >= sizeof(*h))
			assert_int_equal(sf_build_stripped(&bare, TYPE, h), -EINVAL);
	}
	sf_str_release(&whole);
	sf_str_release(&bare);
	sf_str_release(&want);
}

static void test_record_time(void **state)
{
	uint64_t body[5] = { 0 };
	struct perf_event_header *h = (struct perf_event_header *)body;

	h->type = PERF_RECORD_SAMPLE;
	for (h->size = 8; h->size < 40; h->size++)
		assert_int_equal(sf_record_time(h), 0);
	h->size = 40;
	body[4] = 77;
	assert_int_equal(sf_record_time(h), 77);
	h->type = SF_RECORD_FINISHED_ROUND;
	assert_int_equal(sf_record_time(h), 0);
	h->type = PERF_RECORD_LOST;
	body[2] = 78;
	assert_int_equal(sf_record_time(h), 78);
	h->size = 32;
	assert_int_equal(sf_record_time(h), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_round_trip), TEST(test_private),      TEST(test_keeps_old),
		TEST(test_given_up),   TEST(test_full),	      TEST(test_not_a_file),
		TEST(test_late_event), TEST(test_too_big),    TEST(test_stripped),
		TEST(test_record_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
