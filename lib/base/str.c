/* SPDX-License-Identifier: GPL-2.0-only */
#include <snapflame/array.h>
#include <snapflame/str.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char sf_str_empty[1];

void sf_str_init(struct sf_str *s)
{
	*s = (struct sf_str)SF_STR_INIT;
}

void sf_str_release(struct sf_str *s)
{
	if (s->alloc)
		free(s->buf);
	sf_str_init(s);
}

void sf_str_reset(struct sf_str *s)
{
	s->len = 0;
	if (s->alloc)
		s->buf[0] = '\0';
}

/* Room for more bytes and the terminator. */
static bool room(struct sf_str *s, size_t more)
{
	size_t want, n;
	char *p;

	if (s->failed)
		return false;
	if (s->alloc && s->alloc - s->len > more)
		return true;
	if (more > SIZE_MAX / 2 - s->len - 1) {
		s->failed = true;
		return false;
	}
	want = s->len + more + 1;
	n = s->alloc + s->alloc / 2 + 64;
	if (n < want)
		n = want;
	p = realloc(s->alloc ? s->buf : NULL, n);
	if (!p) {
		s->failed = true;
		return false;
	}
	s->buf = p;
	s->alloc = n;
	return true;
}

void sf_str_addn(struct sf_str *s, const void *data, size_t len)
{
	if (!room(s, len))
		return;
	if (len)
		memcpy(s->buf + s->len, data, len);
	s->len += len;
	s->buf[s->len] = '\0';
}

void sf_str_add(struct sf_str *s, const char *text)
{
	sf_str_addn(s, text, strlen(text));
}

void sf_str_addch(struct sf_str *s, char c)
{
	sf_str_addn(s, &c, 1);
}

/* Most texts fit into what is there already: formatting them once is half of the work. */
void sf_str_vaddf(struct sf_str *s, const char *fmt, va_list ap)
{
	size_t left = s->alloc && !s->failed ? s->alloc - s->len : 0;
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(left ? s->buf + s->len : NULL, left, fmt, ap);
	if (n >= 0 && (size_t)n < left) {
		s->len += (size_t)n;
	} else if (n >= 0 && room(s, (size_t)n)) {
		vsnprintf(s->buf + s->len, (size_t)n + 1, fmt, again);
		s->len += (size_t)n;
	} else {
		s->failed = true;
		if (left)
			s->buf[s->len] = '\0';
	}
	va_end(again);
}

char *sf_arena_vformat(struct sf_arena *a, const char *fmt, va_list ap)
{
	struct sf_str s = SF_STR_INIT;
	char *text = NULL;

	sf_str_vaddf(&s, fmt, ap);
	if (!sf_str_failed(&s))
		text = sf_arena_strndup(a, s.buf, s.len);
	sf_str_release(&s);
	return text;
}

char *sf_arena_format(struct sf_arena *a, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = sf_arena_vformat(a, fmt, ap);
	va_end(ap);
	return text;
}

void sf_str_addf(struct sf_str *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	sf_str_vaddf(s, fmt, ap);
	va_end(ap);
}

char *sf_str_detach(struct sf_str *s)
{
	char *p = NULL;

	if (room(s, 0)) {
		p = s->buf;
		p[s->len] = '\0';
		sf_str_init(s);
	} else {
		sf_str_release(s);
	}
	return p;
}

size_t sf_utf8_len(const char *text, size_t left)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)text;
	uint32_t c;
	size_t n;

	if (!left)
		return 0;
	if (p[0] < 0x80)
		return 1;
	n = p[0] < 0xc0 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf8 ? 4 : 0;
	if (!n || left < n)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	c = sf_char_code(text, n);
	return c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? 0 : n;
}

uint32_t sf_char_code(const char *text, size_t n)
{
	const unsigned char *p = (const unsigned char *)text;
	uint32_t c = n < 2 ? p[0] : p[0] & (0x7fu >> n);

	for (size_t i = 1; i < n; i++)
		c = c << 6 | (p[i] & 0x3fu);
	return c;
}

size_t sf_char_len(const char *text, size_t left, bool *inert)
{
	size_t n = sf_utf8_len(text, left);
	uint32_t c = n ? sf_char_code(text, n) : 0;

	/* C1 controls (U+0080 … U+009F) are escapes for some terminals. U+061C, U+200E … U+2069: marks
	 * that turn the order of writing, line and paragraph separators. U+FEFF is nothing to see, and
	 * at the start of a file no part of it. */
	*inert = n && c >= 0x20 && !(c >= 0x7f && c < 0xa0) && c != 0x61c && c != 0x200e &&
		 c != 0x200f && !(c >= 0x2028 && c <= 0x202e) && !(c >= 0x2066 && c <= 0x2069) &&
		 c != 0xfeff;
	return n ? n : 1;
}

void sf_str_add_printable(struct sf_str *s, const char *text, size_t len)
{
	bool inert;

	for (size_t i = 0, n; i < len; i += n) {
		n = sf_char_len(text + i, len - i, &inert);
		if (inert)
			sf_str_addn(s, text + i, n);
		for (size_t k = 0; !inert && k < n; k++)
			sf_str_addf(s, "\\x%02x", (unsigned char)text[i + k]);
	}
}

void sf_str_add_inert_json(struct sf_str *s, const char *json, size_t len)
{
	bool inert;

	for (size_t i = 0, n; i < len; i += n) {
		n = sf_char_len(json + i, len - i, &inert);
		if (inert || json[i] == '\n' || json[i] == '\t')
			sf_str_addn(s, json + i, n);
		else
			sf_str_addf(s, "\\u%04x", (unsigned)sf_char_code(json + i, n));
	}
}
