/* SPDX-License-Identifier: GPL-2.0-only */
/* A stream that compresses what is written to it, with a few 100 kB of memory whatever its length. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef HAVE_ZLIB
#include <zlib.h>
#endif
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#include <snapflame/export.h>

enum { BLOCK = 1 << 16, GZIP_WINDOW = 15 + 16, GZIP_LEVEL = 4, GZIP_MEM = 8, ZSTD_LEVEL = 3 };

struct packer {
	FILE *under;
	/* Compress size bytes of data, or with end what is left; false on failure. */
	bool (*pack)(struct packer *p, const char *data, size_t size, bool end);
#ifdef HAVE_ZLIB
	z_stream gz;
#endif
#ifdef HAVE_ZSTD
	ZSTD_CCtx *zstd;
#endif
	bool bad;
	unsigned char out[BLOCK];
};

#ifdef HAVE_ZLIB
static bool gzip_pack(struct packer *p, const char *data, size_t size, bool end)
{
	int ret;

	p->gz.next_in = (unsigned char *)(uintptr_t)data;
	p->gz.avail_in = (uInt)size;
	do {
		size_t n;

		p->gz.next_out = p->out;
		p->gz.avail_out = sizeof(p->out);
		ret = deflate(&p->gz, end ? Z_FINISH : Z_NO_FLUSH);
		n = sizeof(p->out) - p->gz.avail_out;
		if (ret == Z_STREAM_ERROR || fwrite(p->out, 1, n, p->under) != n)
			return false;
	} while (!p->gz.avail_out);
	return !end || ret == Z_STREAM_END;
}

static int gzip_start(struct packer *p)
{
	p->pack = gzip_pack;
	return deflateInit2(&p->gz, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, GZIP_MEM,
			    Z_DEFAULT_STRATEGY) == Z_OK ? 0 : -ENOMEM;
}

static void gzip_free(struct packer *p)
{
	deflateEnd(&p->gz);
}
#else
static int gzip_start(struct packer *p)
{
	return -ENOTSUP;
}

static void gzip_free(struct packer *p)
{
}
#endif

#ifdef HAVE_ZSTD
static bool zstd_pack(struct packer *p, const char *data, size_t size, bool end)
{
	ZSTD_inBuffer in = { data, size, 0 };
	size_t left;

	do {
		ZSTD_outBuffer out = { p->out, sizeof(p->out), 0 };

		left = ZSTD_compressStream2(p->zstd, &out, &in, end ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left) || fwrite(p->out, 1, out.pos, p->under) != out.pos)
			return false;
	} while (end ? left : in.pos < in.size);
	return true;
}

static int zstd_start(struct packer *p)
{
	p->pack = zstd_pack;
	p->zstd = ZSTD_createCCtx();
	if (!p->zstd)
		return -ENOMEM;
	ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
	ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_checksumFlag, 1);
	return 0;
}

static void zstd_free(struct packer *p)
{
	ZSTD_freeCCtx(p->zstd);
}
#else
static int zstd_start(struct packer *p)
{
	return -ENOTSUP;
}

static void zstd_free(struct packer *p)
{
}
#endif

static void packer_free(struct packer *p, enum sf_packing packing)
{
	if (packing == SF_PACKING_GZIP)
		gzip_free(p);
	if (packing == SF_PACKING_ZSTD)
		zstd_free(p);
	free(p);
}

static ssize_t on_write(void *cookie, const char *data, size_t size)
{
	struct packer *p = cookie;

	if (!p->bad)
		p->bad = !p->pack(p, data, size, false);
	return p->bad ? 0 : (ssize_t)size;
}

int sf_packed_open(struct sf_packed *o, FILE *under, enum sf_packing packing, struct sf_error *err)
{
	const cookie_io_functions_t io = { .write = on_write };
	struct packer *p = NULL;
	int ret = 0;

	*o = (struct sf_packed){ .file = under, .packing = packing };
	if (packing == SF_PACKING_NONE)
		return 0;
	p = calloc(1, sizeof(*p));
	if (!p)
		return sf_error_set(err, -ENOMEM, "out of memory");
	p->under = under;
	ret = packing == SF_PACKING_GZIP ? gzip_start(p) : zstd_start(p);
	if (!ret) {
		o->file = fopencookie(p, "w", io);
		ret = o->file ? 0 : -ENOMEM;
	}
	if (ret) {
		packer_free(p, ret == -ENOTSUP ? SF_PACKING_NONE : packing);
		o->file = NULL;
		if (ret != -ENOTSUP)
			return sf_error_set(err, ret, "out of memory");
		return sf_error_set(err, ret, "built without %s",
				    packing == SF_PACKING_GZIP ? "zlib: no gzip" : "libzstd: no zstd");
	}
	o->packer = p;
	setvbuf(o->file, NULL, _IOFBF, BLOCK);
	return 0;
}

int sf_packed_close(struct sf_packed *o)
{
	struct packer *p = o->packer;
	bool good;

	if (!p)
		return 0;
	good = !fclose(o->file) && !p->bad;
	good = good && p->pack(p, NULL, 0, true);
	packer_free(p, o->packing);
	o->packer = NULL;
	o->file = NULL;
	return good ? 0 : -EIO;
}
