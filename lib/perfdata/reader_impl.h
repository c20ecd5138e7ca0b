/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the reader share. A record's way:
 *
 *	input.c      bytes: a map, or a stream (unpack.c) in chunks (chunk.c)
 *	stream.c     records of one file; what is in COMPRESSED ones (compress.c); perf's own records
 *	             take effect here (user.c, feature.c, tracing.c)
 *	order.c      the others wait there for their time
 *	deliver.c    the next of all streams (directory.c), aligned, in native order (swap.c)
 *	record.c     its fields; sample.c those of samples
 */
#ifndef PERFDATA_READER_IMPL_H
#define PERFDATA_READER_IMPL_H

#include <snapflame/reader.h>

#include "perfdata/evlist.h"
#include "perfdata/stream.h"
#include "perfdata/tracing.h"

#define SF_MAX_PROBLEMS 32
#define SF_MAX_STREAMS	4096 /* files of a directory */
#define SF_MAX_HEAD	(16u << 20)
#define SF_MAX_TAIL	(64u << 20)

/* PERF_SAMPLE_BRANCH_COUNTERS, which linux/perf_event.h has from 6.8 on */
#define SF_BRANCH_COUNTERS (1u << 19)

struct sf_section {
	uint64_t offset, size;
};

/* Header, as PERFILE2 and PERFFILE have it in files; in a pipe only the magic counts. */
struct sf_file_header {
	bool pipe, version1;
	uint64_t attr_size;
	struct sf_section attrs, data, event_types;
	uint64_t features[4];
};

/* A piece of the file in memory. Parts of a file that cannot be mapped are read into buffers. */
struct sf_view {
	const uint8_t *data;
	uint64_t offset, size;
	uint8_t *own; /* to be freed */
};

#define SF_FEATURE_TEXTS 32

struct sf_features {
	char *text[SF_FEATURE_TEXTS]; /* by feature */
	uint32_t nr_cpus;
	bool has_clock;
	int clockid;
	uint64_t clock_ns, realtime_ns;
	struct sf_view build_ids; /* the section, until it was delivered */
	uint64_t build_id_at;
};

/* One record as one sample for each member of its group: what is still to be delivered. */
struct sf_group {
	uint64_t left;		    /* members to come */
	const uint64_t *value, *id; /* of the next one */
	unsigned stride;	    /* u64s to the one after it */
};

/* The next record of one of several streams. */
struct sf_front {
	enum { SF_FRONT_EMPTY, SF_FRONT_FULL, SF_FRONT_ENDED } state;
	struct sf_raw raw;
	uint64_t time;
};

struct sf_reader {
	char *path;
	bool swapped, unordered;
	struct sf_file_header header;
	struct sf_view head, tail;
	struct sf_evlist evlist;
	struct sf_features features;
	struct sf_tracing *tracing;
	struct sf_stream **stream;
	size_t nr_streams, stream_alloc;
	struct sf_front *front; /* one for each stream, where there are several */
	struct sf_chunks chunks;

	struct sf_record rec;
	uint64_t sample_layout; /* the sample_type that rec.u.sample was last filled for; 0: none */
	struct sf_group group;
	uint64_t *scratch;     /* a record that had to be moved or swapped: 64 KiB */
	struct sf_chunk *held; /* what rec points into */
	uint64_t last_time;
	struct sf_map64 read_slot; /* id (and thread) -> read_value: the counter when last read */
	uint64_t *read_value;
	size_t nr_read, read_alloc;

	struct sf_reader_stats stats;
	char *problem[SF_MAX_PROBLEMS];
	size_t nr_problems;
	int fatal; /* to be returned once everything was delivered */
	struct sf_error fatal_err;
	bool ended;
};

/* Remember what was wrong at offset; the first SF_MAX_PROBLEMS are kept. */
void sf_reader_complain(struct sf_reader *r, uint64_t offset, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same, and nothing behind it can be read. */
int sf_reader_give_up(struct sf_reader *r, int code, uint64_t offset, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Name an event; where there is no memory for that, reading fails in the end. */
void sf_reader_name(struct sf_reader *r, struct sf_evsel *ev, const char *name, size_t len);

int sf_reader_add_stream(struct sf_reader *r, struct sf_input *in, uint64_t start, uint64_t end);
/* The file with the header: a recording of its own, or "data" of a directory. */
int sf_reader_open_main(struct sf_reader *r, const char *path, struct sf_error *err);
int sf_reader_open_directory(struct sf_reader *r, const char *path, struct sf_error *err);

/* header.c */
int sf_header_read(struct sf_reader *r, struct sf_input *in, struct sf_error *err);
/* What follows the data, in r->tail, once a stream has come to it. */
int sf_header_read_tail(struct sf_reader *r, struct sf_input *in);
/* Bytes [offset, offset + size) of the file, where they are in memory; else NULL. */
const uint8_t *sf_header_view(const struct sf_reader *r, uint64_t offset, uint64_t size);

/* attr.c */
int sf_attr_read(struct sf_reader *r, struct sf_error *err);
/* An attr of any size in the file's byte order, at most max bytes; 0 where it cannot be one. */
uint32_t sf_attr_decode(struct perf_event_attr *attr, const uint8_t *p, size_t max, bool swapped);

/* feature.c */
void sf_feature_read_all(struct sf_reader *r); /* the sections behind the data */
void sf_feature_parse(struct sf_reader *r, unsigned feature, const uint8_t *p, size_t size);
void sf_features_release(struct sf_features *f);

/* user.c: records of perf itself that change what the reader knows. */
void sf_user_record(struct sf_reader *r, uint32_t type, const uint8_t *rec, size_t size,
		    uint64_t offset);
void sf_user_tracing(struct sf_reader *r, const uint8_t *p, size_t size, uint64_t offset);
void sf_user_name_tracepoints(struct sf_reader *r);

/* swap.c: a record (header and all) to native order; of perf's own types only BUILD_ID. */
void sf_swap_record(struct sf_reader *r, uint8_t *rec, size_t size, const struct sf_evsel *ev);

/* record.c: fills r->rec; 1, or 0 where the record is bad. */
int sf_record_parse(struct sf_reader *r, const uint8_t *rec, size_t size, uint64_t offset);
bool sf_mmap2_has_build_id(const struct sf_evlist *l, const struct sf_evsel *ev, uint16_t misc,
			   const uint8_t *body, size_t size);
/* sample.c: 1, 0 where the sample is bad, -1 where no member of its group has anything new. */
int sf_sample_parse(struct sf_reader *r, const struct sf_evsel *ev, const uint64_t *p, size_t nr);
int sf_sample_next_member(struct sf_reader *r);

#endif
