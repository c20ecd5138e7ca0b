/* SPDX-License-Identifier: GPL-2.0-only */
/* Ways in which records come: pipes, compressed files, COMPRESSED records, directories, pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#ifdef HAVE_ZLIB
#include <zlib.h>
#endif
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#include <snapflame/reader.h>

#include "perfbuild.h"
#include "valgrind.h"

#define TYPE (PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME)

static const struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					     .sample_type = TYPE,
					     .sample_id_all = 1 };

static void sample(struct pb *b, uint64_t time)
{
	pb_begin(b, PERF_RECORD_SAMPLE, 0);
	pb_u64(b, time * 3);
	pb_u32(b, 1);
	pb_u32(b, 1);
	pb_u64(b, time);
	pb_end(b);
}

static void simple(struct pb *b, uint32_t type)
{
	pb_begin(b, type, 0);
	pb_end(b);
}

/* from … to in rounds of a hundred, each with the second half before the first. */
static void samples(struct pb *b, uint64_t from, uint64_t to)
{
	for (; from + 100 <= to; from += 100) {
		for (uint64_t i = 50; i < 100; i++)
			sample(b, from + i);
		for (uint64_t i = 0; i < 50; i++)
			sample(b, from + i);
		simple(b, SF_RECORD_FINISHED_ROUND);
	}
}

static void header_attr(struct pb *b)
{
	pb_begin(b, SF_RECORD_HEADER_ATTR, 0);
	pb_attr(b, &attr);
	pb_u64(b, 100);
	pb_end(b);
}

/* Samples of 1 … to - 1, each with the right ip, in order; and nothing wrong. */
static void check_reader(struct sf_reader *r, uint64_t to)
{
	const struct sf_record *rec;
	uint64_t want = 1;
	int n;

	while ((n = sf_reader_next(r, &rec, NULL)) == 1) {
		if (rec->type != PERF_RECORD_SAMPLE)
			continue;
		assert_int_equal(rec->time, want);
		assert_int_equal(rec->u.sample.ip, want * 3);
		want++;
	}
	assert_int_equal(n, 0);
	assert_int_equal(want, to);
	assert_int_equal(sf_reader_stats(r)->out_of_order, 0);
	assert_null(sf_reader_problem(r, 0));
	sf_reader_free(r);
}

static void check_bytes(const void *data, size_t size, uint64_t to)
{
	struct sf_reader *r;
	char path[64];

	pb_save(data, size, path);
	assert_int_equal(sf_reader_open(&r, path, NULL, NULL), 0);
	check_reader(r, to);
	unlink(path);
}

