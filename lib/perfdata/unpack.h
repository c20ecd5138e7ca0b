/* SPDX-License-Identifier: GPL-2.0-only */
/* Decompression of a stream in steps, whichever the method. */
#ifndef PERFDATA_UNPACK_H
#define PERFDATA_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sf_packing { SF_PACKING_NONE, SF_PACKING_GZIP, SF_PACKING_ZSTD };

/* Told by the first bytes of a file. */
enum sf_packing sf_packing_of(const uint8_t *p, size_t size);

struct sf_unpack;

/* 0, -ENOMEM, or -ENOTSUP where the program was built without the library. */
int sf_unpack_new(struct sf_unpack **u, enum sf_packing packing);
void sf_unpack_free(struct sf_unpack *u);

struct sf_unpack_io {
	const uint8_t *in;
	size_t in_size; /* both shrink by what was consumed */
	uint8_t *out;
	size_t out_size; /* both shrink by what was produced */
};

/* 0 or a negative errno (-EBADMSG: the data is damaged). Without progress it needs more input. */
int sf_unpack_step(struct sf_unpack *u, struct sf_unpack_io *io);
/* At a place where the stream may end. */
bool sf_unpack_complete(const struct sf_unpack *u);

#endif
