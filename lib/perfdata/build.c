/* SPDX-License-Identifier: GPL-2.0-only */
/* Records that no kernel delivers: what was there before the recording, and our own samples. */
#include <snapflame/writer.h>

#include <errno.h>
#include <string.h>

enum { RECORD_MAX = 65528 }; /* 16-bit size, multiple of 8 */

static void add_record(struct sf_str *buf, uint32_t type, uint16_t misc, size_t body)
{
	struct perf_event_header h = { .type = type, .misc = misc };

	h.size = (uint16_t)(sizeof(h) + body);
	sf_str_addn(buf, &h, sizeof(h));
}

static void add_stamp(struct sf_str *buf, const struct sf_stamp *stamp)
{
	sf_str_addn(buf, stamp, sizeof(*stamp));
}

/* text cut to what fits in padded bytes with its terminator. */
static void add_padded(struct sf_str *buf, const char *text, size_t padded)
{
	static const char nul[16];
	size_t len = strnlen(text, padded - 1);

	sf_str_addn(buf, text, len);
	for (size_t left = padded - len; left;) {
		size_t n = left < sizeof(nul) ? left : sizeof(nul);

		sf_str_addn(buf, nul, n);
		left -= n;
	}
}

/* A name of any length would break the 16 bits; PATH_MAX is the kernel's own limit. */
static size_t padded_size(const char *text)
{
	return (strnlen(text, 4095) + 1 + 7) & ~(size_t)7;
}

void sf_build_comm(struct sf_str *buf, const struct sf_stamp *stamp, uint32_t pid, uint32_t tid,
		   const char *comm)
{
	uint32_t who[2] = { pid, tid };

	add_record(buf, PERF_RECORD_COMM, 0, sizeof(who) + 16 + sizeof(*stamp));
	sf_str_addn(buf, who, sizeof(who));
	add_padded(buf, comm, 16);
	add_stamp(buf, stamp);
}

void sf_build_task(struct sf_str *buf, const struct sf_stamp *stamp, uint32_t type, uint32_t pid,
		   uint32_t ppid, uint32_t tid, uint32_t ptid)
{
	uint32_t who[4] = { pid, ppid, tid, ptid };

	add_record(buf, type, 0, sizeof(who) + sizeof(uint64_t) + sizeof(*stamp));
	sf_str_addn(buf, who, sizeof(who));
	sf_str_addn(buf, &stamp->time, sizeof(stamp->time));
	add_stamp(buf, stamp);
}

/* The union of MMAP2: build-id, or where the file is. */
static void add_identity(struct sf_str *buf, const struct sf_build_mmap *m)
{
	uint8_t with_id[24] = { 0 };
	uint32_t dev[2] = { m->maj, m->min };
	uint64_t ino[2] = { m->ino, m->ino_generation };

	if (!m->build_id) {
		sf_str_addn(buf, dev, sizeof(dev));
		sf_str_addn(buf, ino, sizeof(ino));
		return;
	}
	with_id[0] = m->build_id_size > 20 ? 20 : m->build_id_size;
	memcpy(with_id + 4, m->build_id, with_id[0]);
	sf_str_addn(buf, with_id, sizeof(with_id));
}

void sf_build_mmap(struct sf_str *buf, const struct sf_stamp *stamp, uint16_t misc,
		   const struct sf_build_mmap *m)
{
	bool kernel = m->pid == UINT32_MAX;
	uint32_t who[2] = { m->pid, m->tid }, prot[2] = { m->prot, m->flags };
	uint64_t where[3] = { m->addr, m->len, m->pgoff };
	size_t name = padded_size(m->filename);

	if (!kernel && m->build_id)
		misc |= PERF_RECORD_MISC_MMAP_BUILD_ID;
	add_record(buf, kernel ? PERF_RECORD_MMAP : PERF_RECORD_MMAP2, misc,
		   sizeof(who) + sizeof(where) + (kernel ? 0 : 24 + sizeof(prot)) + name +
			   sizeof(*stamp));
	sf_str_addn(buf, who, sizeof(who));
	sf_str_addn(buf, where, sizeof(where));
	if (!kernel) {
		add_identity(buf, m);
		sf_str_addn(buf, prot, sizeof(prot));
	}
	add_padded(buf, m->filename, name);
	add_stamp(buf, stamp);
}

