/* SPDX-License-Identifier: GPL-2.0-only */
#include "render/markup.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* U+FFFE and U+FFFF are valid UTF-8 and no characters of XML. */
static bool is_nonchar(const unsigned char *p, size_t n)
{
	return n == 3 && p[0] == 0xef && p[1] == 0xbf && p[2] >= 0xbe;
}

/* Bytes of the character at text; *shown is false where it must be spelt \xNN. */
static size_t next(const char *text, size_t left, bool *shown)
{
	size_t n = sf_char_len(text, left, shown);

	*shown = *shown && !is_nonchar((const unsigned char *)text, n);
	return n;
}

/* Walk text, let put write each shown character; the others are spelt, behind backslash. */
static void each(struct sf_str *out, const char *text, size_t len, const char *backslash,
		 void (*put)(struct sf_str *out, const char *c, size_t n))
{
	bool shown;

	for (size_t i = 0, n; i < len; i += n) {
		n = next(text + i, len - i, &shown);
		if (shown) {
			put(out, text + i, n);
			continue;
		}
		for (size_t k = 0; k < n; k++)
			sf_str_addf(out, "%sx%02x", backslash, (unsigned char)text[i + k]);
	}
}

static void put_xml(struct sf_str *out, const char *c, size_t n)
{
	switch (*c) {
	case '&': sf_str_add(out, "&amp;"); break;
	case '<': sf_str_add(out, "&lt;"); break;
	case '>': sf_str_add(out, "&gt;"); break;
	case '"': sf_str_add(out, "&quot;"); break;
	case '\'': sf_str_add(out, "&#39;"); break;
	default: sf_str_addn(out, c, n);
	}
}

void sf_markup_xmln(struct sf_str *out, const char *text, size_t len)
{
	each(out, text, len, "\\", put_xml);
}

void sf_markup_xml(struct sf_str *out, const char *text)
{
	sf_markup_xmln(out, text, strlen(text));
}

static void put_json(struct sf_str *out, const char *c, size_t n)
{
	if (*c == '"' || *c == '\\')
		sf_str_addch(out, '\\');
	if (*c == '<' || *c == '>' || *c == '&')
		sf_str_addf(out, "\\u%04x", (unsigned char)*c);
	else
		sf_str_addn(out, c, n);
}

void sf_markup_json(struct sf_str *out, const char *text, size_t len)
{
	sf_str_addch(out, '"');
	each(out, text, len, "\\\\", put_json);
	sf_str_addch(out, '"');
}

/* gnuplot reads escapes in quoted fields, but no way to write a quote in one. */
static void put_tsv(struct sf_str *out, const char *c, size_t n)
{
	if (*c == '"')
		sf_str_add(out, "”");
	else if (*c == '\\')
		sf_str_add(out, "\\\\");
	else
		sf_str_addn(out, c, n);
}

void sf_markup_tsv_part(struct sf_str *out, const char *text)
{
	each(out, text, strlen(text), "\\\\", put_tsv);
}

static void put_md(struct sf_str *out, const char *c, size_t n)
{
	/* @ and # make mentions and links of issues; an entity is the one way to stop all readers. */
	if (*c == '@' || *c == '#' || *c == '<' || *c == '>' || *c == '&')
		sf_str_addf(out, "&#%u;", (unsigned char)*c);
	else if (n == 1 && strchr("\\`*_{}[]|~$", *c))
		sf_str_addf(out, "\\%c", *c);
	else
		sf_str_addn(out, c, n);
}

void sf_markup_md(struct sf_str *out, const char *text)
{
	each(out, text, strlen(text), "\\\\", put_md);
}

static void put_plain(struct sf_str *out, const char *c, size_t n)
{
	sf_str_addn(out, c, n);
}

void sf_markup_md_code(struct sf_str *out, const char *text)
{
	/* Inside of a table a | ends the cell, also in code. */
	if (!*text || strpbrk(text, "`|")) {
		sf_markup_md(out, text);
		return;
	}
	sf_str_addch(out, '`');
	each(out, text, strlen(text), "\\", put_plain);
	sf_str_addch(out, '`');
}

/* Characters of text; an invalid byte counts as one. */
static size_t characters(const char *text, size_t len)
{
	size_t nr = 0, n;

	for (size_t i = 0; i < len; i += n, nr++) {
		n = sf_utf8_len(text + i, len - i);
		n = n ? n : 1;
	}
	return nr;
}

/* Bytes of the first nr characters. */
static size_t offset(const char *text, size_t len, size_t nr)
{
	size_t i = 0, n;

	for (; i < len && nr--; i += n) {
		n = sf_utf8_len(text + i, len - i);
		n = n ? n : 1;
	}
	return i;
}

void sf_markup_cut(struct sf_str *out, const char *text, size_t columns)
{
	size_t len = strlen(text), nr = characters(text, len), head, tail;

	if (nr <= columns) {
		sf_str_addn(out, text, len);
		return;
	}
	head = columns / 2;
	tail = columns - head > 1 ? columns - head - 1 : 0;
	sf_str_addn(out, text, offset(text, len, head));
	sf_str_add(out, "…");
	sf_str_add(out, text + offset(text, len, nr - tail));
}

void sf_markup_number(struct sf_str *out, double v, int digits)
{
	if (!isfinite(v))
		sf_str_add(out, "null");
	else
		sf_str_addf(out, "%.*g", digits, v == 0 ? 0 : v);
}

static int decimals(double v)
{
	double a = fabs(v);

	if (a >= 99.95)
		return 0;
	if (a >= 0.995)
		return 1;
	return a >= 0.0995 || a == 0 ? 2 : 3;
}

void sf_markup_ms(struct sf_str *out, double ms)
{
	if (!isfinite(ms))
		sf_str_add(out, "–");
	else if (ms == 0 || fabs(ms) < 0.0005)
		sf_str_add(out, "0");
	else
		sf_str_addf(out, "%.*f", decimals(ms), ms);
}

void sf_markup_signed_ms(struct sf_str *out, double ms)
{
	if (isfinite(ms) && ms >= 0.0005)
		sf_str_addch(out, '+');
	sf_markup_ms(out, ms);
}

void sf_markup_pct(struct sf_str *out, double pct)
{
	if (!isfinite(pct))
		sf_str_add(out, "–");
	else
		sf_str_addf(out, "%.1f %%", fabs(pct) < 0.05 ? 0 : pct);
}

void sf_markup_bytes(struct sf_str *out, double bytes)
{
	static const char *const unit[] = { "B", "kB", "MB", "GB", "TB" };
	size_t u = 0;

	if (!isfinite(bytes)) {
		sf_str_add(out, "–");
		return;
	}
	for (; fabs(bytes) >= 999.5 && u < 4; u++)
		bytes /= 1000;
	sf_str_addf(out, u && fabs(bytes) < 99.5 ? "%.1f %s" : "%.0f %s", bytes, unit[u]);
}
