/* SPDX-License-Identifier: GPL-2.0-only */
/* Makes small perf.data files, right ones and wrong ones, in either byte order. */
#ifndef UNIT_PERFBUILD_H
#define UNIT_PERFBUILD_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <snapflame/array.h>

struct pb {
	uint8_t *p;
	size_t nr, alloc;
	bool swap;
	size_t record; /* where the one that is being made begins */
};

static inline void pb_bytes(struct pb *b, const void *data, size_t size)
{
	assert_int_equal(SF_GROW(b->p, b->nr + size + 1, b->alloc), 0);
	if (size)
		memcpy(b->p + b->nr, data, size);
	b->nr += size;
}

static inline void pb_u16(struct pb *b, uint16_t v)
{
	v = b->swap ? __builtin_bswap16(v) : v;
	pb_bytes(b, &v, sizeof(v));
}

static inline void pb_u32(struct pb *b, uint32_t v)
{
	v = b->swap ? __builtin_bswap32(v) : v;
	pb_bytes(b, &v, sizeof(v));
}

static inline void pb_u64(struct pb *b, uint64_t v)
{
	v = b->swap ? __builtin_bswap64(v) : v;
	pb_bytes(b, &v, sizeof(v));
}

/* Text with its terminator, padded with zeroes to a multiple of 8. */
static inline void pb_text(struct pb *b, const char *text)
{
	pb_bytes(b, text, strlen(text) + 1);
	while ((b->nr - b->record) % 8)
		pb_bytes(b, "", 1);
}

static inline void pb_begin(struct pb *b, uint32_t type, uint16_t misc)
{
	b->record = b->nr;
	pb_u32(b, type);
	pb_u16(b, misc);
	pb_u16(b, 0);
}

static inline void pb_end(struct pb *b)
{
	uint16_t size = (uint16_t)(b->nr - b->record);

	if (b->swap)
		size = __builtin_bswap16(size);
	memcpy(b->p + b->record + 6, &size, sizeof(size));
}

/* Bit fields of the other byte order are counted from the other end. */
static inline uint64_t pb_flags(const struct perf_event_attr *a, bool swap)
{
	uint64_t flags, out = 0;

	memcpy(&flags, &a->read_format + 1, sizeof(flags));
	if (!swap)
		return flags;
	for (unsigned i = 0; i < 64; i++)
		if (i != 15 && i != 16 && flags >> i & 1)
			out |= 1ULL << (63 - i);
	return out | (uint64_t)a->precise_ip << (64 - 15 - 2);
}

#define PB_ATTR 128

static inline void pb_attr(struct pb *b, const struct perf_event_attr *a)
{
	pb_u32(b, a->type);
	pb_u32(b, PB_ATTR);
	pb_u64(b, a->config);
	pb_u64(b, a->sample_period);
	pb_u64(b, a->sample_type);
	pb_u64(b, a->read_format);
	pb_u64(b, pb_flags(a, b->swap));
	pb_u32(b, a->wakeup_events);
	pb_u32(b, a->bp_type);
	pb_u64(b, a->config1);
	pb_u64(b, a->config2);
	pb_u64(b, a->branch_sample_type);
	pb_u64(b, a->sample_regs_user);
	pb_u32(b, a->sample_stack_user);
	pb_u32(b, (uint32_t)a->clockid);
	pb_u64(b, a->sample_regs_intr);
	pb_u32(b, a->aux_watermark);
	pb_u16(b, a->sample_max_stack);
	pb_u16(b, 0);
	pb_u32(b, a->aux_sample_size);
	pb_u32(b, 0);
	pb_u64(b, 0);
}

/* A file of PERFILE2: event i has the id 100 + i. feature is the payload of one feature, or NULL.
 */
static inline void pb_file(struct pb *b, const struct perf_event_attr *attr, size_t nr,
			   const struct pb *data, unsigned feature_bit, const struct pb *feature)
{
	uint64_t ids = 104, attrs = ids + 8 * nr, start = attrs + nr * (PB_ATTR + 16);

	pb_u64(b, 0x32454c4946524550ULL); /* "PERFILE2" */
	pb_u64(b, 104);
	pb_u64(b, PB_ATTR + 16);
	pb_u64(b, attrs);
	pb_u64(b, nr * (PB_ATTR + 16));
	pb_u64(b, start);
	pb_u64(b, data->nr);
	pb_u64(b, 0);
	pb_u64(b, 0);
	for (unsigned i = 0; i < 4; i++)
		pb_u64(b, feature && feature_bit / 64 == i ? 1ULL << feature_bit % 64 : 0);
	for (size_t i = 0; i < nr; i++)
		pb_u64(b, 100 + i);
	for (size_t i = 0; i < nr; i++) {
		pb_attr(b, &attr[i]);
		pb_u64(b, ids + 8 * i);
		pb_u64(b, 8);
	}
	pb_bytes(b, data->p, data->nr);
	if (!feature)
		return;
	pb_u64(b, start + data->nr + 16);
	pb_u64(b, feature->nr);
	pb_bytes(b, feature->p, feature->nr);
}

static inline void pb_pipe_header(struct pb *b)
{
	pb_u64(b, 0x32454c4946524550ULL);
	pb_u64(b, 16);
}

static inline void pb_release(struct pb *b)
{
	free(b->p);
	*b = (struct pb){ .swap = b->swap };
}

/* Writes size bytes into a new temporary file; path is for unlink(). */
static inline void pb_save(const void *data, size_t size, char path[64])
{
	int fd;

	strcpy(path, "/tmp/snapflame-unit.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
	close(fd);
}

#endif
