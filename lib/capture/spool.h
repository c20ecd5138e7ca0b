/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where raw data goes in a window: anonymous memory in chunks, each with a source, appended by one
 * thread. A memfd: it is never the disk under test, a child of a killed recorder still has it, and it
 * is gone with the last process that does.
 */
#ifndef SF_CAPTURE_SPOOL_H
#define SF_CAPTURE_SPOOL_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

enum sf_chunk_kind {
	SF_CHUNK_PERF = 1, /* whole perf records of the ring source */
	SF_CHUNK_FTRACE,   /* whole sub-buffers of CPU source */
	SF_CHUNK_POLL,     /* struct sf_poll_rec and what follows it */
	SF_CHUNK_JOURNAL,  /* from here on: journal.c's own */
};

struct sf_chunk {
	uint32_t kind, source;
	uint64_t size; /* of the data behind, without the padding to 8 */
};

struct sf_spool {
	int fd;
	uint64_t first;         /* where the first chunk lies: what was before is forgotten */
	uint64_t size;          /* end of the last chunk */
	uint64_t refused;       /* chunks that were dropped: the limit was reached */
	atomic_uint_fast64_t *used; /* shared by all spools of a capture */
	uint64_t max;
};

int sf_spool_open(struct sf_spool *s, const char *name, uint64_t max, atomic_uint_fast64_t *used);
void sf_spool_close(struct sf_spool *s);

/* Append a chunk of two pieces (the second may be empty: len2 0). -ENOSPC at the limit. */
int sf_spool_add(struct sf_spool *s, uint32_t kind, uint32_t source, const void *data, size_t len,
		 const void *data2, size_t len2);

/* Give back the memory of all chunks before the one at offset; by who calls sf_spool_map(). */
void sf_spool_forget(struct sf_spool *s, uint64_t offset);
/*
 * In another process that has the memfd: see what was written to it since, up to the last whole
 * chunk. Its first one lies at first.
 */
int sf_spool_catch_up(struct sf_spool *s, uint64_t first);

/* The spool as memory, read only; for reading when nobody appends. */
struct sf_spool_map {
	const uint8_t *base;
	uint64_t size, at;
};

int sf_spool_map(const struct sf_spool *s, struct sf_spool_map *m);
void sf_spool_unmap(struct sf_spool_map *m);
/* The next chunk and its data; NULL at the end. */
const struct sf_chunk *sf_spool_next(struct sf_spool_map *m, const uint8_t **data);

#endif
