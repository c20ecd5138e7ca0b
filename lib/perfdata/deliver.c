/* SPDX-License-Identifier: GPL-2.0-only */
/* From raw records, of one stream or of several, to what sf_reader_next() returns. */
#include <errno.h>
#include <string.h>

#include "perfdata/reader_impl.h"

static int fill_front(struct sf_reader *r, size_t i)
{
	struct sf_front *f = &r->front[i];
	int n = sf_stream_next(r->stream[i], &f->raw, &f->time);

	f->state = n == 1 ? SF_FRONT_FULL : SF_FRONT_ENDED;
	return n < 0 ? n : 0;
}

/* Of a directory: the oldest record of any file. Those without a time come first. */
static int next_of_many(struct sf_reader *r, struct sf_raw *raw, uint64_t *time)
{
	struct sf_front *best = NULL;

	for (size_t i = 0; i < r->nr_streams; i++) {
		struct sf_front *f = &r->front[i];
		int err = f->state == SF_FRONT_EMPTY ? fill_front(r, i) : 0;

		if (err)
			return err;
		if (f->state != SF_FRONT_FULL)
			continue;
		if (f->time == SF_NO_TIME) {
			best = f;
			break;
		}
		if (!best || f->time < best->time)
			best = f;
	}
	if (!best)
		return 0;
	*raw = best->raw;
	*time = best->time;
	best->state = SF_FRONT_EMPTY;
	return 1;
}

static int next_raw(struct sf_reader *r, struct sf_raw *raw, uint64_t *time)
{
	if (r->nr_streams == 1)
		return sf_stream_next(r->stream[0], raw, time);
	return next_of_many(r, raw, time);
}

/* The record where it lies, or a copy that is aligned and in native byte order. */
static const uint8_t *native(struct sf_reader *r, const struct sf_raw *raw)
{
	const struct sf_evsel *ev;

	if (!r->swapped && !((uintptr_t)raw->p & 7))
		return raw->p;
	memcpy(r->scratch, raw->p, raw->size);
	if (r->swapped) {
		ev = sf_evlist_of(&r->evlist, raw->p, raw->size, raw->type, true);
		if (!ev && r->evlist.nr && raw->type != PERF_RECORD_SAMPLE)
			ev = r->evlist.ev[0];
		sf_swap_record(r, (uint8_t *)r->scratch, raw->size, ev);
	}
	return (const uint8_t *)r->scratch;
}

/* The entries of the BUILD_ID section are records, of no type in the oldest files. */
static bool next_build_id(struct sf_reader *r)
{
	const struct sf_view *v = &r->features.build_ids;
	uint64_t *at = &r->features.build_id_at;

	while (v->size - *at >= 8) {
		uint32_t type = SF_RECORD_HEADER_BUILD_ID;
		uint16_t size = sf_raw16(v->data + *at + 6, r->swapped);
		uint64_t offset = v->offset + *at;

		if (size < 8 || size > v->size - *at) {
			sf_reader_complain(r, offset, "the build ids are cut off");
			break;
		}
		memcpy(r->scratch, v->data + *at, size);
		*at += size;
		if (r->swapped)
			type = __builtin_bswap32(type);
		memcpy(r->scratch, &type, sizeof(type));
		if (r->swapped)
			sf_swap_record(r, (uint8_t *)r->scratch, size, NULL);
		if (sf_record_parse(r, (const uint8_t *)r->scratch, size, offset))
			return true;
	}
	r->features.build_ids = (struct sf_view){ 0 };
	return false;
}

static bool next_record(struct sf_reader *r, int *err)
{
	struct sf_raw raw;
	uint64_t time;
	int n;

	while ((n = next_raw(r, &raw, &time)) == 1) {
		if (sf_record_parse(r, native(r, &raw), raw.size, raw.offset)) {
			r->held = raw.chunk;
			if (time != SF_NO_TIME) {
				r->stats.out_of_order += time < r->last_time;
				if (time > r->last_time)
					r->last_time = time;
			}
			return true;
		}
		sf_chunk_put(&r->chunks, raw.chunk);
	}
	*err = n;
	return false;
}

/* In a file that came through a pipe the features come last: better late than never. */
static void read_late_features(struct sf_reader *r)
{
	struct sf_stream *s = r->stream[0];

	if (r->ended || r->header.pipe || s->map || r->tail.data || r->fatal ||
	    r->stats.truncated || r->stats.unfinished)
		return;
	sf_header_read_tail(r, s->in);
	sf_feature_read_all(r);
}

int sf_reader_next(struct sf_reader *r, const struct sf_record **rec, struct sf_error *err)
{
	int n = 0;

	*rec = &r->rec;
	if (r->group.left && sf_sample_next_member(r) == 1) {
		r->stats.samples++;
		return 1;
	}
	sf_chunk_put(&r->chunks, r->held);
	r->held = NULL;
	if (r->features.build_ids.size && next_build_id(r))
		return 1;
	if (!r->ended && next_record(r, &n))
		return 1;
	if (n < 0)
		return sf_error_at(err, n, r->path, 0, "%s", strerror(-n));
	read_late_features(r);
	r->ended = true;
	if (r->features.build_ids.size && next_build_id(r))
		return 1;
	*rec = NULL;
	if (r->fatal && err)
		*err = r->fatal_err;
	return r->fatal;
}