void sf_build_lost(struct sf_str *buf, const struct sf_stamp *stamp, uint64_t id, uint64_t lost)
{
	uint64_t body[2] = { id, lost };

	add_record(buf, PERF_RECORD_LOST, 0, sizeof(body) + sizeof(*stamp));
	sf_str_addn(buf, body, sizeof(body));
	add_stamp(buf, stamp);
}

static void add_u64(struct sf_str *buf, bool there, uint64_t v)
{
	if (there)
		sf_str_addn(buf, &v, sizeof(v));
}

static void add_u32_pair(struct sf_str *buf, bool there, uint32_t a, uint32_t b)
{
	uint32_t pair[2] = { a, b };

	if (there)
		sf_str_addn(buf, pair, sizeof(pair));
}

/* The size of RAW and its bytes: together a multiple of 8, the padding counted in the size. */
static void add_raw(struct sf_str *buf, const void *raw, size_t raw_size)
{
	static const char nul[8];
	size_t pad = (8 - (4 + raw_size) % 8) % 8;
	uint32_t size = (uint32_t)(raw_size + pad);

	sf_str_addn(buf, &size, sizeof(size));
	sf_str_addn(buf, raw, raw_size);
	sf_str_addn(buf, nul, pad);
}

int sf_build_sample(struct sf_str *buf, uint64_t sample_type, const struct sf_build_sample *s)
{
	const uint64_t one = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID |
			     PERF_SAMPLE_TIME | PERF_SAMPLE_CPU | PERF_SAMPLE_PERIOD;
	size_t size = 8 * (size_t)__builtin_popcountll(sample_type & one);

	if (sample_type & ~(one | PERF_SAMPLE_CALLCHAIN | PERF_SAMPLE_RAW))
		return -EINVAL;
	if (s->nr_chain > RECORD_MAX / 8 || s->raw_size > RECORD_MAX)
		return -E2BIG;
	if (sample_type & PERF_SAMPLE_CALLCHAIN)
		size += 8 + 8 * s->nr_chain;
	if (sample_type & PERF_SAMPLE_RAW)
		size += (4 + s->raw_size + 7) & ~(size_t)7;
	if (size > RECORD_MAX - sizeof(struct perf_event_header))
		return -E2BIG;
	add_record(buf, PERF_RECORD_SAMPLE, s->misc, size);
	add_u64(buf, sample_type & PERF_SAMPLE_IDENTIFIER, s->id);
	add_u64(buf, sample_type & PERF_SAMPLE_IP, s->ip);
	add_u32_pair(buf, sample_type & PERF_SAMPLE_TID, s->pid, s->tid);
	add_u64(buf, sample_type & PERF_SAMPLE_TIME, s->time);
	add_u32_pair(buf, sample_type & PERF_SAMPLE_CPU, s->cpu, 0);
	add_u64(buf, sample_type & PERF_SAMPLE_PERIOD, s->period);
	if (sample_type & PERF_SAMPLE_CALLCHAIN) {
		add_u64(buf, true, s->nr_chain);
		sf_str_addn(buf, s->chain, s->nr_chain * sizeof(*s->chain));
	}
	if (sample_type & PERF_SAMPLE_RAW)
		add_raw(buf, s->raw, s->raw_size);
	return 0;
}

/* Fields of one word that come before the callchain. */
#define WORDS_BEFORE_CHAIN                                                                         \
	(PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |            \
	 PERF_SAMPLE_ADDR | PERF_SAMPLE_ID | PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CPU |             \
	 PERF_SAMPLE_PERIOD)
#define STACK_FIELDS (PERF_SAMPLE_CALLCHAIN | PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER)

