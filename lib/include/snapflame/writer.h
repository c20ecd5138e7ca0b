/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writing perf.data (PERFILE2, in this machine's byte order), and building the records that no
 * kernel delivers.
 *
 *	struct sf_writer *w;
 *	int ev;
 *
 *	if (sf_writer_open(&w, "out.data", &err))
 *		…
 *	ev = sf_writer_add_event(w, &attr, "cpu-clock", ids, nr_ids);
 *	…
 *	sf_writer_put(w, record, record->size);
 *	…
 *	if (sf_writer_commit(w, &err))
 *		…
 *	sf_writer_free(w);
 *
 * The file appears under its name only when it is complete: until sf_writer_commit() it has none, and
 * nothing is left of it if the process is killed; where the file system has no such files it is
 * "out.data.XXXXXX" beside it, which sf_writer_free() removes. Mode 0600.
 *
 * A failed write is remembered: further calls do nothing, and sf_writer_commit() reports it.
 */
#ifndef SNAPFLAME_WRITER_H
#define SNAPFLAME_WRITER_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <snapflame/error.h>
#include <snapflame/str.h>

struct sf_writer;

/* path must not exist, or be a regular file, which is replaced. *w is NULL on failure. */
int sf_writer_open(struct sf_writer **w, const char *path, struct sf_error *err);
/* The same into an open, empty, seekable file, which stays the caller's. */
int sf_writer_open_fd(struct sf_writer **w, int fd, struct sf_error *err);

/*
 * All events are added before the first sf_writer_put(). Copies what it is given. The index (0, 1,
 * …), or -ENOMEM, -EINVAL. EVENT_DESC with the names is written at the end.
 */
int sf_writer_add_event(struct sf_writer *w, const struct perf_event_attr *attr, const char *name,
			const uint64_t *id, size_t nr_ids);

/* Append whole records, as they are. */
void sf_writer_put(struct sf_writer *w, const void *records, size_t size);
/* Bytes of records so far, and where in the file the first one lies (known once there is one). */
uint64_t sf_writer_size(const struct sf_writer *w);
uint64_t sf_writer_offset(const struct sf_writer *w);

/* Header features (enum sf_feature of reader.h, and perf's other numbers); setting one again
 * replaces it. */
void sf_writer_feature(struct sf_writer *w, unsigned bit, const void *data, size_t size);
void sf_writer_feature_text(struct sf_writer *w, unsigned bit, const char *text);
void sf_writer_feature_words(struct sf_writer *w, unsigned bit, size_t nr, const char *const *word);

/* On commit a file that path names is renamed to path.old, as perf does. */
void sf_writer_keep_old(struct sf_writer *w);

/*
 * Write features and header, make it durable and give it its name. On failure the reason is in err
 * and nothing is left under the name. Call it once.
 */
int sf_writer_commit(struct sf_writer *w, struct sf_error *err);
void sf_writer_free(struct sf_writer *w);

/*
 * Records. Each sf_build_*() appends one to buf, padded to 8 bytes; without memory buf remembers
 * that (sf_str_failed()). Events of a recording share their sample_id_all trailer, which is what
 * struct sf_stamp holds: TID, TIME, CPU, IDENTIFIER.
 */
#define SF_STAMP_SAMPLE_TYPE \
	(PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU | PERF_SAMPLE_IDENTIFIER)

struct sf_stamp {
	uint32_t pid, tid;
	uint64_t time;
	uint32_t cpu, reserved;
	uint64_t id;
};

/* Offset of the time in such a record, from its end. */
enum { SF_STAMP_TIME_FROM_END = 24 };

struct sf_build_mmap {
	uint32_t pid, tid;
	uint64_t addr, len, pgoff;
	uint32_t maj, min;
	uint64_t ino, ino_generation;
	const uint8_t *build_id; /* NULL: the inode is written instead */
	uint8_t build_id_size;   /* at most 20 */
	uint32_t prot, flags;
	const char *filename;
};

struct sf_build_sample {
	uint16_t misc; /* PERF_RECORD_MISC_KERNEL, … */
	uint64_t id, ip, time, period;
	uint32_t pid, tid, cpu;
	const uint64_t *chain; /* with PERF_CONTEXT_* markers */
	size_t nr_chain;
	const void *raw; /* padded with NULs behind */
	size_t raw_size;
};

void sf_build_comm(struct sf_str *buf, const struct sf_stamp *stamp, uint32_t pid, uint32_t tid,
		   const char *comm);
/* type: PERF_RECORD_FORK or PERF_RECORD_EXIT */
void sf_build_task(struct sf_str *buf, const struct sf_stamp *stamp, uint32_t type, uint32_t pid,
		   uint32_t ppid, uint32_t tid, uint32_t ptid);
/* MMAP2 of a process; MMAP where m->pid is -1 (the kernel and its modules). */
void sf_build_mmap(struct sf_str *buf, const struct sf_stamp *stamp, uint16_t misc,
		   const struct sf_build_mmap *m);
void sf_build_lost(struct sf_str *buf, const struct sf_stamp *stamp, uint64_t id, uint64_t lost);
/*
 * sample_type: of IDENTIFIER, IP, TID, TIME, CPU, PERIOD, CALLCHAIN, RAW. -E2BIG where it does not
 * fit a record; buf is as it was then.
 */
int sf_build_sample(struct sf_str *buf, uint64_t sample_type, const struct sf_build_sample *s);
/*
 * The sample rec, whose event has sample_type, without its stack: no callchain, user registers and
 * stack dump. -EINVAL where it is no such sample or has fields that are not known here.
 */
int sf_build_stripped(struct sf_str *buf, uint64_t sample_type,
		      const struct perf_event_header *rec);
/* One entry of the BUILD_ID feature. */
void sf_build_build_id(struct sf_str *buf, uint32_t pid, uint16_t misc, const uint8_t *build_id,
		       uint8_t build_id_size, const char *filename);

/* Time stamp of a record whose event's sample_type has SF_STAMP_SAMPLE_TYPE and IP; 0 where it has
 * none (types above the kernel's) or is too short. */
uint64_t sf_record_time(const struct perf_event_header *rec);

#endif
