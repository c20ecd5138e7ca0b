/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The wire format of protocol buffers, as far as pprof needs it: varints (little-endian groups of 7
 * bits), and length-prefixed bytes; a key is field << 3 | wire type. Source: "Encoding" in the
 * documentation of protocol buffers, protobuf.dev. Private to render/.
 */
#ifndef SF_RENDER_EXPORT_PROTO_H
#define SF_RENDER_EXPORT_PROTO_H

#include <stdint.h>
#include <stdio.h>

#include <snapflame/str.h>

/* Append a field to a message. Zero is the default and left out. */
void sf_pb_uint(struct sf_str *m, unsigned field, uint64_t v);
void sf_pb_bytes(struct sf_str *m, unsigned field, const void *data, size_t len);
/* A repeated field of numbers; zeroes count. */
void sf_pb_packed(struct sf_str *m, unsigned field, const uint64_t *v, size_t nr);

/* A file of fields, gzip'd where zlib is built in. */
struct sf_pb_file;

int sf_pb_open(struct sf_pb_file **p, FILE *file); /* 0 or -ENOMEM */
/* A field of the outermost message; bytes may be of length 0. Failures are kept for the end. */
void sf_pb_put(struct sf_pb_file *p, unsigned field, const void *data, size_t len);
void sf_pb_put_uint(struct sf_pb_file *p, unsigned field, uint64_t v);
/* Write the rest; 0 or -ENOMEM. Frees p. */
int sf_pb_close(struct sf_pb_file *p);

#endif
