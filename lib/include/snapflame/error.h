/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Errors of the library.
 *
 * A function that can fail returns 0 or a negative errno and, where it takes a struct sf_error,
 * says there what happened. The struct belongs to the caller, may live on the stack and needs no
 * release. Passing NULL is fine. The library never prints and never exits.
 */
#ifndef SNAPFLAME_ERROR_H
#define SNAPFLAME_ERROR_H

#include <stdarg.h>

struct sf_error {
	int code;         /* negative errno, 0 when nothing went wrong */
	unsigned line;    /* line in the file (1…), 0 where there are no lines */
	char file[256];   /* file the message is about, "" for none */
	char what[768];   /* one sentence without a full stop: what failed, and the remedy */
};

#define SF_ERROR_INIT { 0 }

/* Fill err (NULL allowed) and return code, so that callers can write return sf_error_set(…). */
int sf_error_set(struct sf_error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same, about a line of a file; line 0 means the file as a whole. */
int sf_error_at(struct sf_error *err, int code, const char *file, unsigned line, const char *fmt,
		...) __attribute__((format(printf, 5, 6)));

/* "file:line: what", "file: what" or "what" into buf; returns buf. */
const char *sf_error_text(const struct sf_error *err, char *buf, unsigned long size);

/* Traces to stderr when the environment's SNAPFLAME_DEBUG names the module ("fold,symbol" or "all"). */
int sf_debug_on(const char *module);
void sf_debug(const char *module, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
