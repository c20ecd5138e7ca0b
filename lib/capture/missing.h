/* SPDX-License-Identifier: GPL-2.0-only */
/* What could not be recorded, one line each: a recording says what it lacks. */
#ifndef SF_CAPTURE_MISSING_H
#define SF_CAPTURE_MISSING_H

#include <stddef.h>

struct sf_missing {
	char **line;
	size_t nr, alloc;
};

/* Equal lines are kept once; without memory the line is dropped. */
void sf_missing_add(struct sf_missing *m, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void sf_missing_release(struct sf_missing *m);

#endif
