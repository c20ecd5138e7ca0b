/* SPDX-License-Identifier: GPL-2.0-only */
/* The fields of a sample, in the order in which the kernel writes them. */
#include <errno.h>
#include <string.h>

#include "perfdata/reader_impl.h"

struct fields {
	const uint64_t *p, *end;
	bool bad;
};

static inline uint64_t next(struct fields *f)
{
	if (f->p < f->end)
		return *f->p++;
	f->bad = true;
	return 0;
}

/* nr u64s as they lie there. */
static inline const uint64_t *block(struct fields *f, uint64_t nr)
{
	const uint64_t *p = f->p;

	if (nr > (uint64_t)(f->end - f->p)) {
		f->bad = true;
		return NULL;
	}
	f->p += nr;
	return p;
}

static inline const uint8_t *bytes(struct fields *f, uint64_t size)
{
	return (const uint8_t *)block(f, size / 8 + !!(size % 8));
}

/*
 * u64 value, time enabled, time running, id, lost; with PERF_FORMAT_GROUP u64 nr, times, and nr
 * times value, id, lost.
 */
static void parse_read(struct fields *f, struct sf_sample *s, const struct sf_evsel *ev,
		       struct sf_group *g)
{
	uint64_t format = ev->pub.attr.read_format, nr = 1;
	unsigned stride = 1 + !!(format & PERF_FORMAT_ID) + !!(format & PERF_FORMAT_LOST);
	unsigned times = !!(format & PERF_FORMAT_TOTAL_TIME_ENABLED) +
			 !!(format & PERF_FORMAT_TOTAL_TIME_RUNNING);
	const uint64_t *start = f->p;

	if (!(format & PERF_FORMAT_GROUP)) {
		g->value = block(f, 1);
		block(f, times);
		/* The id is not next to the value then. */
		g->id = format & PERF_FORMAT_ID ? block(f, 1) : NULL;
		block(f, !!(format & PERF_FORMAT_LOST));
	} else {
		nr = next(f);
		block(f, times);
		if (nr > (uint64_t)(f->end - f->p)) {
			f->bad = true;
			return;
		}
		g->value = block(f, nr * stride);
		g->id = g->value && format & PERF_FORMAT_ID ? g->value + 1 : NULL;
	}
	if (f->bad)
		return;
	g->left = g->id ? nr : 0;
	g->stride = stride;
	s->read = start;
	s->nr_read = (uint64_t)(f->p - start);
}

static void parse_raw(struct fields *f, struct sf_sample *s)
{
	const uint8_t *p = (const uint8_t *)f->p;

	if (f->p == f->end) {
		f->bad = true;
		return;
	}
	s->raw_size = sf_raw32(p, false);
	s->raw = bytes(f, (uint64_t)s->raw_size + 4) ? p + 4 : NULL;
}

static void parse_branches(struct fields *f, struct sf_sample *s, uint64_t branch_type)
{
	uint64_t nr = next(f);

	if (branch_type & PERF_SAMPLE_BRANCH_HW_INDEX)
		next(f);
	if (nr > (uint64_t)(f->end - f->p)) {
		f->bad = true;
		return;
	}
	s->nr_branch = nr;
	s->branch = nr ? (const struct perf_branch_entry *)block(f, nr * 3) : NULL;
	if (branch_type & SF_BRANCH_COUNTERS)
		block(f, nr);
}

static void parse_user_regs(struct fields *f, struct sf_sample *s, uint64_t mask)
{
	s->user_abi = next(f);
	s->user_regs_mask = s->user_abi ? mask : 0;
	s->user_regs = s->user_abi ? block(f, (uint64_t)__builtin_popcountll(mask)) : NULL;
}

static void parse_user_stack(struct fields *f, struct sf_sample *s)
{
	uint64_t size = next(f);

	s->user_stack = size ? bytes(f, size) : NULL;
	s->user_stack_size = size ? next(f) : 0;
	if (s->user_stack_size > size)
		f->bad = true;
}

static inline void parse_ids(struct fields *f, struct sf_record *rec, uint64_t type)
{
	struct sf_sample *s = &rec->u.sample;

	if (type & PERF_SAMPLE_IDENTIFIER)
		s->id = next(f);
	if (type & PERF_SAMPLE_IP)
		s->ip = next(f);
	if (type & PERF_SAMPLE_TID) {
		uint32_t v[2];
		uint64_t both = next(f);

		memcpy(v, &both, sizeof(v));
		rec->pid = v[0];
		rec->tid = v[1];
		rec->has_tid = true;
	}
	if (type & PERF_SAMPLE_TIME) {
		rec->time = next(f);
		rec->has_time = true;
	}
	if (type & PERF_SAMPLE_ADDR)
		s->addr = next(f);
	if (type & PERF_SAMPLE_ID)
		s->id = next(f);
	if (type & PERF_SAMPLE_STREAM_ID)
		s->stream_id = next(f);
	if (type & PERF_SAMPLE_CPU) {
		uint64_t both = next(f);

		memcpy(&rec->cpu, &both, sizeof(rec->cpu));
		rec->has_cpu = true;
	}
	if (type & PERF_SAMPLE_PERIOD)
		s->period = next(f);
}

