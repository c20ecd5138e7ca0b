/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory for records that are not in a mapped file: blocks of 1 MiB, aligned to their size so that
 * a pointer into one leads to its head. A chunk lives while it is being filled and while a record
 * in it waits for delivery; then it is used again.
 */
#ifndef PERFDATA_CHUNK_H
#define PERFDATA_CHUNK_H

#include <stddef.h>
#include <stdint.h>

#define SF_CHUNK_SIZE (1u << 20)

struct sf_chunk {
	struct sf_chunk *next; /* in the free list */
	struct sf_chunk *made; /* the one made before it */
	uint64_t base;	       /* where data[0] was in the stream */
	uint32_t refs;
	uint32_t fill; /* bytes of data that are real */
	uint64_t data[];
};

#define SF_CHUNK_ROOM (SF_CHUNK_SIZE - sizeof(struct sf_chunk))

struct sf_chunks {
	struct sf_chunk *free, *made;
	size_t live; /* chunks with references */
};

static inline struct sf_chunk *sf_chunk_of(const void *p)
{
	return (struct sf_chunk *)((uintptr_t)p & ~(uintptr_t)(SF_CHUNK_SIZE - 1));
}

static inline uint64_t sf_chunk_offset(const void *p)
{
	const struct sf_chunk *c = sf_chunk_of(p);

	return c->base + (uint64_t)((const char *)p - (const char *)c->data);
}

/* A chunk with one reference, or NULL. */
struct sf_chunk *sf_chunk_get(struct sf_chunks *all);
/* Drops one reference; NULL is fine. */
void sf_chunk_put(struct sf_chunks *all, struct sf_chunk *c);
void sf_chunks_release(struct sf_chunks *all); /* frees all, with references or without */

/*
 * A window over a stream of bytes: contiguous pieces of it on demand, in chunks. fill reads up to
 * size bytes into buf and returns how many, 0 at the end, or a negative errno.
 */
struct sf_spool {
	struct sf_chunks *chunks;
	int (*fill)(void *ctx, void *buf, size_t size);
	void *ctx;
	struct sf_chunk *chunk;
	size_t at;	/* of the next byte in the chunk */
	uint64_t start; /* what the stream's first byte is counted as */
	int error;	/* what fill failed with */
};

/* size (≤ 64 KiB) contiguous bytes, aligned as in the stream; NULL where so many do not come. */
const uint8_t *sf_spool_peek(struct sf_spool *w, size_t size);
/* Bytes that are there without reading: after a peek that came out short. */
size_t sf_spool_avail(const struct sf_spool *w);
void sf_spool_advance(struct sf_spool *w, size_t size); /* at most what was peeked */
/* Passes over size bytes; 0, or -ENODATA where the stream ends before. */
int sf_spool_skip(struct sf_spool *w, uint64_t size);
/* Takes size bytes of any number out of the stream into buf; returns how many came. */
size_t sf_spool_read(struct sf_spool *w, void *buf, size_t size);
uint64_t sf_spool_offset(const struct sf_spool *w);
void sf_spool_release(struct sf_spool *w);

#endif
