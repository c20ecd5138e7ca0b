/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One line on the terminal that says how far something is: after half a second, a few times a
 * second, and gone when it is done. Nothing where standard error is no terminal, or with -q.
 *
 *	sf_progress_begin(SF_PROGRESS_BYTES, "reading %s", path);
 *	opts.progress = sf_progress_line;
 *	…
 *	sf_progress_end();
 */
#ifndef SF_PROGRESS_LINE_H
#define SF_PROGRESS_LINE_H

#include <snapflame/progress.h>

/* Bytes that are read. Without sf_progress_begin() it is silent. */
extern const struct sf_progress sf_progress_line;
/* Addresses that are named. That happens when they are needed first, so it begins by itself. */
extern const struct sf_progress sf_progress_names;

/* fmt: what is done, in a few words. Ends the one before. */
void sf_progress_begin(enum sf_progress_unit unit, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Seconds that pass by themselves, shown by a thread until sf_progress_end(); 0: until who knows when. */
void sf_progress_timer(const char *what, uint64_t seconds);
/* Takes the line away, for whatever is printed next. */
void sf_progress_clear(void);
void sf_progress_end(void);

#endif
