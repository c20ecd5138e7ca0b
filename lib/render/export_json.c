/* SPDX-License-Identifier: GPL-2.0-only */
#include "render/export_json.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

/* As it is: most of every name. */
static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* The character at text; its bytes. */
static size_t add_other(struct sf_str *to, const char *text, size_t left)
{
	bool inert;
	size_t n = sf_char_len(text, left, &inert);

	if (*text == '"' || *text == '\\')
		sf_str_addf(to, "\\%c", *text);
	else if (!sf_utf8_len(text, left))
		sf_str_addf(to, "\\\\x%02x", (unsigned char)*text);
	else if (!inert)
		sf_str_addf(to, "\\u%04x", (unsigned)sf_char_code(text, n));
	else
		sf_str_addn(to, text, n);
	return n;
}

/* What is no UTF-8 becomes \xNN; everything else stays the same for a program. */
void sf_add_json_string(struct sf_str *to, const char *text)
{
	size_t len = strlen(text);

	sf_str_addch(to, '"');
	for (size_t i = 0, from; i < len;) {
		for (from = i; i < len && is_plain((unsigned char)text[i]);)
			i++;
		sf_str_addn(to, text + from, i - from);
		if (i < len)
			i += add_other(to, text + i, len - i);
	}
	sf_str_addch(to, '"');
}

void sf_put_string(FILE *f, const char *text)
{
	struct sf_str s = SF_STR_INIT;

	sf_add_json_string(&s, text);
	fwrite(s.buf, 1, s.len, f);
	sf_str_release(&s);
}

void sf_put_ms(FILE *f, uint64_t ns)
{
	fprintf(f, "%" PRIu64 ".%06" PRIu64, ns / 1000000, ns % 1000000);
}

void sf_put_us(FILE *f, uint64_t ns)
{
	fprintf(f, "%" PRIu64 ".%03" PRIu64, ns / 1000, ns % 1000);
}

void sf_add_json_number(struct sf_str *to, double v)
{
	char buf[40], *comma;

	if (!isfinite(v)) {
		sf_str_add(to, "null");
		return;
	}
	snprintf(buf, sizeof(buf), "%.12g", v);
	comma = strchr(buf, ','); /* some locales' decimal point */
	if (comma)
		*comma = '.';
	sf_str_add(to, buf);
}

void sf_put_number(FILE *f, double v)
{
	struct sf_str s = SF_STR_INIT;

	sf_add_json_number(&s, v);
	fputs(s.buf, f);
	sf_str_release(&s);
}
