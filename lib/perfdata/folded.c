/* SPDX-License-Identifier: GPL-2.0-only */
#include <snapflame/folded.h>

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "perfdata/lines.h"

struct sf_folded {
	struct sf_lines lines;
	char *path;
	int columns; /* of the first line: what the file has */
	struct sf_folded_line line;
	struct sf_folded_stats stats;
};

/*
 * The number at the end of text and the white space before it: digits, perhaps with a fraction.
 * *len becomes what is left; false where there is no such number or nothing before it.
 */
static bool cut_number(const char *text, size_t *len, uint64_t *value, bool *rounded)
{
	size_t start = *len, i;
	uint64_t v = 0;

	while (start && (isdigit((unsigned char)text[start - 1]) || text[start - 1] == '.'))
		start--;
	if (start == *len || !start || text[start] == '.' ||
	    !isspace((unsigned char)text[start - 1]))
		return false;
	for (i = start; i < *len && text[i] != '.'; i++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(text[i] - '0'), &v))
			return false;
	if (i < *len) {
		if (memchr(text + i + 1, '.', *len - i - 1))
			return false;
		for (size_t k = i + 1; k < *len; k++)
			*rounded |= text[k] != '0';
		v += i + 1 < *len && text[i + 1] >= '5' && v < UINT64_MAX;
	}
	*value = v;
	*len = start - 1;
	return true;
}

bool sf_folded_parse(const char *text, size_t len, struct sf_folded_line *line, bool *rounded)
{
	uint64_t last;

	*rounded = false;
	if (!cut_number(text, &len, &last, rounded))
		return false;
	line->stack = text;
	line->len = len;
	line->columns = 1;
	line->weight[0] = last;
	line->weight[1] = 0;
	if (cut_number(text, &line->len, &line->weight[0], rounded)) {
		line->columns = 2;
		line->weight[1] = last;
	}
	return true;
}

int sf_folded_new(struct sf_folded **ret, struct sf_input *in, const char *path,
		  struct sf_error *err)
{
	struct sf_folded *f = calloc(1, sizeof(*f));

	*ret = NULL;
	if (!f)
		return sf_error_at(err, -ENOMEM, path, 0, "no memory");
	f->path = strdup(path);
	if (!f->path) {
		free(f);
		return sf_error_at(err, -ENOMEM, path, 0, "no memory");
	}
	sf_lines_init(&f->lines, in);
	*ret = f;
	return 0;
}

void sf_folded_free(struct sf_folded *f)
{
	if (!f)
		return;
	sf_lines_release(&f->lines);
	free(f->path);
	free(f);
}

/*
 * A name may end in a space and digits ("LazyCompile:~x node.js 387"): in a file of one column a
 * second number belongs to the name.
 */
static void settle_columns(struct sf_folded *f)
{
	struct sf_folded_line *l = &f->line;

	if (!f->columns)
		f->columns = l->columns;
	if (f->columns == 1 && l->columns == 2) {
		while (isspace((unsigned char)l->stack[l->len]))
			l->len++;
		while (isdigit((unsigned char)l->stack[l->len]) || l->stack[l->len] == '.')
			l->len++;
		l->columns = 1;
		l->weight[0] = l->weight[1];
		l->weight[1] = 0;
	}
}

/* flamegraph.pl knows none, but some tools write "# …". A thread may well be called "#1". */
static bool is_comment(const char *text, size_t len)
{
	return text[0] == '#' && (len == 1 || isspace((unsigned char)text[1]) || text[1] == '#');
}

int sf_folded_next(struct sf_folded *f, const struct sf_folded_line **line, struct sf_error *err)
{
	const char *text;
	bool rounded;
	size_t len;
	int ret;

	while ((ret = sf_lines_next(&f->lines, &text, &len, f->path, err)) > 0) {
		if (!len || is_comment(text, len))
			continue;
		if (!sf_folded_parse(text, len, &f->line, &rounded)) {
			if (text[0] == '#')
				continue;
			if (!f->stats.unrecognized++)
				f->stats.first_unrecognized = f->lines.number;
			continue;
		}
		settle_columns(f);
		f->line.line = f->lines.number;
		f->stats.lines++;
		f->stats.rounded += rounded;
		*line = &f->line;
		return 1;
	}
	return ret;
}

const struct sf_folded_stats *sf_folded_stats(const struct sf_folded *f)
{
	return &f->stats;
}
