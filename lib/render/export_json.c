/* SPDX-License-Identifier: GPL-2.0-only */
#include "render/export_json.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>


static bool is_utf8(const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = sf_utf8_len(text + i, len - i);

		if (!n)
			return false;
		i += n;
	}
	return true;
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
}

static void add_escaped(struct sf_str *to, const char *text, size_t len)
{
	sf_str_addch(to, '"');
	for (size_t i = 0, from; i < len;) {
		for (from = i; i < len && is_plain((unsigned char)text[i]);)
			i++;
		sf_str_addn(to, text + from, i - from);
		if (i == len)
			break;
		if (text[i] == '"' || text[i] == '\\')
			sf_str_addf(to, "\\%c", text[i++]);
		else
			sf_str_addf(to, "\\u%04x", (unsigned char)text[i++]);
	}
	sf_str_addch(to, '"');
}

void sf_add_json_string(struct sf_str *to, const char *text)
{
	struct sf_str s = SF_STR_INIT;
	size_t len = strlen(text);

	if (is_utf8(text, len)) {
		add_escaped(to, text, len);
		return;
	}
	sf_str_add_printable(&s, text, len);
	add_escaped(to, s.buf, s.len);
	to->failed |= sf_str_failed(&s);
	sf_str_release(&s);
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