/* Bytes of the callchain at p; SIZE_MAX where it does not fit. */
static size_t chain_size(const uint8_t *p, size_t left)
{
	uint64_t nr;

	if (left < sizeof(nr))
		return SIZE_MAX;
	memcpy(&nr, p, sizeof(nr));
	return nr > left / sizeof(nr) - 1 ? SIZE_MAX : (nr + 1) * sizeof(nr);
}

/* Bytes of RAW at p with its size; SIZE_MAX where it does not fit. */
static size_t raw_data_size(const uint8_t *p, size_t left)
{
	uint32_t size;

	if (left < sizeof(size))
		return SIZE_MAX;
	memcpy(&size, p, sizeof(size));
	return size > left - sizeof(size) ? SIZE_MAX : sizeof(size) + size;
}

int sf_build_stripped(struct sf_str *buf, uint64_t sample_type,
		      const struct perf_event_header *rec)
{
	const size_t before = 8 * (size_t)__builtin_popcountll(sample_type & WORDS_BEFORE_CHAIN);
	const uint8_t *body = (const uint8_t *)(rec + 1);
	size_t size = rec->size - sizeof(*rec), chain = 0, raw = 0;
	const uint64_t none = 0;

	if (rec->type != PERF_RECORD_SAMPLE || rec->size < sizeof(*rec) + before ||
	    sample_type & ~(WORDS_BEFORE_CHAIN | STACK_FIELDS | PERF_SAMPLE_RAW))
		return -EINVAL;
	if (sample_type & PERF_SAMPLE_CALLCHAIN)
		chain = chain_size(body + before, size - before);
	if (chain != SIZE_MAX && sample_type & PERF_SAMPLE_RAW)
		raw = raw_data_size(body + before + chain, size - before - chain);
	if (chain == SIZE_MAX || raw == SIZE_MAX)
		return -EINVAL;
	add_record(buf, PERF_RECORD_SAMPLE, rec->misc,
		   before + raw + 8 * (size_t)__builtin_popcountll(sample_type & STACK_FIELDS));
	sf_str_addn(buf, body, before);
	add_u64(buf, sample_type & PERF_SAMPLE_CALLCHAIN, none);
	sf_str_addn(buf, body + before + chain, raw);
	add_u64(buf, sample_type & PERF_SAMPLE_REGS_USER, none); /* ABI: none */
	add_u64(buf, sample_type & PERF_SAMPLE_STACK_USER, none);
	return 0;
}

void sf_build_build_id(struct sf_str *buf, uint32_t pid, uint16_t misc, const uint8_t *build_id,
		       uint8_t build_id_size, const char *filename)
{
	uint8_t id[24] = { 0 };
	size_t name = padded_size(filename);

	if (build_id_size > 20)
		build_id_size = 20;
	memcpy(id, build_id, build_id_size);
	id[20] = build_id_size;
	/* With this bit perf takes the size from byte 20; without it it assumes 20. */
	add_record(buf, 0, misc | 1 << 15, sizeof(pid) + sizeof(id) + name);
	sf_str_addn(buf, &pid, sizeof(pid));
	sf_str_addn(buf, id, sizeof(id));
	add_padded(buf, filename, name);
}

uint64_t sf_record_time(const struct perf_event_header *rec)
{
	/* IDENTIFIER, IP, TID, TIME */
	const size_t in_sample = sizeof(*rec) + 3 * sizeof(uint64_t);
	size_t at;
	uint64_t time;

	if (rec->type == PERF_RECORD_SAMPLE)
		at = in_sample;
	else if (rec->type < PERF_RECORD_MAX && rec->size >= sizeof(*rec) + sizeof(struct sf_stamp))
		at = rec->size - SF_STAMP_TIME_FROM_END;
	else
		return 0;
	if (at + sizeof(time) > rec->size)
		return 0;
	memcpy(&time, (const char *)rec + at, sizeof(time));
	return time;
}
