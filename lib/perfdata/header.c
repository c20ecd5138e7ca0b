/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The header of a perf.data file: "PERFILE2" (or "PERFFILE", version 1), u64 header size. A pipe
 * has nothing more, its size is 16. A file goes on with u64 attr_size and the sections (u64 offset,
 * u64 size) of attrs, data and event types, and 256 feature bits; version 1 began without the bits.
 * Behind the data is a table of sections, one for each feature bit.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "perfdata/reader_impl.h"

#define PIPE_HEADER 16
#define V1_HEADER   72
#define FULL_HEADER 104

static const uint8_t *view_at(const struct sf_view *v, uint64_t offset, uint64_t size)
{
	if (offset < v->offset || offset - v->offset > v->size ||
	    size > v->size - (offset - v->offset))
		return NULL;
	return v->data + (offset - v->offset);
}

const uint8_t *sf_header_view(const struct sf_reader *r, uint64_t offset, uint64_t size)
{
	const uint8_t *p = view_at(&r->head, offset, size);

	return p ? p : view_at(&r->tail, offset, size);
}

/* Appends up to size bytes of a stream to v; how many came, or negative errno. */
static int64_t append(struct sf_view *v, struct sf_input *in, uint64_t size, size_t *alloc)
{
	uint64_t done = 0;

	while (done < size) {
		/* Grown as bytes come, not as a header claims. */
		uint64_t step = size - done < 65536 ? size - done : 65536;
		int n;

		if (SF_GROW(v->own, v->size + step, *alloc))
			return -ENOMEM;
		n = sf_input_read(in, v->own + v->size, (size_t)step);
		if (n < 0)
			return n;
		if (!n)
			break;
		v->size += (uint64_t)n;
		done += (uint64_t)n;
		v->data = v->own;
	}
	v->data = v->own;
	return (int64_t)done;
}

static int check_magic(struct sf_reader *r, struct sf_error *err)
{
	const uint8_t *p = r->head.data;

	if (r->head.size < PIPE_HEADER)
		goto no;
	if (!memcmp(p, "PERFILE2", 8)) {
		r->swapped = false;
	} else if (!memcmp(p, "2ELIFREP", 8)) {
		r->swapped = true;
	} else if (!memcmp(p, "PERFFILE", 8) || !memcmp(p, "ELIFFREP", 8)) {
		r->header.version1 = true;
		r->swapped = p[0] == 'E';
	} else {
		goto no;
	}
	return 0;
no:
	return sf_error_at(err, -EINVAL, r->path, 0, "is not a perf.data file");
}

static struct sf_section section_at(const uint8_t *p, bool swapped)
{
	return (struct sf_section){ sf_raw64(p, swapped), sf_raw64(p + 8, swapped) };
}

static void parse(struct sf_reader *r)
{
	struct sf_file_header *h = &r->header;
	const uint8_t *p = r->head.data;
	bool s = r->swapped;

	h->attr_size = sf_raw64(p + 16, s);
	h->attrs = section_at(p + 24, s);
	h->data = section_at(p + 40, s);
	h->event_types = section_at(p + 56, s);
	if (sf_raw64(p + 8, s) < FULL_HEADER)
		return;
	for (size_t i = 0; i < 4; i++)
		h->features[i] = sf_raw64(p + 72 + 8 * i, s);
	/*
	 * The bits were an array of unsigned long. From a 32-bit machine of the other byte order
	 * the halves come the wrong way round; every recording has HOSTNAME, which tells.
	 */
	if (s && !(h->features[0] & 1u << SF_FEAT_HOSTNAME) &&
	    h->features[0] >> 32 & 1u << SF_FEAT_HOSTNAME)
		for (size_t i = 0; i < 4; i++)
			h->features[i] = h->features[i] << 32 | h->features[i] >> 32;
}

/* The header itself, in r->head. For a stream exactly its bytes are read. */
static int read_header(struct sf_reader *r, struct sf_input *in, size_t *alloc,
		       struct sf_error *err)
{
	const uint8_t *map = sf_input_map(in);
	uint64_t size;
	int ret;

	if (!map && append(&r->head, in, PIPE_HEADER, alloc) < 0)
		return sf_error_at(err, -EIO, r->path, 0, "%s", sf_input_error(in));
	ret = check_magic(r, err);
	if (ret)
		return ret;
	size = sf_raw64(r->head.data + 8, r->swapped);
	r->header.pipe = size == PIPE_HEADER;
	if (r->header.pipe)
		return 0;
	if (size != V1_HEADER && size < FULL_HEADER)
		return sf_error_at(err, -EINVAL, r->path, 0,
				   "has a header of the impossible size %" PRIu64, size);
	size = size < FULL_HEADER ? size : FULL_HEADER;
	if (!map && append(&r->head, in, size - r->head.size, alloc) < 0)
		return sf_error_at(err, -EIO, r->path, 0, "%s", sf_input_error(in));
	if (r->head.size < size)
		return sf_error_at(err, -EINVAL, r->path, 0, "ends inside its header");
	parse(r);
	return 0;
}