/* Standard input becomes a pipe with these bytes, written by a child. */
static pid_t feed_stdin(const void *data, size_t size, int *saved)
{
	int fd[2];
	pid_t pid;

	*saved = dup(0);
	assert_int_equal(pipe(fd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		const char *p = data;

		close(fd[0]);
		while (size) {
			ssize_t n = write(fd[1], p, size);

			if (n <= 0)
				break;
			p += n;
			size -= (size_t)n;
		}
		_exit(0);
	}
	close(fd[1]);
	dup2(fd[0], 0);
	close(fd[0]);
	return pid;
}

static void restore_stdin(pid_t pid, int saved)
{
	dup2(saved, 0);
	close(saved);
	waitpid(pid, NULL, 0);
}

static void check_stdin(const void *data, size_t size, uint64_t to)
{
	struct sf_reader *r;
	int saved;
	pid_t pid = feed_stdin(data, size, &saved);

	assert_int_equal(sf_reader_open(&r, "-", NULL, NULL), 0);
	assert_string_equal(sf_reader_path(r), "standard input");
	check_reader(r, to);
	restore_stdin(pid, saved);
}

static void build_pipe(struct pb *file, uint64_t to)
{
	pb_pipe_header(file);
	header_attr(file);
	sample(file, 1);
	samples(file, 2, to);
}

static void build_file(struct pb *file, uint64_t to)
{
	struct pb data = { .swap = file->swap };

	sample(&data, 1);
	samples(&data, 2, to);
	pb_file(file, &attr, 1, &data, 0, NULL);
	pb_release(&data);
}

/* 120 thousand records of 32 bytes: several chunks. */
#define MANY 120002

static void plain_and_pipes(void **state)
{
	for (int swap = 0; swap < 2; swap++) {
		struct pb pipe_mode = { .swap = swap }, file = { .swap = swap };

		build_pipe(&pipe_mode, MANY);
		build_file(&file, MANY);
		check_bytes(pipe_mode.p, pipe_mode.nr, MANY);
		check_bytes(file.p, file.nr, MANY);
		check_stdin(pipe_mode.p, pipe_mode.nr, MANY);
		check_stdin(file.p, file.nr, MANY);
		pb_release(&pipe_mode);
		pb_release(&file);
	}
}

static void gzip_around(void **state)
{
#ifdef HAVE_ZLIB
	struct pb file = { 0 };
	char path[64];
	struct sf_reader *r;
	gzFile gz;

	build_file(&file, MANY);
	pb_save("", 0, path);
	gz = gzopen(path, "wb1");
	assert_int_equal(gzwrite(gz, file.p, 100000), 100000);
	gzclose(gz);
	gz = gzopen(path, "ab1"); /* a second member, as pigz and cat make them */
	gzwrite(gz, file.p + 100000, (unsigned)file.nr - 100000);
	gzclose(gz);
	assert_int_equal(sf_reader_open(&r, path, NULL, NULL), 0);
	check_reader(r, MANY);

	/* Cut off: what is there is read, then it is an error. */
	assert_int_equal(truncate(path, 60000), 0);
	assert_int_equal(sf_reader_open(&r, path, NULL, NULL), 0);
	{
		const struct sf_record *rec;
		struct sf_error err = SF_ERROR_INIT;
		int n;

		while ((n = sf_reader_next(r, &rec, &err)) == 1)
			;
		assert_true(n < 0);
		assert_non_null(strstr(err.what, "compression"));
		assert_true(sf_reader_stats(r)->samples > 1000);
	}
	sf_reader_free(r);
	unlink(path);
	pb_release(&file);
#else
	skip();
#endif
}

#ifdef HAVE_ZSTD
static void *pack(const struct pb *in, size_t *size)
{
	size_t room = ZSTD_compressBound(in->nr);
	void *out = malloc(room);

	assert_non_null(out);
	*size = ZSTD_compress(out, room, in->p, in->nr, 1);
	assert_false(ZSTD_isError(*size));
	return out;
}

/* The bytes as COMPRESSED (or COMPRESSED2) records of at most piece bytes of zstd. */
static void compressed(struct pb *b, const struct pb *in, size_t piece, bool v2)
{
	size_t size, at = 0;
	char *z = pack(in, &size);

	while (at < size) {
		size_t n = size - at < piece ? size - at : piece;

		pb_begin(b, v2 ? SF_RECORD_COMPRESSED2 : SF_RECORD_COMPRESSED, 0);
		if (v2)
			pb_u64(b, n);
		pb_bytes(b, z + at, n);
		while (v2 && (b->nr - b->record) % 8)
			pb_bytes(b, "", 1);
		pb_end(b);
		at += n;
	}
	free(z);
}
#endif

static void zstd_around(void **state)
{
#ifdef HAVE_ZSTD
	struct pb file = { 0 };
	size_t size;
	void *z;

	build_file(&file, MANY);
	z = pack(&file, &size);
	check_bytes(z, size, MANY);
	check_stdin(z, size, MANY);
	free(z);
	pb_release(&file);
#else
	skip();
#endif
}

static void compressed_records(void **state)
{
#ifdef HAVE_ZSTD
	static const size_t pieces[] = { 1, 7, 1000, 40000 };
	struct pb data = { 0 };

	sample(&data, 1);
	samples(&data, 2, 20002);
	for (size_t i = 0; i < SF_ARRAY_SIZE(pieces); i++) {
		for (int v2 = 0; v2 < 2; v2++) {
			struct pb inside = { 0 }, file = { 0 };

			compressed(&inside, &data, pieces[i], v2);
			pb_file(&file, &attr, 1, &inside, 0, NULL);
			check_bytes(file.p, file.nr, 20002);
			check_stdin(file.p, file.nr, 20002);
			pb_release(&file);
			pb_release(&inside);
		}
	}
	pb_release(&data);
#else
	skip();
#endif
}

static size_t count(struct sf_reader *r, int *end)
{
	const struct sf_record *rec;
	size_t n = 0;

	while ((*end = sf_reader_next(r, &rec, NULL)) == 1)
		n += rec->type == PERF_RECORD_SAMPLE;
	return n;
}

#ifdef HAVE_ZSTD
static struct sf_reader *open_data(const struct pb *data)
{
	struct pb file = { .swap = data->swap };
	struct sf_reader *r;
	char path[64];

	pb_file(&file, &attr, 1, data, 0, NULL);
	pb_save(file.p, file.nr, path);
	pb_release(&file);
	assert_int_equal(sf_reader_open(&r, path, NULL, NULL), 0);
	unlink(path);
	return r;
}

#endif

/* A few kilobytes that unpack to 320 MB, sorted backwards and without rounds. */
static void bomb(void **state)
{
#ifdef HAVE_ZSTD
	struct pb data = { 0 }, inside = { 0 };
	struct rusage before, after;
	struct sf_reader *r;
	int end;

	for (uint64_t i = 0; i < 100000; i++)
		sample(&data, 1 + (i ^ 1));
	for (int i = 0; i < 100; i++)
		compressed(&inside, &data, 60000, false);
	r = open_data(&inside);
	getrusage(RUSAGE_SELF, &before);
	assert_int_equal(count(r, &end), 100 * 100000);
	getrusage(RUSAGE_SELF, &after);
	assert_int_equal(end, 0);
	if (!under_valgrind())
		assert_true(after.ru_maxrss - before.ru_maxrss < 150 * 1024);
	sf_reader_free(r);
	pb_release(&inside);
	pb_release(&data);
#else
	skip();
#endif
}

static void damaged_compressed_record(void **state)
{
#ifdef HAVE_ZSTD
	struct pb data = { 0 }, inside = { 0 };
	struct sf_reader *r;
	int end;

	sample(&inside, 1);
	samples(&data, 2, 1002);
	compressed(&inside, &data, 100000, false);
	compressed(&inside, &data, 100000, false);
	memset(inside.p + inside.record + 8, 0xaa, 16);
	sample(&inside, 5000);
	r = open_data(&inside);
	assert_int_equal(count(r, &end), 1001); /* what came before it */
	assert_true(end < 0);
	assert_non_null(strstr(sf_reader_problem(r, 0), "COMPRESSED"));
	sf_reader_free(r);
	pb_release(&data);
	pb_release(&inside);
#else
	skip();
#endif
}

/* perf record --threads: "data" and "data.N" without headers, each sorted on its own. */
static void directory(void **state)
{
	char dir[64] = "/tmp/snapflame-unit.XXXXXX", path[128];
	struct pb part[4] = { 0 }, file = { 0 };
	struct sf_reader *r;

	assert_non_null(mkdtemp(dir));
	for (uint64_t t = 1; t < 3001; t++)
		sample(&part[t * 7 % 4], t);
	pb_file(&file, &attr, 1, &part[0], 0, NULL);
	for (int i = 0; i < 4; i++) {
		const struct pb *b = i ? &part[i] : &file;
		FILE *f;

		snprintf(path, sizeof(path), i ? "%s/data.%d" : "%s/data", dir, i * 4);
		f = fopen(path, "w");
		assert_non_null(f);
		assert_int_equal(fwrite(b->p, b->nr, 1, f), 1);
		fclose(f);
	}
	assert_int_equal(sf_reader_open(&r, dir, NULL, NULL), 0);
	check_reader(r, 3001);
	for (int i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), i ? "%s/data.%d" : "%s/data", dir, i * 4);
		unlink(path);
		pb_release(&part[i]);
	}
	assert_int_not_equal(sf_reader_open(&r, dir, NULL, NULL), 0);
	rmdir(dir);
	pb_release(&file);
}

