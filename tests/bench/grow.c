/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * grow IN OUT BYTES: a larger recording out of a perf.data file of perf record: all that happened,
 * again and again with later time stamps, until OUT holds about BYTES. What perf made up from /proc
 * comes once. For benchmarks: no check that IN is sound. Not installed.
 */
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct section {
	uint64_t offset, size;
};

struct header {
	char magic[8];
	uint64_t size, attr_size;
	struct section attrs, data, event_types;
	uint64_t features[4];
};

/* Where the time is: behind a sample's header, and from the end of all other records. */
static uint64_t time_offset, time_from_end;

static uint8_t *slurp(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	uint8_t *p;

	if (!f || fseek(f, 0, SEEK_END) || (*size = (size_t)ftell(f)) < sizeof(struct header))
		return NULL;
	rewind(f);
	p = malloc(*size);
	if (p && fread(p, 1, *size, f) != *size)
		return NULL;
	fclose(f);
	return p;
}

/* NULL where it has none: records of perf itself, and what it made up. */
static uint64_t *time_of(uint8_t *rec)
{
	const struct perf_event_header *h = (const void *)rec;
	uint64_t *t;

	if (h->type == PERF_RECORD_SAMPLE)
		return (uint64_t *)(rec + sizeof(*h) + time_offset);
	if (h->type >= 64)
		return NULL;
	t = (uint64_t *)(rec + h->size - time_from_end);
	return *t ? t : NULL;
}

/* What has a time, shift later, and the ends of rounds. The number of bytes written. */
static uint64_t repeat(FILE *out, const uint8_t *data, uint64_t size, uint64_t shift)
{
	uint64_t written = 0, copy[8192];

	for (uint64_t at = 0; at + sizeof(struct perf_event_header) <= size;) {
		struct perf_event_header h;
		uint64_t *t;

		memcpy(&h, data + at, sizeof(h));
		if (h.size < sizeof(h) || at + h.size > size)
			break;
		memcpy(copy, data + at, h.size);
		at += h.size;
		t = time_of((uint8_t *)copy);
		if (t)
			*t += shift;
		else if (h.type != 68) /* FINISHED_ROUND */
			continue;
		fwrite(copy, 1, h.size, out);
		written += h.size;
	}
	return written;
}

/* From the first to the last sample. */
static uint64_t span(uint8_t *data, uint64_t size)
{
	uint64_t first = UINT64_MAX, last = 0;

	for (uint64_t at = 0; at + 8 <= size;) {
		const struct perf_event_header *h = (const void *)(data + at);
		uint64_t *t = time_of(data + at);

		if (h->size < 8 || at + h->size > size)
			break;
		if (t && *t < first)
			first = *t;
		if (t && *t > last)
			last = *t;
		at += h->size;
	}
	return last - first + 1000000;
}

int main(int argc, char **argv)
{
	struct perf_event_attr attr = {0};
	struct header h;
	uint64_t want, total, shift = 0, step;
	struct section *feature;
	size_t size, nr = 0;
	uint8_t *in;
	FILE *out;

	in = argc == 4 ? slurp(argv[1], &size) : NULL;
	out = in ? fopen(argv[2], "wb") : NULL;
	if (!out) {
		fprintf(stderr, "usage: grow IN OUT BYTES\n");
		return 2;
	}
	want = strtoull(argv[3], NULL, 0);
	memcpy(&h, in, sizeof(h));
	memcpy(&attr, in + h.attrs.offset, sizeof(attr) < h.attr_size ? sizeof(attr) : h.attr_size);
	time_offset = 8 * (uint64_t)__builtin_popcountll(
				  attr.sample_type &
				  (PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID));
	/* The trailer: TID, TIME, ID, STREAM_ID, CPU, IDENTIFIER. */
	time_from_end =
		8 * (1 + (uint64_t)__builtin_popcountll(
				 attr.sample_type & (PERF_SAMPLE_ID | PERF_SAMPLE_STREAM_ID |
						     PERF_SAMPLE_CPU | PERF_SAMPLE_IDENTIFIER)));
	step = span(in + h.data.offset, h.data.size);
	fwrite(in, 1, h.data.offset + h.data.size, out);
	for (total = h.data.size; total < want;) {
		uint64_t n = repeat(out, in + h.data.offset, h.data.size, shift += step);

		if (!n)
			break;
		total += n;
	}
	/* The sections behind the data have moved. */
	for (unsigned i = 0; i < 256; i++)
		nr += h.features[i / 64] >> (i % 64) & 1;
	feature = (struct section *)(in + h.data.offset + h.data.size);
	for (size_t i = 0; i < nr; i++)
		feature[i].offset += total - h.data.size;
	fwrite(feature, 1, size - h.data.offset - h.data.size, out);
	h.data.size = total;
	rewind(out);
	fwrite(&h, 1, sizeof(h), out);
	return fclose(out) ? 1 : 0;
}
