/* SPDX-License-Identifier: GPL-2.0-only */
#include "render/export_json.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include <snapflame/str.h>

static int is_utf8(const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = sf_utf8_len(text + i, len - i);

		if (!n)
			return 0;
		i += n;
	}
	return 1;
}

static void put_escaped(FILE *f, const char *text)
{
	putc('"', f);
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p == '"' || *p == '\\')
			fprintf(f, "\\%c", *p);
		else if (*p < 0x20 || *p == 0x7f)
			fprintf(f, "\\u%04x", *p);
		else
			putc(*p, f);
	}
	putc('"', f);
}

void sf_put_string(FILE *f, const char *text)
{
	struct sf_str s = SF_STR_INIT;
	size_t len = strlen(text);

	if (is_utf8(text, len)) {
		put_escaped(f, text);
		return;
	}
	sf_str_add_printable(&s, text, len);
	put_escaped(f, s.buf);
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

void sf_put_number(FILE *f, double v)
{
	char buf[40], *comma;

	if (!isfinite(v)) {
		fputs("null", f);
		return;
	}
	snprintf(buf, sizeof(buf), "%.12g", v);
	comma = strchr(buf, ','); /* some locales' decimal point */
	if (comma)
		*comma = '.';
	fputs(buf, f);
}
