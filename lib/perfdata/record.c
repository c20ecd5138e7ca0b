/* SPDX-License-Identifier: GPL-2.0-only */
/* One record of the kernel, in native byte order and aligned to 8, into struct sf_record. */
#include <string.h>
#include <sys/mman.h>

#include "perfdata/reader_impl.h"

/* What the cases below take from the body. */
static inline uint32_t u32_at(const uint8_t *p, size_t at)
{
	return sf_raw32(p + at, false);
}

static inline uint64_t u64_at(const uint8_t *p, size_t at)
{
	return sf_raw64(p + at, false);
}

/* A terminated string from at on, or NULL. */
static const char *text_at(const uint8_t *p, size_t size, size_t at)
{
	if (at >= size || !memchr(p + at, 0, size - at))
		return NULL;
	return (const char *)p + at;
}

static void parse_trailer(struct sf_record *rec, const struct sf_evsel *ev, const uint8_t *p,
			  bool known)
{
	uint64_t type = ev->pub.sample_type, seen = 0, id = 0;

	for (size_t i = 0; i < ev->trailer_size; i += 8)
		seen |= u64_at(p, i);
	/* perf fills the trailer of what it makes up from /proc with zeroes. */
	if (!seen)
		return;
	if (type & PERF_SAMPLE_TID) {
		rec->pid = u32_at(p, 0);
		rec->tid = u32_at(p, 4);
		rec->has_tid = true;
		p += 8;
	}
	if (type & PERF_SAMPLE_TIME) {
		rec->time = u64_at(p, 0);
		rec->has_time = rec->time && rec->time != UINT64_MAX;
		p += 8;
	}
	if (type & PERF_SAMPLE_ID) {
		id = u64_at(p, 0);
		p += 8;
	}
	if (type & PERF_SAMPLE_STREAM_ID)
		p += 8;
	if (type & PERF_SAMPLE_CPU) {
		rec->cpu = u32_at(p, 0);
		rec->has_cpu = true;
		p += 8;
	}
	if (type & PERF_SAMPLE_IDENTIFIER)
		id = u64_at(p, 0);
	if (known && (id || ev->trailer_id < 0))
		rec->event = &ev->pub;
}

/*
 * Whether the bytes of an MMAP2 between pgoff and prot are a build id: u8 size, three zero bytes,
 * id. The kernel's misc bit alone does not tell. While anybody on the machine has an event with
 * attr.build_id, kernels up to 6.18 at least set the bit in the same record for others too (the
 * header goes from event to event, and misc is not restored), where the bytes are device and inode.
 * So it counts where the event asked for it, else only for ids of the usual sizes that look like
 * one.
 */
bool sf_mmap2_has_build_id(const struct sf_evlist *l, const struct sf_evsel *ev, uint16_t misc,
			   const uint8_t *body, size_t size)
{
	const uint8_t *p = body + 32;

	if (!(misc & PERF_RECORD_MISC_MMAP_BUILD_ID) || size < 56 || p[0] > 20 || p[1] || p[2] ||
	    p[3])
		return false;
	if (ev ? ev->pub.attr.build_id : l->any_build_id)
		return true;
	return p[0] == 20 || (p[0] == 16 && !sf_raw32(p + 20, false));
}

/* "[heap]"-like and anonymous maps are told by MISC_MMAP_DATA only where there is no prot. */
static bool parse_mmap(struct sf_reader *r, const uint8_t *p, size_t size)
{
	struct sf_record *rec = &r->rec;
	const struct sf_evsel *ev = NULL;
	bool v2 = rec->type == PERF_RECORD_MMAP2;
	size_t name = v2 ? 64 : 32;

	if (size <= name)
		return false;
	rec->u.mmap.pid = u32_at(p, 0);
	rec->u.mmap.tid = u32_at(p, 4);
	rec->u.mmap.addr = u64_at(p, 8);
	rec->u.mmap.len = u64_at(p, 16);
	rec->u.mmap.pgoff = u64_at(p, 24);
	rec->u.mmap.filename = text_at(p, size, name);
	rec->u.mmap.prot = rec->misc & PERF_RECORD_MISC_MMAP_DATA ? PROT_READ : PROT_EXEC;
	if (v2) {
		if (rec->event)
			ev = r->evlist.ev[rec->event->index];
		if (sf_mmap2_has_build_id(&r->evlist, ev, rec->misc, p, size)) {
			rec->u.mmap.build_id_size = p[32];
			rec->u.mmap.build_id = p + 36;
		} else {
			rec->u.mmap.maj = u32_at(p, 32);
			rec->u.mmap.min = u32_at(p, 36);
			rec->u.mmap.ino = u64_at(p, 40);
			rec->u.mmap.ino_generation = u64_at(p, 48);
		}
		rec->u.mmap.prot = u32_at(p, 56);
		rec->u.mmap.flags = u32_at(p, 60);
	}
	return rec->u.mmap.filename != NULL;
}

