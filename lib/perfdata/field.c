/* SPDX-License-Identifier: GPL-2.0-only */
/* Values of tracepoint fields in RAW data. */
#include <string.h>

#include "perfdata/reader_impl.h"

struct sf_field sf_reader_field(const struct sf_reader *r, const struct sf_event *event,
				const char *name)
{
	struct sf_field none = { 0 };

	if (!r->tracing || !event || event->attr.type != PERF_TYPE_TRACEPOINT)
		return none;
	return sf_tracing_field(sf_tracing_format(r->tracing, event->attr.config), name);
}

static bool inside(uint64_t offset, uint64_t size, uint32_t raw_size)
{
	return offset <= raw_size && size <= raw_size - offset;
}

int64_t sf_field_int(const struct sf_reader *r, const struct sf_field *f, const uint8_t *raw,
		     uint32_t raw_size)
{
	const uint8_t *p;
	uint64_t v, sign;

	if (!raw || !f->size || !inside(f->offset, f->size, raw_size))
		return 0;
	p = raw + f->offset;
	switch (f->size) {
	case 1:
		v = *p;
		break;
	case 2:
		v = sf_raw16(p, r->swapped);
		break;
	case 4:
		v = sf_raw32(p, r->swapped);
		break;
	case 8:
		v = sf_raw64(p, r->swapped);
		break;
	default:
		return 0;
	}
	sign = 1ULL << (8 * f->size - 1);
	return (int64_t)(f->is_signed ? (v ^ sign) - sign : v);
}

/* A dynamic field is a u32: length << 16 | offset, from the start or from the field's own end. */
const char *sf_field_str(const struct sf_reader *r, const struct sf_field *f, const uint8_t *raw,
			 uint32_t raw_size, size_t *len)
{
	uint64_t offset = f->offset, size = f->size;

	*len = 0;
	if (!raw || !f->size || !inside(offset, size, raw_size))
		return NULL;
	if (f->is_dynamic) {
		uint32_t where = size == 4 ? sf_raw32(raw + offset, r->swapped) : 0;

		offset = (where & 0xffff) + (f->is_relative ? offset + size : 0);
		size = where >> 16;
		if (!inside(offset, size, raw_size))
			return NULL;
	}
	*len = strnlen((const char *)raw + offset, (size_t)size);
	return (const char *)raw + offset;
}