/* What comes last is rare, so that one test passes over it. */
#define RARE                                                                                       \
	(PERF_SAMPLE_WEIGHT | PERF_SAMPLE_WEIGHT_STRUCT | PERF_SAMPLE_DATA_SRC |                   \
	 PERF_SAMPLE_TRANSACTION | PERF_SAMPLE_REGS_INTR | PERF_SAMPLE_PHYS_ADDR |                 \
	 PERF_SAMPLE_CGROUP | PERF_SAMPLE_DATA_PAGE_SIZE | PERF_SAMPLE_CODE_PAGE_SIZE |            \
	 PERF_SAMPLE_AUX)

static void parse_rare(struct fields *f, struct sf_sample *s, const struct perf_event_attr *a)
{
	uint64_t type = a->sample_type;

	if (type & PERF_SAMPLE_WEIGHT)
		s->weight = next(f);
	else if (type & PERF_SAMPLE_WEIGHT_STRUCT)
		s->weight = (uint32_t)next(f); /* the rest is latencies of parts of it */
	if (type & PERF_SAMPLE_DATA_SRC)
		s->data_src = next(f);
	if (type & PERF_SAMPLE_TRANSACTION)
		s->transaction = next(f);
	if (type & PERF_SAMPLE_REGS_INTR && next(f))
		block(f, (uint64_t)__builtin_popcountll(a->sample_regs_intr));
	if (type & PERF_SAMPLE_PHYS_ADDR)
		s->phys_addr = next(f);
	if (type & PERF_SAMPLE_CGROUP)
		s->cgroup = next(f);
	if (type & PERF_SAMPLE_DATA_PAGE_SIZE)
		s->data_page_size = next(f);
	if (type & PERF_SAMPLE_CODE_PAGE_SIZE)
		s->code_page_size = next(f);
	if (type & PERF_SAMPLE_AUX)
		bytes(f, next(f));
}

int sf_sample_parse(struct sf_reader *r, const struct sf_evsel *ev, const uint64_t *p, size_t nr)
{
	struct sf_record *rec = &r->rec;
	struct sf_sample *s = &rec->u.sample;
	const struct perf_event_attr *a = &ev->pub.attr;
	uint64_t type = ev->pub.sample_type;
	struct fields f = { p, p + nr, false };

	/* What the last sample of this layout left is overwritten; zeroing costs more than parsing.
	 */
	if (r->sample_layout != type) {
		memset(s, 0, sizeof(*s));
		r->sample_layout = type;
	}
	s->has = type;
	s->id = 0;
	/* Without PERIOD it is what was asked for: a period, or a frequency (as perf counts it). */
	s->period = a->sample_period;
	parse_ids(&f, rec, type);
	if (type & PERF_SAMPLE_READ)
		parse_read(&f, s, ev, &r->group);
	if (type & PERF_SAMPLE_CALLCHAIN) {
		s->nr_chain = next(&f);
		s->chain = block(&f, s->nr_chain);
	}
	if (type & PERF_SAMPLE_RAW)
		parse_raw(&f, s);
	if (type & PERF_SAMPLE_BRANCH_STACK)
		parse_branches(&f, s, a->branch_sample_type);
	if (type & PERF_SAMPLE_REGS_USER)
		parse_user_regs(&f, s, a->sample_regs_user);
	if (type & PERF_SAMPLE_STACK_USER)
		parse_user_stack(&f, s);
	if (type & RARE)
		parse_rare(&f, s, a);
	if (f.bad) {
		r->group.left = 0;
		r->sample_layout = 0;
		return 0;
	}
	if (!r->group.left)
		return 1;
	return sf_sample_next_member(r);
}

/*
 * The counter of an event when it was last read. Events that are inherited count for each thread
 * on its own.
 */
static uint64_t *last_read(struct sf_reader *r, const struct sf_evsel *ev, uint64_t id)
{
	uint64_t key = id * r->evlist.salt;
	uint32_t i, *slot;

	if (ev->pub.attr.inherit && r->rec.has_tid)
		key = (sf_hash64(id) + r->rec.tid) * r->evlist.salt;
	i = sf_map64_get(&r->read_slot, key, UINT32_MAX);
	if (i != UINT32_MAX)
		return &r->read_value[i];
	if (r->nr_read >= SF_MAX_IDS || SF_GROW(r->read_value, r->nr_read + 1, r->read_alloc))
		return NULL;
	slot = sf_map64_at(&r->read_slot, key, NULL);
	if (!slot)
		return NULL;
	*slot = (uint32_t)r->nr_read;
	r->read_value[r->nr_read] = 0;
	return &r->read_value[r->nr_read++];
}

/*
 * As perf does it: each member of the group gets a sample with what it counted since its last one,
 * and none where that is nothing.
 */
int sf_sample_next_member(struct sf_reader *r)
{
	struct sf_group *g = &r->group;
	struct sf_sample *s = &r->rec.u.sample;

	while (g->left) {
		uint64_t id = *g->id, value = *g->value, *last;
		const struct sf_evsel *ev = sf_evlist_find(&r->evlist, id);

		g->left--;
		g->value += g->stride;
		g->id += g->stride;
		last = ev ? last_read(r, ev, id) : NULL;
		if (!last || value == *last) {
			r->stats.bad += !last;
			continue;
		}
		s->id = id;
		s->period = value - *last;
		s->has |= PERF_SAMPLE_PERIOD;
		*last = value;
		r->rec.event = &ev->pub;
		return 1;
	}
	return -1;
}
