/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names and numbers as text of the formats that people look at; private to render/. A name is data:
 * whatever it holds is shown and nothing of it acts. Bytes that are no UTF-8, control characters
 * and what XML forbids become \xNN everywhere.
 */
#ifndef SF_RENDER_MARKUP_H
#define SF_RENDER_MARKUP_H

#include <snapflame/str.h>

/* Content of an element or of a quoted attribute, in XML and HTML. */
void sf_markup_xml(struct sf_str *out, const char *text);
void sf_markup_xmln(struct sf_str *out, const char *text, size_t len);
/* A JSON string with its quotes, that holds neither < nor & nor >: safe in <script> and CDATA. */
void sf_markup_json(struct sf_str *out, const char *text, size_t len);
/* What stands between the quotes of a table's field for gnuplot; a " becomes a typographic one. */
void sf_markup_tsv_part(struct sf_str *out, const char *text);
/* Text of a Markdown table's cell or of a paragraph. */
void sf_markup_md(struct sf_str *out, const char *text);
/* The same as code; falls back to escaped text where backquotes cannot do it. */
void sf_markup_md_code(struct sf_str *out, const char *text);
/*
 * At most columns characters of text, its middle cut out as "…" where it is longer; not escaped.
 */
void sf_markup_cut(struct sf_str *out, const char *text, size_t columns);

/* The shortest text with so many significant digits, in JSON's syntax; null where it is not finite. */
void sf_markup_number(struct sf_str *out, double v, int digits);
/* For eyes: "0.04", "1.2", "12.3", "1389"; as many digits as ms are worth. */
void sf_markup_ms(struct sf_str *out, double ms);
/* The same with its sign. */
void sf_markup_signed_ms(struct sf_str *out, double ms);
/* "96.2 %" */
void sf_markup_pct(struct sf_str *out, double pct);
/* "532 B", "1.2 MB" (powers of 1000). */
void sf_markup_bytes(struct sf_str *out, double bytes);

#endif