/* Data that is not records must be passed over, in files and in pipes. */
static void payloads(void **state)
{
	struct pb file = { 0 };
	struct sf_reader *r;
	char path[64];
	int end;

	pb_pipe_header(&file);
	header_attr(&file);
	sample(&file, 1);
	pb_begin(&file, SF_RECORD_AUXTRACE, 0);
	pb_u64(&file, 2500000);
	for (int i = 0; i < 4; i++)
		pb_u64(&file, 0);
	pb_end(&file);
	for (int i = 0; i < 2500000 / 8; i++)
		pb_u64(&file, UINT64_MAX);
	pb_begin(&file, SF_RECORD_HEADER_TRACING_DATA, 0);
	pb_u32(&file, 1500000);
	pb_end(&file);
	for (int i = 0; i < 1500000 / 4; i++)
		pb_u32(&file, UINT32_MAX);
	sample(&file, 2); /* and from here on nothing is aligned */
	samples(&file, 3, 203);
	pb_save(file.p, file.nr, path);
	for (int i = 0; i < 2; i++) {
		int saved;
		pid_t pid = i ? feed_stdin(file.p, file.nr, &saved) : 0;

		assert_int_equal(sf_reader_open(&r, i ? "-" : path, NULL, NULL), 0);
		assert_int_equal(count(r, &end), 202);
		assert_int_equal(end, 0);
		assert_int_equal(sf_reader_stats(r)->aux_skipped, 1);
		assert_false(sf_reader_stats(r)->truncated);
		/* It was no tracing data. */
		assert_non_null(strstr(sf_reader_problem(r, 0), "tracing data"));
		sf_reader_free(r);
		if (i)
			restore_stdin(pid, saved);
	}
	unlink(path);
	pb_release(&file);
}

