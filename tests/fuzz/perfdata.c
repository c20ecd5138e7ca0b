/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any bytes as a recording. Whatever they are: reading ends; what is delivered lies inside of its
 * record and can be touched; a file, the same in the order of the file, and the same through a
 * pipe have as many records.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <snapflame/reader.h>

#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint64_t sink;

static void touch(const void *p, size_t size)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += ((const uint8_t *)p)[i];
	sink += sum;
}

/* [p, p + size) lies in the record's body. */
static void inside(const struct sf_record *rec, const void *p, uint64_t size)
{
	const uint8_t *start = p;

	if (!size)
		return;
	MUST(start >= rec->body && start <= rec->body + rec->body_size);
	MUST(size <= (uint64_t)(rec->body + rec->body_size - start));
	touch(p, (size_t)size);
}

static void text(const struct sf_record *rec, const char *s)
{
	MUST(s);
	inside(rec, s, strlen(s) + 1);
}

static void check_fields(struct sf_reader *r, const struct sf_record *rec)
{
	static const char *const names[] = { "prev_comm", "next_pid", "common_type", "name" };
	const struct sf_sample *s = &rec->u.sample;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct sf_field f = sf_reader_field(r, rec->event, names[i]);
		size_t len;
		const char *p = sf_field_str(r, &f, s->raw, s->raw_size, &len);

		sink += (uint64_t)sf_field_int(r, &f, s->raw, s->raw_size);
		if (p)
			inside(rec, p, len);
		else
			MUST(!len);
	}
}

static void check_sample(struct sf_reader *r, const struct sf_record *rec)
{
	const struct sf_sample *s = &rec->u.sample;

	MUST(rec->event);
	MUST(s->nr_chain <= UINT16_MAX / 8 && s->nr_branch <= UINT16_MAX / 24);
	inside(rec, s->chain, s->nr_chain * 8);
	inside(rec, s->raw, s->raw_size);
	MUST(!s->nr_branch == !s->branch);
	inside(rec, s->branch, s->nr_branch * sizeof(*s->branch));
	inside(rec, s->user_regs, 8 * (uint64_t)__builtin_popcountll(s->user_regs_mask));
	inside(rec, s->user_stack, s->user_stack_size);
	inside(rec, s->read, s->nr_read * 8);
	check_fields(r, rec);
}

static void check_record(struct sf_reader *r, const struct sf_record *rec)
{
	MUST(rec->body_size <= UINT16_MAX - 8);
	touch(rec->body, rec->body_size);
	if (rec->event) {
		MUST(rec->event == sf_reader_event(r, rec->event->index));
		MUST(rec->event->name);
	}
	switch (rec->type) {
	case PERF_RECORD_SAMPLE:
		check_sample(r, rec);
		break;
	case PERF_RECORD_MMAP:
	case PERF_RECORD_MMAP2:
		text(rec, rec->u.mmap.filename);
		inside(rec, rec->u.mmap.build_id, rec->u.mmap.build_id_size);
		break;
	case PERF_RECORD_COMM:
		text(rec, rec->u.comm.comm);
		break;
	case PERF_RECORD_KSYMBOL:
		text(rec, rec->u.ksymbol.name);
		break;
	case SF_RECORD_HEADER_BUILD_ID:
		text(rec, rec->u.build_id.filename);
		inside(rec, rec->u.build_id.build_id, rec->u.build_id.build_id_size);
		break;
	default:
		break;
	}
}

struct result {
	bool opened, clean;
	int end;
	uint64_t delivered, late, youngest;
	struct sf_reader_stats stats;
};

static void check_end(struct sf_reader *r, const struct sf_error *err, struct result *res)
{
	const struct sf_record *rec;

	MUST(res->end <= 0 && (!res->end || err->what[0]));
	MUST(sf_reader_next(r, &rec, NULL) == res->end); /* and so it stays */
	res->stats = *sf_reader_stats(r);
	res->clean = !sf_reader_problem(r, 0);
	MUST(res->stats.bytes >= 8 * res->stats.records);
	for (size_t i = 0; i < 64; i++)
		if (sf_reader_problem(r, i))
			touch(sf_reader_problem(r, i), strlen(sf_reader_problem(r, i)));
	for (size_t i = 0; i < sf_reader_nr_events(r); i++)
		touch(sf_reader_event(r, i)->id, 8 * sf_reader_event(r, i)->nr_ids);
	for (int f = 0; f < 40; f++)
		MUST(sf_reader_feature(r, (enum sf_feature)f));
}

static struct result read_all(int fd, bool unordered)
{
	struct sf_reader_opts opts = { .unordered = unordered };
	struct sf_error err = SF_ERROR_INIT;
	struct result res = { 0 };
	const struct sf_record *rec;
	struct sf_reader *r;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	res.end = sf_reader_open(&r, path, &opts, &err);
	if (res.end) {
		MUST(!r && res.end < 0 && err.what[0]);
		return res;
	}
	res.opened = true;
	while ((res.end = sf_reader_next(r, &rec, &err)) == 1) {
		res.delivered++;
		check_record(r, rec);
		if (!rec->has_time || !rec->time || rec->time >= UINT64_MAX - 1)
			continue;
		res.late += rec->time < res.youngest;
		if (rec->time > res.youngest)
			res.youngest = rec->time;
	}
	check_end(r, &err, &res);
	sf_reader_free(r);
	return res;
}

static struct result read_pipe(const uint8_t *data, size_t size)
{
	struct result res = { 0 };
	int fd[2];

	MUST(!pipe(fd));
	MUST(write(fd[1], data, size) == (ssize_t)size);
	close(fd[1]);
	res = read_all(fd[0], false);
	close(fd[0]);
	return res;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct result file, unordered, piped;

	MUST(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	file = read_all(fd, false);
	unordered = read_all(fd, true);
	close(fd);
	MUST(file.opened == unordered.opened);
	MUST(file.late == file.stats.out_of_order);
	MUST(file.stats.records == unordered.stats.records);
	MUST(file.stats.bytes == unordered.stats.bytes);
	if (size > 60000) /* more than a pipe holds */
		return 0;
	piped = read_pipe(data, size);
	/* What stands behind the records is out of a pipe's reach, so it may refuse more. */
	MUST(file.opened || !piped.opened);
	if (piped.opened)
		MUST(file.stats.records == piped.stats.records);
	if (piped.opened && piped.clean)
		MUST(file.stats.samples == piped.stats.samples);
	return 0;
}
