/* SPDX-License-Identifier: GPL-2.0-only */
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

void sf_str_vaddf(struct sf_str *s, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	if (n < 0)
		s->failed = true;
	else if (room(s, (size_t)n)) {
		vsnprintf(s->buf + s->len, (size_t)n + 1, fmt, again);
		s->len += (size_t)n;
	}
	va_end(again);
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
	const unsigned char *p = (const unsigned char *)text;
	uint32_t c;
	size_t n;

	if (!left)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		n = 2, c = p[0] & 0x1f;
	else if ((p[0] & 0xf0) == 0xe0)
		n = 3, c = p[0] & 0x0f;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		n = 4, c = p[0] & 0x07;
	else
		return 0;
	if (left < n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if ((n == 3 && c < 0x800) || (n == 4 && c < 0x10000) || c > 0x10ffff ||
	    (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return n;
}

void sf_str_add_printable(struct sf_str *s, const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = sf_utf8_len(text + i, len - i);
		unsigned char c = (unsigned char)text[i];
		/* C1 controls (U+0080 … U+009F) are escapes for some terminals. */
		bool c1 = n == 2 && c == 0xc2 && (unsigned char)text[i + 1] < 0xa0;

		if (!n || c < 0x20 || c == 0x7f || c1) {
			for (size_t k = 0; k < (n ? n : 1); k++)
				sf_str_addf(s, "\\x%02x", (unsigned char)text[i + k]);
			i += n ? n : 1;
			continue;
		}
		sf_str_addn(s, text + i, n);
		i += n;
	}
}
