/* SPDX-License-Identifier: GPL-2.0-only */
#include "render/export_proto.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#ifdef HAVE_ZLIB
#include <zlib.h>
#endif

enum { WIRE_VARINT, WIRE_BYTES = 2 };
enum { MAX_VARINT = 10, FLUSH_AT = 1 << 16 };

static void varint(struct sf_str *m, uint64_t v)
{
	char buf[MAX_VARINT];
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		buf[n++] = (char)(v | 0x80);
	buf[n++] = (char)v;
	sf_str_addn(m, buf, n);
}

void sf_pb_uint(struct sf_str *m, unsigned field, uint64_t v)
{
	if (!v)
		return;
	varint(m, field << 3 | WIRE_VARINT);
	varint(m, v);
}

void sf_pb_bytes(struct sf_str *m, unsigned field, const void *data, size_t len)
{
	varint(m, field << 3 | WIRE_BYTES);
	varint(m, len);
	sf_str_addn(m, data, len);
}

void sf_pb_packed(struct sf_str *m, unsigned field, const uint64_t *v, size_t nr)
{
	struct sf_str s = SF_STR_INIT;

	for (size_t i = 0; i < nr; i++)
		varint(&s, v[i]);
	sf_pb_bytes(m, field, s.buf, s.len);
	m->failed |= s.failed;
	sf_str_release(&s);
}

struct sf_pb_file {
	FILE *file;
	struct sf_str out; /* not yet compressed */
	bool failed;
#ifdef HAVE_ZLIB
	z_stream gz;
#endif
};

#ifdef HAVE_ZLIB
enum { GZIP_WINDOW = 15 + 16, MEM_LEVEL = 8 };

static int start(struct sf_pb_file *p)
{
	return deflateInit2(&p->gz, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, MEM_LEVEL,
			    Z_DEFAULT_STRATEGY) == Z_OK ? 0 : -ENOMEM;
}

static void flush(struct sf_pb_file *p, bool last)
{
	unsigned char buf[1 << 14];
	int ret;

	p->gz.next_in = (unsigned char *)p->out.buf;
	p->gz.avail_in = (uInt)p->out.len;
	do {
		p->gz.next_out = buf;
		p->gz.avail_out = sizeof(buf);
		ret = deflate(&p->gz, last ? Z_FINISH : Z_NO_FLUSH);
		fwrite(buf, 1, sizeof(buf) - p->gz.avail_out, p->file);
	} while (ret == Z_OK && !p->gz.avail_out);
	p->failed |= p->out.failed || ret == Z_STREAM_ERROR || (last && ret != Z_STREAM_END);
	sf_str_reset(&p->out);
}

static void end(struct sf_pb_file *p)
{
	deflateEnd(&p->gz);
}
#else
/* pprof reads it uncompressed, too. */
static int start(struct sf_pb_file *p)
{
	(void)p;
	return 0;
}

static void flush(struct sf_pb_file *p, bool last)
{
	(void)last;
	fwrite(p->out.buf, 1, p->out.len, p->file);
	p->failed |= p->out.failed;
	sf_str_reset(&p->out);
}

static void end(struct sf_pb_file *p)
{
	(void)p;
}
#endif

int sf_pb_open(struct sf_pb_file **out, FILE *file)
{
	struct sf_pb_file *p = calloc(1, sizeof(*p));

	*out = p;
	if (!p)
		return -ENOMEM;
	p->file = file;
	sf_str_init(&p->out);
	if (!start(p))
		return 0;
	free(p);
	*out = NULL;
	return -ENOMEM;
}

static void added(struct sf_pb_file *p)
{
	if (p->out.len >= FLUSH_AT)
		flush(p, false);
}

void sf_pb_put(struct sf_pb_file *p, unsigned field, const void *data, size_t len)
{
	sf_pb_bytes(&p->out, field, data, len);
	added(p);
}

void sf_pb_put_uint(struct sf_pb_file *p, unsigned field, uint64_t v)
{
	sf_pb_uint(&p->out, field, v);
	added(p);
}

int sf_pb_close(struct sf_pb_file *p)
{
	int ret;

	flush(p, true);
	ret = p->failed ? -ENOMEM : 0;
	end(p);
	sf_str_release(&p->out);
	free(p);
	return ret;
}
