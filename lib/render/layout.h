/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text in columns; private to render/. Texts are printable UTF-8 already (sf_str_add_printable) and
 * hold no escapes: those are added around finished cells.
 */
#ifndef SF_RENDER_LAYOUT_H
#define SF_RENDER_LAYOUT_H

#include <snapflame/str.h>

enum sf_style { SF_PLAIN, SF_BOLD, SF_DIM, SF_RED, SF_GREEN, SF_YELLOW, SF_NR_STYLES };

/* Columns that a terminal gives to the text. */
size_t sf_columns(const char *text, size_t len);

/* Append a name that comes from outside. */
void sf_put_name(struct sf_str *out, const char *name);

/* Append at most columns of text; what does not fit is cut out of its middle and shown as "…". */
void sf_put_cut(struct sf_str *out, const char *text, size_t columns);
/* The same, filled with spaces up to columns: on the right, on the left. */
void sf_put_left(struct sf_str *out, const char *text, size_t columns);
void sf_put_right(struct sf_str *out, const char *text, size_t columns);

/*
 * Append words of text, broken at spaces, to out whose last line has at columns already; further
 * lines start with indent spaces. No newline at the end. Words longer than a line are cut.
 */
void sf_put_wrapped(struct sf_str *out, const char *text, size_t at, size_t indent, size_t width);

void sf_put_spaces(struct sf_str *out, size_t n);

/* Begin and end a style; nothing where color is false. */
void sf_style(struct sf_str *out, bool color, enum sf_style style);

/* Lines in text. */
size_t sf_lines(const char *text);

/* Every character beyond ASCII becomes one of ASCII that takes as much room. */
void sf_to_ascii(struct sf_str *out, size_t from);

#endif