static bool parse_comm(struct sf_record *rec, const uint8_t *p, size_t size)
{
	if (size < 8)
		return false;
	rec->u.comm.pid = u32_at(p, 0);
	rec->u.comm.tid = u32_at(p, 4);
	rec->u.comm.comm = text_at(p, size, 8);
	rec->u.comm.exec = rec->misc & PERF_RECORD_MISC_COMM_EXEC;
	return rec->u.comm.comm != NULL;
}

static bool parse_task(struct sf_record *rec, const uint8_t *p, size_t size)
{
	if (size < 24)
		return false;
	rec->u.task.pid = u32_at(p, 0);
	rec->u.task.ppid = u32_at(p, 4);
	rec->u.task.tid = u32_at(p, 8);
	rec->u.task.ptid = u32_at(p, 12);
	rec->u.task.time = u64_at(p, 16);
	return true;
}

static bool parse_lost(struct sf_reader *r, const uint8_t *p, size_t size)
{
	struct sf_record *rec = &r->rec;
	const struct sf_evsel *ev;
	bool samples = rec->type == PERF_RECORD_LOST_SAMPLES;

	if (size < (samples ? 8 : 16))
		return false;
	rec->u.lost.id = samples ? 0 : u64_at(p, 0);
	rec->u.lost.lost = u64_at(p, samples ? 0 : 8);
	r->stats.lost += rec->u.lost.lost;
	r->stats.lost_records++;
	ev = rec->u.lost.id ? sf_evlist_find(&r->evlist, rec->u.lost.id) : NULL;
	if (ev)
		rec->event = &ev->pub;
	return true;
}

static bool parse_switch(struct sf_record *rec, const uint8_t *p, size_t size)
{
	rec->u.sw.out = rec->misc & PERF_RECORD_MISC_SWITCH_OUT;
	rec->u.sw.preempt = rec->misc & PERF_RECORD_MISC_SWITCH_OUT_PREEMPT;
	rec->u.sw.has_other = rec->type == PERF_RECORD_SWITCH_CPU_WIDE;
	if (!rec->u.sw.has_other)
		return true;
	if (size < 8)
		return false;
	rec->u.sw.other_pid = u32_at(p, 0);
	rec->u.sw.other_tid = u32_at(p, 4);
	return true;
}

static bool parse_throttle(struct sf_reader *r, const uint8_t *p, size_t size)
{
	struct sf_record *rec = &r->rec;

	if (size < 24)
		return false;
	rec->u.throttle.time = u64_at(p, 0);
	rec->u.throttle.id = u64_at(p, 8);
	rec->u.throttle.stream_id = u64_at(p, 16);
	rec->u.throttle.unthrottle = rec->type == PERF_RECORD_UNTHROTTLE;
	r->stats.throttled += !rec->u.throttle.unthrottle;
	return true;
}

static bool parse_ksymbol(struct sf_record *rec, const uint8_t *p, size_t size)
{
	if (size < 16)
		return false;
	rec->u.ksymbol.addr = u64_at(p, 0);
	rec->u.ksymbol.len = u32_at(p, 8);
	rec->u.ksymbol.type = sf_raw16(p + 12, false);
	rec->u.ksymbol.flags = sf_raw16(p + 14, false);
	rec->u.ksymbol.name = text_at(p, size, 16);
	return rec->u.ksymbol.name != NULL;
}

