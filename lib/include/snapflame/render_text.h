/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Results as text for a terminal.
 *
 *	struct sf_text_opts o = { .width = 80 };
 *	struct sf_str out = SF_STR_INIT;
 *
 *	sf_text_diff(&out, d, &o);
 *	fputs(out.buf, stdout);
 *
 * Names come from recordings and are data: what could act on a terminal is escaped. Everything can
 * be read without colour; ascii stands in for a terminal that has no UTF-8.
 */
#ifndef SNAPFLAME_RENDER_TEXT_H
#define SNAPFLAME_RENDER_TEXT_H

#include <snapflame/diff.h>
#include <snapflame/str.h>

enum { SF_TEXT_WIDTH = 80, SF_TEXT_LINES = 40 };

struct sf_text_opts {
	unsigned width; /* columns; 0: SF_TEXT_WIDTH, and never less than 72 */
	unsigned lines; /* of a diff; 0: SF_TEXT_LINES. Causes that do not fit are summed up */
	bool color, ascii;
};

/* The answer on one screen. sf_str_failed(out) tells of a lack of memory. */
void sf_text_diff(struct sf_str *out, const struct sf_diff *d, const struct sf_text_opts *opts);

/*
 * A stack in at most width (12 or more) columns: the frames, leaf first, joined by " < ". Where it is too long,
 * what every stack has in common goes first (system call entry, thread start), then the middle.
 */
void sf_text_frames(struct sf_str *out, const char *const *frame, size_t nr, size_t width);

#endif
