/* SPDX-License-Identifier: GPL-2.0-only */
/* One window with its threads, for the figures that show a single pause; private to render/. */
#ifndef SF_RENDER_GNUPLOT_WINDOW_H
#define SF_RENDER_GNUPLOT_WINDOW_H

#include <snapflame/critpath.h>

#include "render/gnuplot.h"

enum { WINDOW_ROWS = 14 };

struct window_row {
	uint32_t thread, dev; /* dev 0: a thread */
	uint64_t path_ns;     /* on the critical path */
	uint64_t busy_ns;     /* running, runnable or in an uninterruptible sleep */
};

struct window_view {
	const struct sf_window_ref *ref;
	struct sf_timelines ts;
	struct sf_mechanisms mech;
	struct sf_critpath path;
	struct window_row row[WINDOW_ROWS]; /* most telling first */
	size_t nr;
	size_t left_out; /* threads of the target and owners that have no row */
};

/* 0, or -ENOMEM; release it in either case. */
int window_view_init(struct window_view *v, const struct sf_window_ref *ref);
void window_view_release(struct window_view *v);

/* The row of a segment's owner; of a turn in the run queue: of who waits there. -1 none. */
int window_row_of(const struct window_view *v, const struct sf_segment *s);
/* "fc_api 4243", "vda" */
void window_row_name(const struct window_view *v, size_t row, char *buf, size_t size);

#endif
