/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TRACING_DATA: what was in tracefs when the recording was made, most of all the formats of
 * tracepoints. Their names and ids are read here; fields are left to libtraceevent.
 */
#ifndef PERFDATA_TRACING_H
#define PERFDATA_TRACING_H

#include <snapflame/reader.h>
#include <snapflame/str.h>

#define SF_MAX_TRACING (32u << 20)

struct sf_tracing;

bool sf_tracing_looks_like(const uint8_t *p, size_t size);
/* Copies what it needs. -EINVAL where p is no tracing data. */
int sf_tracing_new(struct sf_tracing **t, const uint8_t *p, size_t size);
void sf_tracing_free(struct sf_tracing *t);
/* "system:name" of a tracepoint; false where it is unknown. */
bool sf_tracing_name(const struct sf_tracing *t, uint64_t id, struct sf_str *name);
/* format.c: the format of a tracepoint in a shape that libtraceevent is safe with. */
bool sf_format_rewrite(const char *text, size_t size, uint64_t id, struct sf_str *out);
/* libtraceevent's view of a tracepoint, parsed at the first call; NULL where there is none. */
void *sf_tracing_format(struct sf_tracing *t, uint64_t id);
struct sf_field sf_tracing_field(void *format, const char *name);

#endif
