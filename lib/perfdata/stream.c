/* SPDX-License-Identifier: GPL-2.0-only */
#include "perfdata/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "perfdata/compress.h"
#include "perfdata/reader_impl.h"

/*
 * What may wait to be sorted, in all: records (32 bytes each while they are sorted) and chunks (1
 * MiB each). A round of perf record stays far below; files without rounds are sorted as far as this
 * goes.
 */
#define MAX_WAITING (1500u * 1000)
#define MAX_CHUNKS  48

/* Bytes of a mapped file that are touched before its pages are let go. */
#define PAGES_KEPT (32u << 20)

/* Bytes that the processor is told of before they are read; past the end does no harm. */
#define AHEAD 1024

/* A place in struct sf_pending is an offset in the map, or with this bit a pointer into a chunk. */
#define IN_CHUNK (1ULL << 63)

/* Results of reading, beside 1 for a record that is due at once and negative errno. */
enum { END = 0, AGAIN = 2 };

static int fill_from_input(void *ctx, void *buf, size_t size)
{
	struct sf_stream *s = ctx;
	int n;

	if (size > s->left)
		size = (size_t)s->left;
	n = sf_input_read(s->in, buf, size);
	if (n > 0 && s->left != UINT64_MAX)
		s->left -= (uint64_t)n;
	return n;
}

int sf_stream_new(struct sf_stream **ret, struct sf_reader *r, struct sf_input *in, uint64_t start,
		  uint64_t end)
{
	struct sf_stream *s = calloc(1, sizeof(*s));

	*ret = s;
	if (!s) {
		sf_input_free(in);
		return -ENOMEM;
	}
	s->reader = r;
	s->in = in;
	s->map = sf_input_map(in);
	s->pos = start;
	s->end = end;
	s->left = end == UINT64_MAX ? end : end - start;
	s->max_waiting = MAX_WAITING;
	s->window = (struct sf_spool){
		.chunks = &r->chunks, .fill = fill_from_input, .ctx = s, .start = start
	};
	return 0;
}

void sf_stream_free(struct sf_stream *s)
{
	if (!s)
		return;
	sf_order_release(&s->order); /* the reader frees chunks as a whole */
	sf_inflow_free(s->inflow);
	sf_spool_release(&s->window);
	sf_input_free(s->in);
	free(s);
}

void sf_stream_share(struct sf_stream *s, size_t nr)
{
	s->max_waiting = MAX_WAITING / nr + 64;
}

static void touch(struct sf_stream *s, size_t bytes)
{
	s->touched += bytes;
	if (s->touched < PAGES_KEPT)
		return;
	sf_input_drop_pages(s->in, s->pos);
	s->touched = 0;
}

static void fill_raw(struct sf_raw *raw, const uint8_t *p, bool swapped)
{
	raw->p = p;
	raw->type = sf_raw32(p, swapped);
	raw->size = sf_raw16(p + 6, swapped);
}

static int truncated(struct sf_reader *r, uint64_t offset)
{
	r->stats.truncated = true;
	sf_reader_complain(r, offset, "the recording ends in the middle of a record");
	return END;
}

/* A size below that of the header: where the next record begins cannot be known. */
static int lost_track(struct sf_reader *r, uint64_t offset, const struct sf_raw *raw)
{
	/* What perf record had not written when it was killed is often zeroes. */
	if (r->stats.unfinished && !raw->type && !raw->size)
		return truncated(r, offset);
	r->stats.bad++;
	return sf_reader_give_up(
		r, -EBADMSG, offset,
		"a record of type %u has the impossible size %u: all behind it is lost", raw->type,
		raw->size);
}

static int read_map(struct sf_stream *s, struct sf_raw *raw)
{
	uint64_t left = s->end - s->pos;

	if (left < 8)
		return left ? truncated(s->reader, s->pos) : END;
	__builtin_prefetch(s->map + s->pos + AHEAD);
	fill_raw(raw, s->map + s->pos, s->reader->swapped);
	raw->offset = s->pos;
	raw->window = NULL;
	raw->chunk = NULL;
	if (raw->size < 8)
		return lost_track(s->reader, s->pos, raw);
	if (raw->size > left)
		return truncated(s->reader, s->pos);
	s->pos += raw->size;
	touch(s, raw->size);
	return 1;
}

