/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the bytes of a recording come from: a mapped file, or a stream (standard input, a pipe, and
 * everything that is gzip or zstd). A stream can be read once more from its start where the file
 * can.
 */
#ifndef PERFDATA_INPUT_H
#define PERFDATA_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <snapflame/error.h>
#include <snapflame/filetype.h> /* open, free, type */

/* The whole file, or NULL where it is a stream. */
const uint8_t *sf_input_map(const struct sf_input *in);
uint64_t sf_input_size(const struct sf_input *in); /* as stored, compressed or not; 0 unknown */

/*
 * A mapped file was read up to there: lets go of the pages, which come back from the page cache when
 * they are touched again. Keeps the resident size of the process from growing with the file.
 */
void sf_input_drop_pages(struct sf_input *in, uint64_t end);

/* Up to size bytes of the stream (as many as there are), 0 at the end, or negative errno. */
int sf_input_read(struct sf_input *in, void *buf, size_t size);
/*
 * The first bytes of what is to be read, at least want where there are so many, without taking
 * them. *whole tells that there are no others. The same bytes come again from sf_input_read().
 */
int sf_input_peek(struct sf_input *in, size_t want, const uint8_t **p, size_t *nr, bool *whole);
bool sf_input_can_rewind(const struct sf_input *in);
int sf_input_rewind(struct sf_input *in);
/*
 * Put a stream that can be read but once into a temporary file without a name, in $TMPDIR, else
 * /var/tmp: from then on it can be rewound. taken are the bytes that were read before. 0, also where
 * there can be no such file and nothing has changed; negative errno where the stream is lost.
 */
int sf_input_store(struct sf_input *in, const void *taken, size_t size);
/* What the last failed read was about, for a message. */
const char *sf_input_error(const struct sf_input *in);

#endif
