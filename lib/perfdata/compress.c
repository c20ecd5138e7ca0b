/* SPDX-License-Identifier: GPL-2.0-only */
#include "perfdata/compress.h"

#include <errno.h>
#include <stdlib.h>

static int unpack_more(void *ctx, void *buf, size_t size)
{
	struct sf_inflow *f = ctx;

	f->io.out = buf;
	f->io.out_size = size;
	for (;;) {
		size_t left = f->io.in_size;
		int err = sf_unpack_step(f->unpack, &f->io);

		if (err)
			return err;
		if (f->io.out_size < size || !f->io.in_size)
			return (int)(size - f->io.out_size);
		if (f->io.in_size == left)
			return -EBADMSG;
	}
}

int sf_inflow_new(struct sf_inflow **ret, struct sf_chunks *chunks)
{
	struct sf_inflow *f = calloc(1, sizeof(*f));
	int err;

	*ret = NULL;
	if (!f)
		return -ENOMEM;
	err = sf_unpack_new(&f->unpack, SF_PACKING_ZSTD);
	if (err) {
		free(f);
		return err;
	}
	f->window = (struct sf_spool){ .chunks = chunks, .fill = unpack_more, .ctx = f };
	*ret = f;
	return 0;
}

void sf_inflow_free(struct sf_inflow *f)
{
	if (!f)
		return;
	sf_spool_release(&f->window);
	sf_unpack_free(f->unpack);
	free(f);
}

void sf_inflow_feed(struct sf_inflow *f, const uint8_t *p, size_t size)
{
	f->io.in = p;
	f->io.in_size = size;
}
