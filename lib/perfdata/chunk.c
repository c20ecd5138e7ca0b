/* SPDX-License-Identifier: GPL-2.0-only */
#include "perfdata/chunk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct sf_chunk *sf_chunk_get(struct sf_chunks *all)
{
	struct sf_chunk *c = all->free;

	if (c) {
		all->free = c->next;
	} else {
		c = aligned_alloc(SF_CHUNK_SIZE, SF_CHUNK_SIZE);
		if (!c)
			return NULL;
		c->made = all->made;
		all->made = c;
	}
	c->next = NULL;
	c->base = 0;
	c->refs = 1;
	c->fill = 0;
	all->live++;
	return c;
}

void sf_chunk_put(struct sf_chunks *all, struct sf_chunk *c)
{
	if (!c || --c->refs)
		return;
	all->live--;
	c->next = all->free;
	all->free = c;
}

void sf_chunks_release(struct sf_chunks *all)
{
	while (all->made) {
		struct sf_chunk *next = all->made->made;

		free(all->made);
		all->made = next;
	}
	all->free = NULL;
}

/*
 * Room for size bytes from the current place on. What is left of the old chunk moves to the start
 * of a new one, at the same distance from a multiple of 8.
 */
static int make_room(struct sf_spool *w, size_t size)
{
	struct sf_chunk *old = w->chunk, *c;
	size_t left = sf_spool_avail(w), shift = old ? w->at & 7 : w->start & 7;

	if (old && old->refs == 1 && !left) {
		old->base += w->at - shift;
		old->fill = (uint32_t)shift;
		w->at = shift;
	}
	if (old && SF_CHUNK_ROOM - w->at >= size)
		return 0;
	c = sf_chunk_get(w->chunks);
	if (!c)
		return -ENOMEM;
	c->base = w->start - shift;
	if (old) {
		c->base = old->base + w->at - shift;
		memcpy((char *)c->data + shift, (char *)old->data + w->at, left);
		sf_chunk_put(w->chunks, old);
	}
	c->fill = (uint32_t)(shift + left);
	w->at = shift;
	w->chunk = c;
	return 0;
}

/* One more read into the chunk; the number of bytes, 0 at the end or after an error. */
static size_t read_more(struct sf_spool *w)
{
	struct sf_chunk *c = w->chunk;
	int n;

	if (w->error)
		return 0;
	n = w->fill(w->ctx, (char *)c->data + c->fill, SF_CHUNK_ROOM - c->fill);
	if (n < 0) {
		w->error = n;
		return 0;
	}
	c->fill += (uint32_t)n;
	return (size_t)n;
}

const uint8_t *sf_spool_peek(struct sf_spool *w, size_t size)
{
	while (sf_spool_avail(w) < size) {
		int err = make_room(w, size);

		if (err) {
			w->error = err;
			return NULL;
		}
		if (!read_more(w))
			return NULL;
	}
	return (const uint8_t *)w->chunk->data + w->at;
}

size_t sf_spool_avail(const struct sf_spool *w)
{
	return w->chunk ? w->chunk->fill - w->at : 0;
}

void sf_spool_advance(struct sf_spool *w, size_t size)
{
	w->at += size;
}

/* What is there of the next size bytes, at least one unless the stream ended. */
static size_t some(struct sf_spool *w, uint64_t size)
{
	size_t n = sf_spool_avail(w);

	if (!n && sf_spool_peek(w, 1))
		n = sf_spool_avail(w);
	return n < size ? n : (size_t)size;
}

int sf_spool_skip(struct sf_spool *w, uint64_t size)
{
	while (size) {
		size_t n = some(w, size);

		if (!n)
			return -ENODATA;
		w->at += n;
		size -= n;
	}
	return 0;
}

size_t sf_spool_read(struct sf_spool *w, void *buf, size_t size)
{
	size_t done = 0;

	while (done < size) {
		size_t n = some(w, size - done);

		if (!n)
			break;
		memcpy((char *)buf + done, (char *)w->chunk->data + w->at, n);
		w->at += n;
		done += n;
	}
	return done;
}

uint64_t sf_spool_offset(const struct sf_spool *w)
{
	return w->chunk ? w->chunk->base + w->at : w->start;
}

void sf_spool_release(struct sf_spool *w)
{
	sf_chunk_put(w->chunks, w->chunk);
	w->chunk = NULL;
	w->at = 0;
}
