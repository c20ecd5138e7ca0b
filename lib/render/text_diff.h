/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts of the text of a diff; private to render/. */
#ifndef SF_RENDER_TEXT_DIFF_H
#define SF_RENDER_TEXT_DIFF_H

#include <snapflame/diff.h>

#include "render/layout.h"

struct sf_diff_view {
	struct sf_str *out;
	const struct sf_diff *d;
	unsigned width;
	bool color;
	bool wide; /* stacks have a column, not a line of their own */
};

/* A labelled paragraph; text is data. */
void sf_view_section(struct sf_diff_view *v, const char *head, enum sf_style style,
		     const char *text);
/* The table, in so many lines where that can be. */
void sf_view_causes(struct sf_diff_view *v, size_t lines);
void sf_view_waiting(struct sf_diff_view *v);
void sf_view_moved(struct sf_diff_view *v);
/* "Dirty 0.4 → 212 MB" */
void sf_put_moved(struct sf_str *s, const struct sf_moved *m);
/* How the pauses go over the BRANCHes; what swapped without growing. */
void sf_view_growth(struct sf_diff_view *v);
void sf_view_shifts(struct sf_diff_view *v);
/* "a step up at BRANCH 3, p = 5.3e-05", "linear, +120 ms a BRANCH (95 % interval …)", "flat (p = …)" */
void sf_put_shape(struct sf_str *s, const struct sf_growth *growth, uint32_t step_at, bool with_p);

#endif
