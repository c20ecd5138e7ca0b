/* SPDX-License-Identifier: GPL-2.0-only */
/* Integers in a file of either byte order, at any address. */
#ifndef PERFDATA_RAW_H
#define PERFDATA_RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t sf_raw16(const void *p, bool swapped)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return swapped ? __builtin_bswap16(v) : v;
}

static inline uint32_t sf_raw32(const void *p, bool swapped)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return swapped ? __builtin_bswap32(v) : v;
}

static inline uint64_t sf_raw64(const void *p, bool swapped)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return swapped ? __builtin_bswap64(v) : v;
}

/* Reads a structure piece by piece; reading past the end gives zeroes and sets short_. */
struct sf_cursor {
	const uint8_t *p, *end;
	bool swapped, short_;
};

static inline const uint8_t *sf_cursor_take(struct sf_cursor *c, uint64_t size)
{
	const uint8_t *p = c->p;

	if (c->short_ || size > (uint64_t)(c->end - c->p)) {
		c->short_ = true;
		return NULL;
	}
	c->p += size;
	return p;
}

static inline uint32_t sf_cursor_u32(struct sf_cursor *c)
{
	const uint8_t *p = sf_cursor_take(c, 4);

	return p ? sf_raw32(p, c->swapped) : 0;
}

static inline uint64_t sf_cursor_u64(struct sf_cursor *c)
{
	const uint8_t *p = sf_cursor_take(c, 8);

	return p ? sf_raw64(p, c->swapped) : 0;
}

#endif
