/* SPDX-License-Identifier: GPL-2.0-only */
/* What must be true of anything that is printed, whatever the names in it are. */
#ifndef TESTS_FUZZ_OUTPUT_HOLDS_H
#define TESTS_FUZZ_OUTPUT_HOLDS_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/str.h>

#include "must.h"

/* UTF-8 without a character that a terminal would act on; more has those that are fine. */
static inline void check_terminal(const char *text, size_t len, const char *more)
{
	for (size_t i = 0, n; i < len; i += n) {
		const unsigned char *p = (const unsigned char *)text + i;

		n = sf_utf8_len(text + i, len - i);
		MUST(n);
		MUST(*p >= 0x20 || (*p && strchr(more, *p)));
		MUST(*p != 0x7f);
		MUST(!(n == 2 && p[0] == 0xc2 && p[1] < 0xa0));
		/* U+202A … U+202E and U+2066 … U+2069 turn the order of what stands around them. */
		MUST(!(n == 3 && p[0] == 0xe2 && p[1] == 0x80 && p[2] >= 0xaa && p[2] <= 0xae));
		MUST(!(n == 3 && p[0] == 0xe2 && p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9));
	}
}

static inline void check_text(const struct sf_str *s)
{
	MUST(!sf_str_failed(s) && strlen(s->buf) == s->len);
	check_terminal(s->buf, s->len, "\n");
}

/* One JSON value; or one a line. */
static inline void check_json(const char *text, size_t len, bool lines)
{
	check_terminal(text, len, "\n\t");
	while (len) {
		const char *end = lines ? memchr(text, '\n', len) : NULL;
		size_t n = end ? (size_t)(end + 1 - text) : len;
		json_error_t why;
		json_t *o = json_loadb(text, n, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &why);

		if (!o)
			fprintf(stderr, "JSON: %s at %d\n", why.text, why.position);
		MUST(o);
		json_decref(o);
		text += n;
		len -= n;
	}
}

/* Lines of as many cells each; with quotes as RFC 4180 has them. */
static inline void check_cells(const char *text, size_t len, char separator)
{
	size_t cells = 0, now = 1;
	bool quoted = false;

	check_terminal(text, len, "\n\t\r");
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"' && separator == ',')
			quoted = !quoted;
		now += !quoted && text[i] == separator;
		if (quoted || text[i] != '\n')
			continue;
		MUST(!cells || cells == now);
		cells = now;
		now = 1;
	}
	MUST(!quoted);
}

#endif
