/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lines of a text input, one at a time, without their LF or CRLF; the last one may lack it. A
 * byte-order mark at the start is dropped.
 */
#ifndef PERFDATA_LINES_H
#define PERFDATA_LINES_H

#include <stddef.h>
#include <stdint.h>

#include <snapflame/error.h>

struct sf_input;

struct sf_lines {
	struct sf_input *in; /* borrowed */
	const char *map;     /* the whole input, NULL where it is a stream */
	char *buf;           /* of a stream: a line is always whole in it */
	size_t at, fill, alloc;
	size_t dropped;      /* bytes of the map whose pages were given back */
	unsigned number;     /* of the line delivered last, from 1 */
};

/* Longer lines are refused: nothing that makes folded stacks writes them. */
#define SF_LINE_MAX (64u << 20)

void sf_lines_init(struct sf_lines *l, struct sf_input *in);
void sf_lines_release(struct sf_lines *l);
/* 1 and a line, valid until the next call; 0 at the end; negative errno. path is for err. */
int sf_lines_next(struct sf_lines *l, const char **line, size_t *len, const char *path,
		  struct sf_error *err);

#endif
