/* SPDX-License-Identifier: GPL-2.0-only */
#include "perfdata/unpack.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#ifdef HAVE_ZLIB
#include <zlib.h>
#endif
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

struct sf_unpack {
	enum sf_packing packing;
	bool complete;
#ifdef HAVE_ZLIB
	z_stream gz;
#endif
#ifdef HAVE_ZSTD
	ZSTD_DStream *zstd;
#endif
};

enum sf_packing sf_packing_of(const uint8_t *p, size_t size)
{
	if (size >= 3 && p[0] == 0x1f && p[1] == 0x8b && p[2] == 8)
		return SF_PACKING_GZIP;
	if (size >= 4 && !memcmp(p, "\x28\xb5\x2f\xfd", 4))
		return SF_PACKING_ZSTD;
	return SF_PACKING_NONE;
}

#ifdef HAVE_ZLIB
static int gzip_new(struct sf_unpack *u)
{
	return inflateInit2(&u->gz, 15 + 16) == Z_OK ? 0 : -ENOMEM;
}

static int gzip_step(struct sf_unpack *u, struct sf_unpack_io *io)
{
	int ret;

	/* Members may follow one another; what follows the last is often padding. */
	if (u->complete) {
		if (!io->in_size)
			return 0;
		if (io->in[0] != 0x1f) {
			io->in += io->in_size;
			io->in_size = 0;
			return 0;
		}
		if (inflateReset(&u->gz) != Z_OK)
			return -EBADMSG;
	}
	u->gz.next_in = (Bytef *)(uintptr_t)io->in;
	u->gz.avail_in = io->in_size > UINT_MAX ? UINT_MAX : (uInt)io->in_size;
	u->gz.next_out = io->out;
	u->gz.avail_out = io->out_size > UINT_MAX ? UINT_MAX : (uInt)io->out_size;
	ret = inflate(&u->gz, Z_NO_FLUSH);
	io->in_size -= (size_t)(u->gz.next_in - io->in);
	io->in = u->gz.next_in;
	io->out_size -= (size_t)(u->gz.next_out - io->out);
	io->out = u->gz.next_out;
	u->complete = ret == Z_STREAM_END;
	if (ret == Z_MEM_ERROR)
		return -ENOMEM;
	return ret == Z_OK || ret == Z_STREAM_END || ret == Z_BUF_ERROR ? 0 : -EBADMSG;
}
#else
#define gzip_new(u)	 (-ENOTSUP)
#define gzip_step(u, io) (-ENOTSUP)
#endif

#ifdef HAVE_ZSTD
static int zstd_new(struct sf_unpack *u)
{
	u->zstd = ZSTD_createDStream();
	return u->zstd ? 0 : -ENOMEM;
}

static int zstd_step(struct sf_unpack *u, struct sf_unpack_io *io)
{
	ZSTD_inBuffer in = { io->in, io->in_size, 0 };
	ZSTD_outBuffer out = { io->out, io->out_size, 0 };
	size_t ret;

	/* At the end of a frame a call without input would begin the next one. */
	if (u->complete && !io->in_size)
		return 0;
	ret = ZSTD_decompressStream(u->zstd, &out, &in);

	io->in += in.pos;
	io->in_size -= in.pos;
	io->out += out.pos;
	io->out_size -= out.pos;
	if (ZSTD_isError(ret))
		return -EBADMSG;
	u->complete = ret == 0;
	return 0;
}
#else
#define zstd_new(u)	 (-ENOTSUP)
#define zstd_step(u, io) (-ENOTSUP)
#endif

int sf_unpack_new(struct sf_unpack **ret, enum sf_packing packing)
{
	struct sf_unpack *u = calloc(1, sizeof(*u));
	int err;

	*ret = NULL;
	if (!u)
		return -ENOMEM;
	u->packing = packing;
	err = packing == SF_PACKING_GZIP ? gzip_new(u) : zstd_new(u);
	if (err)
		free(u);
	else
		*ret = u;
	return err;
}

void sf_unpack_free(struct sf_unpack *u)
{
	if (!u)
		return;
#ifdef HAVE_ZLIB
	if (u->packing == SF_PACKING_GZIP)
		inflateEnd(&u->gz);
#endif
#ifdef HAVE_ZSTD
	ZSTD_freeDStream(u->zstd);
#endif
	free(u);
}

int sf_unpack_step(struct sf_unpack *u, struct sf_unpack_io *io)
{
	return u->packing == SF_PACKING_GZIP ? gzip_step(u, io) : zstd_step(u, io);
}

bool sf_unpack_complete(const struct sf_unpack *u)
{
	return u->complete;
}
