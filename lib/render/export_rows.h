/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tables of which every row begins with the window it is about; private to render/. A row is put
 * together in memory and written at once: there may be millions.
 */
#ifndef SF_RENDER_EXPORT_ROWS_H
#define SF_RENDER_EXPORT_ROWS_H

#include <snapflame/str.h>

#include "render/export_impl.h"

struct sf_rows {
	struct sf_exporter *e;
	const char *schema;
	struct sf_str line;
	struct sf_str head;  /* the columns that the rows of a window have in common */
	struct sf_str tail;  /* and the last one, which all rows of the recording have */
	struct sf_str stack; /* of sf_rows_stack() */
};

void sf_rows_init(struct sf_rows *r, struct sf_exporter *e, const char *schema);
void sf_rows_release(struct sf_rows *r);
/* The names of the columns, where the format has them in a line of their own. */
void sf_rows_header(struct sf_rows *r, const char *const *columns, size_t nr);

/* The window that the following rows are about. */
void sf_rows_window(struct sf_rows *r, const struct sf_export_window *w);

/* One row: begin, its own columns in the order of the header, end. */
void sf_rows_begin(struct sf_rows *r);
void sf_rows_text(struct sf_rows *r, const char *column, const char *text); /* NULL: null */
void sf_rows_known(struct sf_rows *r, const char *column, const char *text); /* "": null */
/* The frames of a path from the root on, as folded stacks have them: ';' between, ':' for ';' inside. */
void sf_rows_stack(struct sf_rows *r, const char *column, const struct sf_profile *p, uint32_t path);
void sf_rows_ms(struct sf_rows *r, const char *column, uint64_t ns);
void sf_rows_int(struct sf_rows *r, const char *column, int64_t v);
void sf_rows_number(struct sf_rows *r, const char *column, double v); /* NAN: null */
void sf_rows_null(struct sf_rows *r, const char *column);
/* The start of a column whose value the caller adds to r->line as JSON. */
void sf_rows_json(struct sf_rows *r, const char *column);
void sf_rows_end(struct sf_rows *r);
/* 0, or -ENOMEM when a row was lost to that. */
int sf_rows_status(const struct sf_rows *r);

#endif
