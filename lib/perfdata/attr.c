/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attrs: struct perf_event_attr as the recorder's kernel had it. It only ever grew at its end, so
 * a shorter one lacks fields, and of a longer one the rest is not needed.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "perfdata/reader_impl.h"

#define ATTR_VER0 64 /* size of the first published one; the oldest files say 0 for it */

static uint64_t reverse_bits(uint64_t v)
{
	v = (v >> 1 & 0x5555555555555555ULL) | (v & 0x5555555555555555ULL) << 1;
	v = (v >> 2 & 0x3333333333333333ULL) | (v & 0x3333333333333333ULL) << 2;
	v = (v >> 4 & 0x0f0f0f0f0f0f0f0fULL) | (v & 0x0f0f0f0f0f0f0f0fULL) << 4;
	return __builtin_bswap64(v);
}

/*
 * The flags are bit fields: the other byte order also counts them from the other end of the u64.
 * precise_ip, bits 15 and 16, is the only one of more than a bit.
 */
static uint64_t swap_flags(uint64_t v)
{
	uint64_t f = reverse_bits(v);

	return (f & ~(3ULL << 15)) | (f >> 15 & 1) << 16 | (f >> 16 & 1) << 15;
}

#define SWAP16(x) ((x) = __builtin_bswap16(x))
#define SWAP32(x) ((x) = __builtin_bswap32((uint32_t)(x)))
#define SWAP64(x) ((x) = __builtin_bswap64(x))

static void swap_attr(struct perf_event_attr *a)
{
	uint64_t flags;

	memcpy(&flags, &a->read_format + 1, sizeof(flags));
	flags = swap_flags(__builtin_bswap64(flags));
	memcpy(&a->read_format + 1, &flags, sizeof(flags));
	SWAP32(a->type);
	SWAP64(a->config);
	SWAP64(a->sample_period);
	SWAP64(a->sample_type);
	SWAP64(a->read_format);
	SWAP32(a->wakeup_events);
	SWAP32(a->bp_type);
	SWAP64(a->config1);
	SWAP64(a->config2);
	SWAP64(a->branch_sample_type);
	SWAP64(a->sample_regs_user);
	SWAP32(a->sample_stack_user);
	SWAP32(a->clockid);
	SWAP64(a->sample_regs_intr);
	SWAP32(a->aux_watermark);
	SWAP16(a->sample_max_stack);
	SWAP32(a->aux_sample_size);
	SWAP64(a->sig_data);
}

uint32_t sf_attr_decode(struct perf_event_attr *attr, const uint8_t *p, size_t max, bool swapped)
{
	uint32_t size;

	memset(attr, 0, sizeof(*attr));
	if (max < ATTR_VER0)
		return 0;
	size = sf_raw32(p + 4, swapped);
	if (!size)
		size = ATTR_VER0;
	if (size < ATTR_VER0 || size > max)
		return 0;
	memcpy(attr, p, size < sizeof(*attr) ? size : sizeof(*attr));
	if (swapped)
		swap_attr(attr);
	attr->size = size;
	return size;
}

static int read_ids(struct sf_reader *r, const uint8_t *p, struct sf_error *err)
{
	struct sf_evsel *ev = r->evlist.ev[r->evlist.nr - 1];
	struct sf_section ids = { sf_raw64(p, r->swapped), sf_raw64(p + 8, r->swapped) };
	const uint8_t *id = sf_header_view(r, ids.offset, ids.size);

	if (!ids.size)
		return 0;
	if (!id) {
		sf_reader_complain(r, ids.offset, "the ids of event %u are outside of the file",
				   ev->pub.index);
		return 0;
	}
	for (uint64_t i = 0; i < ids.size / 8; i++) {
		int ret = sf_evlist_add_id(&r->evlist, ev, sf_raw64(id + 8 * i, r->swapped));

		if (ret)
			return sf_error_at(err, ret, r->path, 0, "has too many event ids");
	}
	return 0;
}

/* One entry: an attr, and the section of its ids in the last 16 bytes. */
static int read_entry(struct sf_reader *r, const uint8_t *p, uint64_t size, struct sf_error *err)
{
	struct perf_event_attr attr;
	int ret;

	if (!sf_attr_decode(&attr, p, (size_t)size - 16, r->swapped))
		return sf_error_at(err, -EINVAL, r->path, 0,
				   "has an event description of the impossible size %" PRIu32,
				   sf_raw32(p + 4, r->swapped));
	ret = sf_evlist_add(&r->evlist, &attr);
	if (ret)
		return sf_error_at(err, ret, r->path, 0, "has too many events");
	return read_ids(r, p + size - 16, err);
}

int sf_attr_read(struct sf_reader *r, struct sf_error *err)
{
	const struct sf_section *s = &r->header.attrs;
	uint64_t step = r->header.attr_size;
	const uint8_t *p;

	if (step < ATTR_VER0 + 16 || step > 65536 || s->size % step || !s->size)
		return sf_error_at(err, -EINVAL, r->path, 0,
				   "has an event table of %" PRIu64
				   " bytes with entries of %" PRIu64,
				   s->size, step);
	p = sf_header_view(r, s->offset, s->size);
	if (!p)
		return sf_error_at(err, -EINVAL, r->path, 0, "ends before its event table");
	for (uint64_t at = 0; at < s->size; at += step) {
		int ret = read_entry(r, p + at, step, err);

		if (ret)
			return ret;
	}
	if (r->evlist.nr > 1 &&
	    !(r->evlist.ev[0]->pub.sample_type & (PERF_SAMPLE_ID | PERF_SAMPLE_IDENTIFIER)))
		sf_reader_complain(r, s->offset,
				   "samples have no id: all are taken for the first of %zu events",
				   r->evlist.nr);
	return 0;
}