/* i32 pid, u8 id[20], u8 size (if misc says so), 3 bytes, name. */
static bool parse_build_id(struct sf_record *rec, const uint8_t *p, size_t size)
{
	if (size < 28)
		return false;
	rec->u.build_id.pid = u32_at(p, 0);
	rec->u.build_id.build_id = p + 4;
	rec->u.build_id.build_id_size = 20;
	if (rec->misc & 1u << 15 && p[24] < 20)
		rec->u.build_id.build_id_size = p[24];
	rec->u.build_id.filename = text_at(p, size, 28);
	return rec->u.build_id.filename != NULL;
}

/* Whether the type is one that this program knows, if only to pass it on. */
static bool known_type(uint32_t type)
{
	return (type >= PERF_RECORD_MMAP && type <= PERF_RECORD_AUX_OUTPUT_HW_ID) ||
	       (type >= SF_RECORD_HEADER_ATTR && type <= SF_RECORD_COMPRESSED2);
}

static bool parse_body(struct sf_reader *r, const uint8_t *p, size_t size)
{
	struct sf_record *rec = &r->rec;

	switch (rec->type) {
	case PERF_RECORD_MMAP:
	case PERF_RECORD_MMAP2:
		return parse_mmap(r, p, size);
	case PERF_RECORD_COMM:
		return parse_comm(rec, p, size);
	case PERF_RECORD_FORK:
	case PERF_RECORD_EXIT:
		return parse_task(rec, p, size);
	case PERF_RECORD_LOST:
	case PERF_RECORD_LOST_SAMPLES:
		return parse_lost(r, p, size);
	case PERF_RECORD_SWITCH:
	case PERF_RECORD_SWITCH_CPU_WIDE:
		return parse_switch(rec, p, size);
	case PERF_RECORD_THROTTLE:
	case PERF_RECORD_UNTHROTTLE:
		return parse_throttle(r, p, size);
	case PERF_RECORD_KSYMBOL:
		return parse_ksymbol(rec, p, size);
	case SF_RECORD_HEADER_BUILD_ID:
		return parse_build_id(rec, p, size);
	default:
		r->stats.unknown += !known_type(rec->type);
		return true;
	}
}

static int bad_record(struct sf_reader *r)
{
	r->stats.bad++;
	sf_reader_complain(r, r->rec.offset, "a record of type %u has contents that do not fit",
			   r->rec.type);
	return 0;
}

static int parse_sample(struct sf_reader *r, const uint8_t *p, size_t size)
{
	const struct sf_evsel *ev = sf_evlist_of(&r->evlist, p, size, PERF_RECORD_SAMPLE, false);
	int n;

	if (!ev)
		return bad_record(r);
	r->rec.event = &ev->pub;
	n = sf_sample_parse(r, ev, (const uint64_t *)(p + 8), (size - 8) / 8);
	if (!n)
		return bad_record(r);
	if (n < 0)
		return 0;
	r->stats.samples++;
	return 1;
}

static void cut_trailer(struct sf_record *rec, const struct sf_evsel *ev, bool known)
{
	if (ev->trailer_size > rec->body_size)
		return;
	rec->body_size -= ev->trailer_size;
	parse_trailer(rec, ev, rec->body + rec->body_size, known);
}

int sf_record_parse(struct sf_reader *r, const uint8_t *p, size_t size, uint64_t offset)
{
	struct sf_record *rec = &r->rec;
	const struct sf_evsel *ev;

	rec->type = u32_at(p, 0);
	rec->misc = sf_raw16(p + 4, false);
	rec->offset = offset;
	rec->event = NULL;
	rec->has_time = rec->has_tid = rec->has_cpu = false;
	rec->time = 0;
	rec->pid = rec->tid = rec->cpu = 0;
	rec->body = p + 8;
	rec->body_size = size - 8;
	if (rec->type == PERF_RECORD_SAMPLE)
		return parse_sample(r, p, size);
	memset(&rec->u, 0, sizeof(rec->u));
	r->sample_layout = 0;
	if (rec->type < SF_RECORD_HEADER_ATTR && r->evlist.nr) {
		ev = sf_evlist_of(&r->evlist, p, size, rec->type, false);
		cut_trailer(rec, ev ? ev : r->evlist.ev[0], ev != NULL);
	}
	return parse_body(r, rec->body, rec->body_size) ? 1 : bad_record(r);
}
