/* SPDX-License-Identifier: GPL-2.0-only */
#include "render/layout.h"

#include <stdint.h>
#include <string.h>

static uint32_t decode(const char *text, size_t n)
{
	const unsigned char *p = (const unsigned char *)text;
	static const unsigned char mask[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t c = p[0] & mask[n];

	for (size_t i = 1; i < n; i++)
		c = c << 6 | (p[i] & 0x3f);
	return c;
}

/* Ranges that terminals draw with no column, and with two (Unicode's East Asian Width). */
static size_t width_of(uint32_t c)
{
	static const struct {
		uint32_t first, last;
		size_t width;
	} range[] = {
		{ 0x300, 0x36f, 0 },     { 0x200b, 0x200f, 0 },   { 0x202a, 0x202e, 0 },
		{ 0x20d0, 0x20f0, 0 },   { 0xfe00, 0xfe0f, 0 },   { 0xfe20, 0xfe2f, 0 },
		{ 0xfeff, 0xfeff, 0 },   { 0x1100, 0x115f, 2 },   { 0x2e80, 0x303e, 2 },
		{ 0x3041, 0xa4cf, 2 },   { 0xa960, 0xa97c, 2 },   { 0xac00, 0xd7a3, 2 },
		{ 0xf900, 0xfaff, 2 },   { 0xfe30, 0xfe6f, 2 },   { 0xff00, 0xff60, 2 },
		{ 0xffe0, 0xffe6, 2 },   { 0x1f300, 0x1f64f, 2 }, { 0x1f680, 0x1faff, 2 },
		{ 0x20000, 0x3fffd, 2 },
	};

	for (size_t i = 0; c >= 0x300 && i < sizeof(range) / sizeof(range[0]); i++)
		if (c >= range[i].first && c <= range[i].last)
			return range[i].width;
	return 1;
}

/* Bytes and columns of the character at text. */
static size_t next(const char *text, size_t left, size_t *columns)
{
	size_t n = sf_utf8_len(text, left);

	if (!n) {
		*columns = 1;
		return 1;
	}
	*columns = width_of(decode(text, n));
	return n;
}

size_t sf_columns(const char *text, size_t len)
{
	size_t sum = 0, w;

	for (size_t i = 0; i < len; sum += w)
		i += next(text + i, len - i, &w);
	return sum;
}

/* Bytes of text that fit into columns. */
static size_t head(const char *text, size_t len, size_t columns)
{
	size_t i = 0, used = 0, w;

	while (i < len) {
		size_t n = next(text + i, len - i, &w);

		if (used + w > columns)
			break;
		used += w;
		i += n;
	}
	return i;
}

/* Where the last columns of text begin. */
static size_t tail(const char *text, size_t len, size_t columns)
{
	size_t all = sf_columns(text, len), i = 0, w;

	while (i < len && all > columns) {
		i += next(text + i, len - i, &w);
		all -= w;
	}
	return i;
}

void sf_put_name(struct sf_str *out, const char *name)
{
	sf_str_add_printable(out, name, strlen(name));
}

void sf_put_cut(struct sf_str *out, const char *text, size_t columns)
{
	size_t len = strlen(text), keep = columns ? columns - 1 : 0;

	if (sf_columns(text, len) <= columns) {
		sf_str_addn(out, text, len);
		return;
	}
	if (!columns)
		return;
	sf_str_addn(out, text, head(text, len, keep - keep / 4));
	sf_str_add(out, "…");
	sf_str_add(out, text + tail(text, len, keep / 4));
}

void sf_put_spaces(struct sf_str *out, size_t n)
{
	while (n-- > 0)
		sf_str_addch(out, ' ');
}

void sf_put_left(struct sf_str *out, const char *text, size_t columns)
{
	size_t from = out->len, used;

	sf_put_cut(out, text, columns);
	used = sf_columns(out->buf + from, out->len - from);
	sf_put_spaces(out, columns > used ? columns - used : 0);
}

void sf_put_right(struct sf_str *out, const char *text, size_t columns)
{
	size_t used = sf_columns(text, strlen(text));

	sf_put_spaces(out, columns > used ? columns - used : 0);
	sf_put_cut(out, text, columns);
}

static size_t put_word(struct sf_str *out, const char *word, size_t len, size_t columns)
{
	struct sf_str copy = SF_STR_INIT;
	size_t from = out->len;

	sf_str_addn(&copy, word, len);
	sf_put_cut(out, copy.buf, columns);
	out->failed |= copy.failed;
	sf_str_release(&copy);
	return sf_columns(out->buf + from, out->len - from);
}

void sf_put_wrapped(struct sf_str *out, const char *text, size_t at, size_t indent, size_t width)
{
	bool first = true;

	while (*(text += strspn(text, " "))) {
		size_t len = strcspn(text, " "), w = sf_columns(text, len);

		if (!first && at + 1 + w > width) {
			sf_str_addch(out, '\n');
			sf_put_spaces(out, indent);
			at = indent;
		} else if (!first) {
			sf_str_addch(out, ' ');
			at++;
		}
		at += put_word(out, text, len, width > at ? width - at : 1);
		text += len;
		first = false;
	}
}

void sf_style(struct sf_str *out, bool color, enum sf_style style)
{
	static const char *const code[SF_NR_STYLES] = { "0", "1", "2", "31", "32", "33" };

	if (color)
		sf_str_addf(out, "\033[%sm", code[style]);
}

size_t sf_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static char ascii_of(uint32_t c)
{
	switch (c) {
	case 0x394: /* Δ */
		return 'd';
	case 0x2192: /* → */
		return '>';
	case 0x2026: /* … */
		return '~';
	case 0x2013: /* – */
		return '-';
	case 0xb5: /* µ */
		return 'u';
	case 0x2588: /* a full block, then those of half a column and more */
	case 0x2589:
	case 0x258a:
	case 0x258b:
	case 0x258c:
		return '#';
	case 0x258d: /* what is less than that */
	case 0x258e:
	case 0x258f:
		return '.';
	case 0x2592: /* a pale block */
		return '-';
	default:
		return '?';
	}
}

void sf_to_ascii(struct sf_str *out, size_t from)
{
	size_t to = from, columns;

	/* The shared empty string is not ours to write to. */
	if (sf_str_failed(out) || !out->alloc)
		return;
	for (size_t i = from; i < out->len;) {
		size_t n = next(out->buf + i, out->len - i, &columns);

		if ((unsigned char)out->buf[i] < 0x80) {
			out->buf[to++] = out->buf[i];
		} else {
			char c = n > 1 ? ascii_of(decode(out->buf + i, n)) : '?';

			for (size_t k = 0; k < columns; k++)
				out->buf[to++] = c;
		}
		i += n;
	}
	out->len = to;
	out->buf[to] = '\0';
}
