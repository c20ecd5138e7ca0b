/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the program tells its user beside results: one line each on standard error, as
 * "snapflame <cmd>: <file>:<line>: <what>". Control characters in it are escaped, so names from a
 * recording can do nothing to a terminal.
 */
#ifndef SF_REPORT_H
#define SF_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include <snapflame/error.h>

enum sf_color { SF_COLOR_AUTO, SF_COLOR_ALWAYS, SF_COLOR_NEVER };

/* The answers to the options that every command takes. */
struct sf_ui {
	const char *cmd; /* name of the running command, "" outside of one */
	int verbosity;	 /* -q: -1, -v: +1 each */
	enum sf_color color;
};

extern struct sf_ui sf_ui;

/* Report a failure; return SF_EXIT_FAILED, SF_EXIT_USAGE, so that callers return it. */
int sf_fail(const struct sf_error *err);
int sf_failf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int sf_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Something is wrong but the result stands: not with -q. */
void sf_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Progress and detail: with -v only. */
void sf_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Whether to colour what goes to f: --color, NO_COLOR, TERM, isatty. */
bool sf_use_color(FILE *f);

/*
 * Flush standard output. A full disk turns status into SF_EXIT_FAILED and is reported; a reader
 * that closed the pipe ends the program by SIGPIPE, in silence as everywhere.
 */
int sf_finish(int status);

#endif