/* Data that an unfinished recording has, or that is cut off: up to the end of the file. */
static int find_data(struct sf_reader *r, uint64_t file_size, struct sf_error *err)
{
	struct sf_section *d = &r->header.data;

	if (d->offset < V1_HEADER)
		return sf_error_at(err, -EINVAL, r->path, 0, "has its records inside its header");
	if (!d->size) {
		r->stats.unfinished = true;
		memset(r->header.features, 0, sizeof(r->header.features));
	}
	if (!file_size) {
		if (!d->size)
			d->size = UINT64_MAX - d->offset;
		else if (d->size > UINT64_MAX - d->offset)
			return sf_error_at(err, -EINVAL, r->path, 0,
					   "has an impossible size of its records");
		return 0;
	}
	if (d->offset > file_size)
		return sf_error_at(err, -EINVAL, r->path, 0, "ends before its records");
	if (!d->size) {
		d->size = file_size - d->offset;
	} else if (d->size > file_size - d->offset) {
		r->stats.truncated = true;
		sf_reader_complain(r, file_size,
				   "the recording should have %" PRIu64
				   " bytes of records and ends after %" PRIu64,
				   d->size, file_size - d->offset);
		d->size = file_size - d->offset;
	}
	return 0;
}

static int skip_stream(struct sf_input *in, uint64_t size)
{
	uint8_t buf[16384];

	while (size) {
		int n = sf_input_read(in, buf, size < sizeof(buf) ? (size_t)size : sizeof(buf));

		if (n <= 0)
			return n < 0 ? n : -ENODATA;
		size -= (uint64_t)n;
	}
	return 0;
}

int sf_header_read_tail(struct sf_reader *r, struct sf_input *in)
{
	size_t alloc = 0;
	int64_t n;

	r->tail.offset = r->header.data.offset + r->header.data.size;
	n = append(&r->tail, in, SF_MAX_TAIL, &alloc);
	return n < 0 ? (int)n : 0;
}

static bool needs_tail(const struct sf_reader *r)
{
	const struct sf_file_header *h = &r->header;

	return h->features[0] || h->features[1] || h->features[2] || h->features[3] ||
	       !sf_header_view(r, h->attrs.offset, h->attrs.size);
}

/*
 * The sections behind the data name the events, so they are wanted first: a compressed file is read
 * twice, and what comes through a pipe goes into a temporary file. Where that is not possible they
 * come when they come.
 */
static int read_tail_first(struct sf_reader *r, struct sf_input *in)
{
	uint64_t start = r->header.data.offset;
	int err;

	if (r->stats.unfinished || !needs_tail(r))
		return 0;
	if (!sf_input_can_rewind(in)) {
		err = sf_input_store(in, r->head.data, r->head.size);
		if (!err && sf_input_can_rewind(in))
			err = sf_input_rewind(in);
		if (!err && sf_input_can_rewind(in))
			err = skip_stream(in, start);
		if (err || !sf_input_can_rewind(in))
			return err;
	}
	/* What is damaged is met again, and told, where the records end. */
	err = skip_stream(in, r->header.data.size);
	if (!err)
		sf_header_read_tail(r, in);
	err = sf_input_rewind(in);
	return err ? err : skip_stream(in, start);
}

static int read_stream_parts(struct sf_reader *r, struct sf_input *in, size_t *alloc,
			     struct sf_error *err)
{
	uint64_t start = r->header.data.offset;
	int ret;

	if (start > SF_MAX_HEAD)
		return sf_error_at(err, -EFBIG, r->path, 0,
				   "has its records so far behind the header that it can only be "
				   "read as an uncompressed file");
	if (start > r->head.size && append(&r->head, in, start - r->head.size, alloc) < 0)
		return sf_error_at(err, -EIO, r->path, 0, "%s", sf_input_error(in));
	if (r->head.size < start)
		return sf_error_at(err, -EINVAL, r->path, 0, "ends before its records");
	if (r->head.size > start)
		return sf_error_at(err, -EINVAL, r->path, 0, "has its records inside its header");
	ret = read_tail_first(r, in);
	return ret ? sf_error_at(err, ret, r->path, 0, "%s", sf_input_error(in)) : 0;
}

int sf_header_read(struct sf_reader *r, struct sf_input *in, struct sf_error *err)
{
	const uint8_t *map = sf_input_map(in);
	uint64_t size = map ? sf_input_size(in) : 0;
	size_t alloc = 0;
	int ret;

	if (map)
		r->head = (struct sf_view){ .data = map, .size = size };
	ret = read_header(r, in, &alloc, err);
	if (ret)
		return ret;
	if (r->header.pipe) {
		r->header.data.offset = PIPE_HEADER;
		r->header.data.size = map ? size - PIPE_HEADER : UINT64_MAX - PIPE_HEADER;
		return 0;
	}
	ret = find_data(r, size, err);
	return ret || map ? ret : read_stream_parts(r, in, &alloc, err);
}
