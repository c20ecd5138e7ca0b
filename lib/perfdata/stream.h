/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records of one file, in the order of the file, and from there into order of time. A recording is
 * one stream, or several where it is a directory.
 */
#ifndef PERFDATA_STREAM_H
#define PERFDATA_STREAM_H

#include <snapflame/reader.h>

#include "perfdata/chunk.h"
#include "perfdata/input.h"
#include "perfdata/order.h"

struct sf_stream {
	struct sf_reader *reader;
	struct sf_input *in;
	const uint8_t *map; /* NULL: window */
	uint64_t pos, end;  /* in the map */
	uint64_t touched;   /* bytes since its pages were let go */
	struct sf_spool window;
	uint64_t left; /* in the window's stream: bytes of data to come; UINT64_MAX unknown */
	struct sf_inflow *inflow; /* what COMPRESSED records hold */
	struct sf_order order;
	size_t max_waiting; /* records; more than that and the older half goes */
	bool ended;
};

/* A record that was read: raw, in the file's byte order. */
struct sf_raw {
	const uint8_t *p;
	uint32_t size, type;
	uint64_t offset;
	struct sf_spool *window; /* it came from; NULL: the map */
	struct sf_chunk *chunk;	 /* holds p, and raw one reference of it; NULL: the map */
};

/* The stream owns in from here on, also on failure. data is the part of the file with records. */
int sf_stream_new(struct sf_stream **s, struct sf_reader *r, struct sf_input *in, uint64_t start,
		  uint64_t end);
void sf_stream_free(struct sf_stream *s);
void sf_stream_share(struct sf_stream *s, size_t nr); /* the bound on memory, with nr - 1 others */

/*
 * The next record to be delivered: 1, 0 at the end, negative errno. A record without a time comes
 * at once (*time is SF_NO_TIME), others when they are due. raw->chunk's reference is the caller's.
 */
int sf_stream_next(struct sf_stream *s, struct sf_raw *raw, uint64_t *time);

#endif
