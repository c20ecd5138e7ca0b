/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables of which every row begins with the window it is about; private to render/. */
#ifndef SF_RENDER_EXPORT_ROWS_H
#define SF_RENDER_EXPORT_ROWS_H

#include <snapflame/str.h>

#include "render/export_impl.h"

enum { SF_ROWS_MAX_FRAMES = 1200 };

struct sf_rows {
	struct sf_exporter *e;
	const char *schema;
	struct sf_str vm;    /* "firecracker-4242" */
	struct sf_str stack; /* scratch */
	bool failed;
};

void sf_rows_init(struct sf_rows *r, struct sf_exporter *e, const char *schema);
void sf_rows_release(struct sf_rows *r);
/* The names of the columns, where the format has them in a line of their own. */
void sf_rows_header(struct sf_rows *r, const char *const *columns, size_t nr);

/* One row: begin, its own columns in the order of the header, end. */
void sf_rows_begin(struct sf_rows *r, const struct sf_export_window *w);
void sf_rows_text(struct sf_rows *r, const char *column, const char *text); /* NULL: null */
void sf_rows_ms(struct sf_rows *r, const char *column, uint64_t ns);
void sf_rows_int(struct sf_rows *r, const char *column, int64_t v);
void sf_rows_null(struct sf_rows *r, const char *column);
/* The start of a column whose value the caller prints as JSON. */
void sf_rows_json(struct sf_rows *r, const char *column);
void sf_rows_end(struct sf_rows *r);

#endif
