/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * COMPRESSED and COMPRESSED2 records: each holds the next piece of one zstd stream of records, and
 * a record may begin in one piece and end in the next. Unpacked in steps, so that a piece that
 * grows a millionfold costs time but no memory.
 */
#ifndef PERFDATA_COMPRESS_H
#define PERFDATA_COMPRESS_H

#include "perfdata/chunk.h"
#include "perfdata/unpack.h"

struct sf_inflow {
	struct sf_unpack *unpack;
	struct sf_spool window; /* over what was unpacked */
	struct sf_unpack_io io; /* what of the current piece is left: in, in_size */
};

int sf_inflow_new(struct sf_inflow **f, struct sf_chunks *chunks);
void sf_inflow_free(struct sf_inflow *f);
/* p must stay until the window has come to its end. */
void sf_inflow_feed(struct sf_inflow *f, const uint8_t *p, size_t size);

#endif
