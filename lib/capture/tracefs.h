/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's tracefs: ids and formats of tracepoints, whether or not somebody mounted it. */
#ifndef SF_CAPTURE_TRACEFS_H
#define SF_CAPTURE_TRACEFS_H

#include <stdint.h>

#include <snapflame/error.h>
#include <snapflame/str.h>

struct sf_tracefs {
	int dir; /* of its root; -1: there is none to be had */
};

/*
 * Open the mounted tracefs, or else (as root) one of our own that is mounted nowhere and so is
 * visible to nobody else. -errno with the remedy in err.
 */
int sf_tracefs_open(struct sf_tracefs *t, struct sf_error *err);
void sf_tracefs_close(struct sf_tracefs *t);

/* Id of the tracepoint "system:name", or -errno. */
int sf_tracefs_id(const struct sf_tracefs *t, const char *event);

/* The TRACING_DATA feature for the tracepoints named in event ("system:name"). */
int sf_tracefs_data(const struct sf_tracefs *t, const char *const *event, size_t nr,
		    struct sf_str *data);

/* Append the content of the file at dir/path. 0 or -errno. */
int sf_read_at(int dir, const char *path, struct sf_str *out);
/* Write text to the file at dir/path in one call. 0 or -errno. */
int sf_write_at(int dir, const char *path, const char *text);

#endif
