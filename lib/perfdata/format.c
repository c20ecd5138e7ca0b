/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libtraceevent was made for what the kernel says and crashes on what it would never say. So it
 * gets the format of a tracepoint not as the file has it, but written anew from the lines that are
 * beyond doubt, and without the print format, which takes most of its parser and is not needed:
 *
 *	name: sched_switch
 *	ID: 316
 *	format:
 *		field:char prev_comm[16];	offset:8;	size:16;	signed:0;
 *
 *	print fmt: "…"
 */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "perfdata/tracing.h"

#define MAX_FIELDS 512
#define MAX_NUMBER 65535 /* raw data is no larger */

struct line {
	const char *p, *end;
};

static void skip_space(struct line *l)
{
	while (l->p < l->end && isspace((unsigned char)*l->p))
		l->p++;
}

static bool take(struct line *l, const char *word)
{
	size_t n = strlen(word);

	skip_space(l);
	if ((size_t)(l->end - l->p) < n || memcmp(l->p, word, n))
		return false;
	l->p += n;
	return true;
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static size_t word_length(const struct line *l)
{
	size_t n = 0;

	while (l->p + n < l->end && is_word(l->p[n]))
		n++;
	return n;
}

static bool take_number(struct line *l, unsigned *v)
{
	const char *start = l->p;

	*v = 0;
	while (l->p < l->end && isdigit((unsigned char)*l->p) && *v <= MAX_NUMBER)
		*v = *v * 10 + (unsigned)(*l->p++ - '0');
	return l->p > start && *v <= MAX_NUMBER;
}

/*
 * A declaration: words and stars, the last word being the name, which may have one pair of brackets
 * with a word or nothing in it; or __data_loc and __rel_loc, which have the brackets before the
 * name.
 */
static bool good_declaration(struct line l)
{
	unsigned words = 0, brackets = 0;
	bool name_last = false;

	for (;;) {
		size_t n;

		skip_space(&l);
		if (l.p == l.end)
			return words >= 2 && name_last;
		n = word_length(&l);
		if (n) {
			words++;
			name_last = !isdigit((unsigned char)*l.p);
			l.p += n;
		} else if (*l.p == '*' && words) {
			name_last = false;
			l.p++;
		} else if (*l.p == '[' && words && !brackets++) {
			l.p++;
			l.p += word_length(&l);
			if (l.p == l.end || *l.p++ != ']')
				return false;
		} else {
			return false;
		}
	}
}

static bool add_field(struct sf_str *out, struct line l)
{
	unsigned offset, size, is_signed = 0;
	struct line decl;

	if (!take(&l, "field:"))
		return false;
	decl.p = l.p;
	decl.end = memchr(l.p, ';', (size_t)(l.end - l.p));
	if (!decl.end || decl.end - decl.p > 256 || !good_declaration(decl))
		return false;
	l.p = decl.end + 1;
	if (!take(&l, "offset:") || !take_number(&l, &offset) || !take(&l, ";") ||
	    !take(&l, "size:") || !take_number(&l, &size) || !take(&l, ";"))
		return false;
	if (take(&l, "signed:") && (!take_number(&l, &is_signed) || is_signed > 1))
		return false;
	sf_str_add(out, "\tfield:");
	sf_str_addn(out, decl.p, (size_t)(decl.end - decl.p));
	sf_str_addf(out, ";\toffset:%u;\tsize:%u;\tsigned:%u;\n", offset, size, is_signed);
	return true;
}

bool sf_format_rewrite(const char *text, size_t size, uint64_t id, struct sf_str *out)
{
	const char *end = text + size;
	unsigned fields = 0;
	bool parted = false;

	sf_str_addf(out, "name: event\nID: %" PRIu64 "\nformat:\n", id);
	while (text < end && fields < MAX_FIELDS) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		struct line l = { text, nl ? nl : end };

		text = l.end + 1;
		if (add_field(out, l)) {
			fields++;
		} else if (l.p == l.end && fields && !parted) {
			sf_str_addch(out, '\n'); /* between common fields and the event's own */
			parted = true;
		}
	}
	if (!parted)
		sf_str_addch(out, '\n');
	sf_str_add(out, "\nprint fmt: \"\"\n");
	return fields && !sf_str_failed(out);
}