static void refused(const void *data, size_t size, const char *why)
{
	struct sf_error err = SF_ERROR_INIT;
	struct sf_reader *r;
	char path[64];

	pb_save(data, size, path);
	assert_true(sf_reader_open(&r, path, NULL, &err) < 0);
	assert_null(r);
	assert_string_equal(err.file, path);
	if (!strstr(err.what, why))
		fail_msg("\"%s\" instead of \"%s\"", err.what, why);
	unlink(path);
}

static void no_recordings(void **state)
{
	struct pb file = { 0 };
	struct sf_error err = SF_ERROR_INIT;
	struct sf_reader *r;

	refused("", 0, "not a perf.data");
	refused("PERFILE2", 8, "not a perf.data");
	refused("\x7f"
		"ELF and so on, and on",
		21, "not a perf.data");
	build_file(&file, 102);
	refused(file.p, 100, "ends inside its header");
	refused(file.p, 200, "ends before its records");
	file.p[8] = 50;
	refused(file.p, file.nr, "impossible size 50");
	file.p[8] = 104;
	file.p[16] = 3;
	refused(file.p, file.nr, "event table");
	assert_int_equal(sf_reader_open(&r, "/nonexistent/perf.data", NULL, &err), -2);
	assert_non_null(strstr(err.what, "No such file"));
	pb_release(&file);
}

/* What a killed perf record leaves: no size, no features, perhaps zeroes at the end. */
static void unfinished(void **state)
{
	struct pb file = { 0 };
	struct sf_reader *r;
	char path[64];
	int end;

	build_file(&file, 102);
	memset(file.p + 48, 0, 8);
	for (int zeroes = 0; zeroes < 2; zeroes++) {
		pb_save(file.p, file.nr, path);
		assert_int_equal(sf_reader_open(&r, path, NULL, NULL), 0);
		assert_int_equal(count(r, &end), 101);
		assert_int_equal(end, 0);
		assert_true(sf_reader_stats(r)->unfinished);
		assert_int_equal(sf_reader_stats(r)->truncated, zeroes);
		sf_reader_free(r);
		unlink(path);
		for (int i = 0; i < 100; i++)
			pb_u64(&file, 0);
	}
	pb_release(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_and_pipes),
		cmocka_unit_test(gzip_around),
		cmocka_unit_test(zstd_around),
		cmocka_unit_test(compressed_records),
		cmocka_unit_test(bomb),
		cmocka_unit_test(damaged_compressed_record),
		cmocka_unit_test(directory),
		cmocka_unit_test(payloads),
		cmocka_unit_test(no_recordings),
		cmocka_unit_test(unfinished),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
