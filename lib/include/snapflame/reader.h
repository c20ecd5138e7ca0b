/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading a perf.data file: records in order of time, one at a time.
 *
 *	struct sf_reader *r;
 *	const struct sf_record *rec;
 *	int n;
 *
 *	if (sf_reader_open(&r, "perf.data", NULL, &err))
 *		…
 *	while ((n = sf_reader_next(r, &rec, &err)) > 0)
 *		…
 *	sf_reader_free(r);
 *
 * Reads what perf 3.2 and later, simpleperf and snapflame write: PERFFILE (version 1) and
 * PERFILE2, both byte orders, file and pipe mode, "-" for standard input, directories, unfinished
 * recordings, COMPRESSED records, and gzip or zstd around all of it. Formats: the kernel's
 * include/uapi/linux/perf_event.h and tools/perf/Documentation/perf.data-file-format.txt.
 *
 * Streaming: memory is bounded by what has to be sorted (one round between FINISHED_ROUND records),
 * never by the size of the file.
 *
 * Input is hostile. A record that cannot be right is counted in sf_reader_stats and named by its
 * file offset in problems; the rest is read where that is safe. sf_reader_next() fails only where
 * nothing further can be trusted, after it has delivered all that came before.
 */
#ifndef SNAPFLAME_READER_H
#define SNAPFLAME_READER_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <snapflame/error.h>
#include <snapflame/filetype.h>

/* One event of the recording: an attr with its ids. Lives as long as the reader. */
struct sf_event {
	uint32_t index;              /* 0, 1, … in the order of the file */
	const char *name;            /* as perf prints it: EVENT_DESC, EVENT_UPDATE, or made from attr */
	struct perf_event_attr attr; /* native byte order; what the file lacks is zero */
	uint64_t sample_type;        /* attr.sample_type */
	const uint64_t *id;
	size_t nr_ids;
};

/* What a sample carries; has says which fields are real (PERF_SAMPLE_* bits). */
struct sf_sample {
	uint64_t has;
	uint64_t ip, addr, id, stream_id, period, weight, data_src, transaction, phys_addr, cgroup;
	uint64_t data_page_size, code_page_size;
	const uint64_t *chain; /* PERF_SAMPLE_CALLCHAIN, with PERF_CONTEXT_* markers; leaf first */
	uint64_t nr_chain;
	const uint8_t *raw; /* PERF_SAMPLE_RAW, in the recording's byte order; not aligned */
	uint32_t raw_size;
	const struct perf_branch_entry *branch; /* native order; NULL where nr_branch is 0 */
	uint64_t nr_branch;
	uint64_t user_abi, user_regs_mask;
	const uint64_t *user_regs; /* hweight64(user_regs_mask) values */
	const uint8_t *user_stack; /* the stack at the user's SP, upwards */
	uint64_t user_stack_size;  /* bytes that are real (dyn_size), not what was reserved */
	const uint64_t *read;      /* PERF_SAMPLE_READ: raw u64 values as attr.read_format lays out */
	uint64_t nr_read;
};

/*
 * One record. The pointers are valid until the next call of sf_reader_next().
 * pid, tid, time, cpu and id come from the sample or from the sample_id_all trailer; has_* say
 * whether the record has them.
 */
struct sf_record {
	uint32_t type; /* PERF_RECORD_*, and above 64 the ones of perf (enum sf_user_record) */
	uint16_t misc;
	uint64_t offset;              /* in the file, or in the decompressed stream; for messages */
	const struct sf_event *event; /* NULL where the record belongs to none */
	bool has_time, has_tid, has_cpu;
	uint64_t time; /* ns, in the clock of the recording */
	uint32_t pid, tid, cpu;
	const uint8_t *body; /* behind the header; native byte order, but for perf's own types */
	size_t body_size;    /* without the sample_id_all trailer where that is known */
	union {
		struct sf_sample sample; /* PERF_RECORD_SAMPLE */
		struct {
			uint32_t pid, tid;
			uint64_t addr, len, pgoff;
			uint32_t maj, min, prot, flags; /* prot: PROT_EXEC is assumed for MMAP
							   records without MISC_MMAP_DATA */
			uint64_t ino, ino_generation;
			const uint8_t *build_id; /* NULL where the record has none */
			uint8_t build_id_size;
			const char *filename; /* terminated */
		} mmap;                       /* PERF_RECORD_MMAP and MMAP2 */
		struct {
			uint32_t pid, tid;
			const char *comm; /* terminated */
			bool exec;
		} comm;
		struct {
			uint32_t pid, ppid, tid, ptid;
			uint64_t time;
		} task; /* FORK and EXIT */
		struct {
			uint64_t id, lost;
		} lost; /* LOST and LOST_SAMPLES */
		struct {
			bool out, preempt;
			bool has_other;             /* SWITCH_CPU_WIDE */
			uint32_t other_pid, other_tid; /* the next (out) or the previous (in) task */
		} sw; /* SWITCH and SWITCH_CPU_WIDE; the task itself is pid/tid above */
		struct {
			uint64_t time, id, stream_id;
			bool unthrottle;
		} throttle;
		struct {
			uint64_t addr;
			uint32_t len;
			uint16_t type, flags; /* flags bit 0: unregistered */
			const char *name;
		} ksymbol;
		struct {
			uint32_t pid;
			const char *filename;
			const uint8_t *build_id;
			uint8_t build_id_size;
		} build_id; /* HEADER_BUILD_ID, delivered before the first other record */
	} u;
};