/* END also where the window has only a part of a record. */
static int read_window(struct sf_stream *s, struct sf_spool *w, struct sf_raw *raw)
{
	const uint8_t *p = sf_spool_peek(w, 8);

	if (!p)
		return END;
	fill_raw(raw, p, s->reader->swapped);
	raw->offset = sf_spool_offset(w);
	if (raw->size < 8)
		return lost_track(s->reader, raw->offset, raw);
	raw->p = sf_spool_peek(w, raw->size);
	if (!raw->p)
		return END;
	raw->window = w;
	raw->chunk = w->chunk;
	raw->chunk->refs++;
	sf_spool_advance(w, raw->size);
	return 1;
}

static int window_ended(struct sf_stream *s, const struct sf_spool *w)
{
	struct sf_reader *r = s->reader;

	if (w->error == -EBADMSG || w->error == -ENODATA)
		return sf_reader_give_up(r, w->error, sf_spool_offset(w), "the recording %s",
					 w == &s->window ? sf_input_error(s->in)
							 : "is damaged inside a COMPRESSED record");
	if (w->error)
		return sf_reader_give_up(r, w->error, sf_spool_offset(w), "%s",
					 strerror(-w->error));
	return sf_spool_avail(w) ? truncated(r, sf_spool_offset(w)) : END;
}

static int read_raw(struct sf_stream *s, struct sf_raw *raw)
{
	int n;

	if (s->inflow) {
		n = read_window(s, &s->inflow->window, raw);
		if (n != END)
			return n;
		if (s->inflow->window.error)
			return window_ended(s, &s->inflow->window);
	}
	n = s->map ? read_map(s, raw) : read_window(s, &s->window, raw);
	if (n != END)
		return n;
	if (!s->map)
		n = window_ended(s, &s->window);
	if (n == END && s->inflow)
		n = window_ended(s, &s->inflow->window);
	if (n == END && s->left && s->left != UINT64_MAX && !s->map)
		return truncated(s->reader, sf_spool_offset(&s->window));
	return n;
}

/* size bytes behind the record are no records. */
static int skip_payload(struct sf_stream *s, const struct sf_raw *raw, uint64_t size)
{
	if (raw->window)
		return sf_spool_skip(raw->window, size);
	if (size > s->end - s->pos)
		return -ENODATA;
	s->pos += size;
	return 0;
}

static int auxtrace(struct sf_stream *s, const struct sf_raw *raw)
{
	struct sf_reader *r = s->reader;

	r->stats.aux_skipped++;
	if (raw->size < 16 || skip_payload(s, raw, sf_raw64(raw->p + 8, r->swapped)))
		return truncated(r, raw->offset);
	return 1;
}

/*
 * TRACING_DATA: header, u32 size, and size bytes behind the record. simpleperf has the bytes in the
 * record itself, where they begin as the tracing data of any file does.
 */
static int tracing_data(struct sf_stream *s, const struct sf_raw *raw)
{
	struct sf_reader *r = s->reader;
	uint8_t *copy;
	size_t got;
	uint32_t size;

	if (raw->size < 12)
		return truncated(r, raw->offset);
	if (sf_tracing_looks_like(raw->p + 12, raw->size - 12)) {
		sf_user_tracing(r, raw->p + 12, raw->size - 12, raw->offset);
		return 1;
	}
	size = sf_raw32(raw->p + 8, r->swapped);
	if (size > SF_MAX_TRACING)
		return skip_payload(s, raw, size) ? truncated(r, raw->offset) : 1;
	if (!raw->window) {
		if (skip_payload(s, raw, size))
			return truncated(r, raw->offset);
		sf_user_tracing(r, s->map + s->pos - size, size, raw->offset);
		return 1;
	}
	copy = malloc(size + 1);
	if (!copy)
		return -ENOMEM;
	got = sf_spool_read(raw->window, copy, size);
	if (got == size)
		sf_user_tracing(r, copy, size, raw->offset);
	free(copy);
	return got == size ? 1 : truncated(r, raw->offset);
}

/* COMPRESSED is data to the record's end; COMPRESSED2 says how many bytes of it are real. */
static int compressed(struct sf_stream *s, const struct sf_raw *raw)
{
	struct sf_reader *r = s->reader;
	const uint8_t *p = raw->p + 8;
	uint64_t size = raw->size - 8;
	int err;

	if (raw->type == SF_RECORD_COMPRESSED2) {
		if (size < 8 || sf_raw64(p, r->swapped) > size - 8) {
			r->stats.bad++;
			return sf_reader_give_up(r, -EBADMSG, raw->offset,
						 "a COMPRESSED2 record is shorter than its data");
		}
		size = sf_raw64(p, r->swapped);
		p += 8;
	}
	/* perf does not nest them, and what is being unpacked cannot be fed to itself. */
	if (raw->window && s->inflow && raw->window == &s->inflow->window) {
		r->stats.bad++;
		sf_reader_complain(r, raw->offset, "a COMPRESSED record inside another is skipped");
		return 1;
	}
	if (!s->inflow) {
		err = sf_inflow_new(&s->inflow, &r->chunks);
		if (err == -ENOTSUP)
			return sf_reader_give_up(r, err, raw->offset,
						 "the records are compressed with zstd, which this "
						 "snapflame was built without");
		if (err)
			return err;
	}
	sf_inflow_feed(s->inflow, p, size);
	return 1;
}

static int user_record(struct sf_stream *s, const struct sf_raw *raw)
{
	switch (raw->type) {
	case SF_RECORD_FINISHED_ROUND:
		return sf_order_round(&s->order) ? -ENOMEM : 1;
	case SF_RECORD_AUXTRACE:
		return auxtrace(s, raw);
	case SF_RECORD_HEADER_TRACING_DATA:
		return tracing_data(s, raw);
	case SF_RECORD_COMPRESSED:
	case SF_RECORD_COMPRESSED2:
		return compressed(s, raw);
	default:
		sf_user_record(s->reader, raw->type, raw->p, raw->size, raw->offset);
		return 1;
	}
}

static int enqueue(struct sf_stream *s, const struct sf_raw *raw, uint64_t time)
{
	uint64_t place = raw->chunk ? (uint64_t)(uintptr_t)raw->p | IN_CHUNK : raw->offset;

	return sf_order_add(&s->order, time, place) ? -ENOMEM : AGAIN;
}

/* Reads one record: 1 (due at once), AGAIN (it waits, or was bad), END, negative errno. */
static int take_in(struct sf_stream *s, struct sf_raw *raw)
{
	struct sf_reader *r = s->reader;
	uint64_t time = SF_NO_TIME;
	int n = read_raw(s, raw);

	if (n != 1)
		return n;
	r->stats.records++;
	r->stats.bytes += raw->size;
	if (raw->type >= SF_RECORD_HEADER_ATTR)
		return user_record(s, raw);
	time = sf_evlist_time(&r->evlist, raw->p, raw->size, raw->type, r->swapped);
	if (time == SF_BAD_RECORD) {
		r->stats.bad++;
		sf_reader_complain(r, raw->offset,
				   "a record of type %u is too short or of an unknown event",
				   raw->type);
		sf_chunk_put(&r->chunks, raw->chunk);
		return AGAIN;
	}
	if (time == SF_NO_TIME || r->unordered)
		return 1;
	return enqueue(s, raw, time);
}

static void pop(struct sf_stream *s, struct sf_raw *raw, uint64_t *time)
{
	const struct sf_pending *p = &s->order.item[s->order.head++];

	if (s->map && s->order.head + 4 < s->order.ready && !(p[4].place & IN_CHUNK))
		__builtin_prefetch(s->map + p[4].place);
	*time = p->time;
	raw->window = NULL;
	if (p->place & IN_CHUNK) {
		fill_raw(raw, (const uint8_t *)(uintptr_t)(p->place & ~IN_CHUNK),
			 s->reader->swapped);
		raw->chunk = sf_chunk_of(raw->p);
		raw->offset = sf_chunk_offset(raw->p);
		return;
	}
	fill_raw(raw, s->map + p->place, s->reader->swapped);
	raw->chunk = NULL;
	raw->offset = p->place;
	touch(s, raw->size);
}

static bool too_many_waiting(const struct sf_stream *s)
{
	const struct sf_reader *r = s->reader;
	size_t waiting = sf_order_waiting(&s->order);

	return waiting >= s->max_waiting ||
	       (waiting && r->chunks.live > MAX_CHUNKS + r->nr_streams);
}

int sf_stream_next(struct sf_stream *s, struct sf_raw *raw, uint64_t *time)
{
	for (;;) {
		int n;

		if (s->order.head < s->order.ready) {
			pop(s, raw, time);
			return 1;
		}
		if (s->ended)
			return 0;
		n = too_many_waiting(s) ? sf_order_half(&s->order) : take_in(s, raw);
		if (n == 1) {
			*time = SF_NO_TIME;
			return 1;
		}
		if (n == AGAIN || (!n && s->order.head < s->order.ready))
			continue;
		/* The end, or an error: what waits is delivered first. */
		s->ended = true;
		if (n < 0 && !s->reader->fatal)
			sf_reader_give_up(s->reader, n, 0, "%s", strerror(-n));
		if (sf_order_all(&s->order))
			return -ENOMEM;
	}
}