/* Record types that perf adds to the kernel's (tools/lib/perf/include/perf/event.h). */
enum sf_user_record {
	SF_RECORD_HEADER_ATTR = 64,
	SF_RECORD_HEADER_EVENT_TYPE = 65,
	SF_RECORD_HEADER_TRACING_DATA = 66,
	SF_RECORD_HEADER_BUILD_ID = 67,
	SF_RECORD_FINISHED_ROUND = 68,
	SF_RECORD_ID_INDEX = 69,
	SF_RECORD_AUXTRACE_INFO = 70,
	SF_RECORD_AUXTRACE = 71,
	SF_RECORD_AUXTRACE_ERROR = 72,
	SF_RECORD_THREAD_MAP = 73,
	SF_RECORD_CPU_MAP = 74,
	SF_RECORD_STAT_CONFIG = 75,
	SF_RECORD_STAT = 76,
	SF_RECORD_STAT_ROUND = 77,
	SF_RECORD_EVENT_UPDATE = 78,
	SF_RECORD_TIME_CONV = 79,
	SF_RECORD_HEADER_FEATURE = 80,
	SF_RECORD_COMPRESSED = 81,
	SF_RECORD_FINISHED_INIT = 82,
	SF_RECORD_COMPRESSED2 = 83,
};

/* Header features (HEADER_* of perf): see sf_reader_feature(). */
enum sf_feature {
	SF_FEAT_TRACING_DATA = 1,
	SF_FEAT_BUILD_ID = 2,
	SF_FEAT_HOSTNAME = 3,
	SF_FEAT_OSRELEASE = 4,
	SF_FEAT_VERSION = 5,
	SF_FEAT_ARCH = 6,
	SF_FEAT_NRCPUS = 7,
	SF_FEAT_CPUDESC = 8,
	SF_FEAT_CPUID = 9,
	SF_FEAT_TOTAL_MEM = 10,
	SF_FEAT_CMDLINE = 11,
	SF_FEAT_EVENT_DESC = 12,
	SF_FEAT_CPU_TOPOLOGY = 13,
	SF_FEAT_CLOCKID = 23,
	SF_FEAT_CLOCK_DATA = 29,
};

struct sf_reader_opts {
	bool unordered; /* deliver in file order: for tools that look at a file as it is */
};

struct sf_reader_stats {
	uint64_t records, samples;
	uint64_t bytes;         /* of records, decompressed */
	uint64_t total_bytes;   /* of the input where it is known, else 0: for progress */
	uint64_t lost;          /* sum of LOST and LOST_SAMPLES */
	uint64_t lost_records;  /* LOST and LOST_SAMPLES records */
	uint64_t throttled;     /* THROTTLE records */
	uint64_t unknown;       /* records of a type that is not known */
	uint64_t aux_skipped;   /* AUXTRACE records, whose data is skipped */
	uint64_t bad;           /* records that cannot be right */
	uint64_t out_of_order;  /* delivered later than a younger one */
	bool unfinished;        /* the recorder never wrote the final header */
	bool truncated;         /* the file ends in the middle of a record */
};

struct sf_reader;

/* Open path ("-" is standard input). opts may be NULL. *r is NULL on failure. */
int sf_reader_open(struct sf_reader **r, const char *path, const struct sf_reader_opts *opts,
		   struct sf_error *err);
/* The same for an input that was opened to see its kind. in is the reader's from here on, also on
 * failure; path is for messages. */
int sf_reader_open_input(struct sf_reader **r, struct sf_input *in, const char *path,
			 const struct sf_reader_opts *opts, struct sf_error *err);
/* 1 and a record, 0 at the end, negative errno when nothing further can be read. */
int sf_reader_next(struct sf_reader *r, const struct sf_record **rec, struct sf_error *err);
void sf_reader_free(struct sf_reader *r);

const char *sf_reader_path(const struct sf_reader *r);
/*
 * Events known so far. In pipe mode they arrive as records: more may appear while reading, but an
 * event is always known before its first sample.
 */
size_t sf_reader_nr_events(const struct sf_reader *r);
const struct sf_event *sf_reader_event(const struct sf_reader *r, size_t index);
const struct sf_reader_stats *sf_reader_stats(const struct sf_reader *r);
/* Problems met so far, one line each, the first few of them; NULL past the last. */
const char *sf_reader_problem(const struct sf_reader *r, size_t index);
bool sf_reader_swapped(const struct sf_reader *r); /* the recording has the other byte order */

/*
 * A header feature as text ("" where the file has none): HOSTNAME, OSRELEASE, VERSION, ARCH,
 * CPUDESC, CPUID, and CMDLINE with its words joined by a space. Complete after the last record
 * in pipe mode.
 */
const char *sf_reader_feature(const struct sf_reader *r, enum sf_feature feature);
uint32_t sf_reader_nr_cpus(const struct sf_reader *r); /* online when recorded; 0 unknown */
/* clockid of the time stamps and the CLOCK_DATA pair (ns): false where the file has none. */
bool sf_reader_clock(const struct sf_reader *r, int *clockid, uint64_t *clock_ns,
		     uint64_t *realtime_ns);

/*
 * Fields of a tracepoint's RAW data by name, through libtraceevent and the recording's TRACING_DATA.
 * Look the field up once for each event and read many times. size is 0 where the event has no such
 * field (or the program was built without libtraceevent).
 */
struct sf_field {
	uint32_t offset, size; /* bytes in raw */
	bool is_signed, is_string, is_dynamic, is_relative;
};

struct sf_field sf_reader_field(const struct sf_reader *r, const struct sf_event *event,
				const char *name);
/* The integer in raw (byte order and sign taken care of); 0 where it lies outside. */
int64_t sf_field_int(const struct sf_reader *r, const struct sf_field *f, const uint8_t *raw,
		     uint32_t raw_size);
/* The string in raw: its start and length without terminator; NULL where it lies outside. */
const char *sf_field_str(const struct sf_reader *r, const struct sf_field *f, const uint8_t *raw,
			 uint32_t raw_size, size_t *len);

#endif
