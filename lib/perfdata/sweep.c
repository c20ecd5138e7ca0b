/* SPDX-License-Identifier: GPL-2.0-only */
#include <snapflame/sweep.h>

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <snapflame/array.h>

#include "perfdata/lines.h"

enum column { TRIAL, BRANCH, PAUSE, DIFF, BYTES, NR_COLUMNS };

enum { MAX_FIELDS = 64 };

struct parser {
	struct sf_sweep *sweep;
	int at[NR_COLUMNS]; /* place in the line, -1: not there */
	bool named;
};

struct field {
	const char *text;
	size_t len;
};

/* Fields of a line, without quotes and the white space around them. */
static size_t split(const char *line, size_t len, struct field *f, size_t max)
{
	size_t nr = 0, i = 0;

	while (nr < max) {
		size_t start = i, end;
		bool quoted = i < len && line[i] == '"';

		if (quoted)
			for (start = ++i; i < len && line[i] != '"'; i++)
				;
		else
			while (i < len && line[i] != ',')
				i++;
		end = i;
		while (i < len && line[i] != ',')
			i++;
		while (start < end && isspace((unsigned char)line[start]))
			start++;
		while (end > start && isspace((unsigned char)line[end - 1]))
			end--;
		f[nr++] = (struct field){ line + start, end - start };
		if (i++ >= len)
			break;
	}
	return nr;
}

static bool is(const struct field *f, const char *word)
{
	return f->len == strlen(word) && !strncasecmp(f->text, word, f->len);
}

static bool number(const struct field *f, double *v)
{
	char text[64], *end;

	*v = NAN;
	if (!f->len || is(f, "null") || is(f, "nan") || is(f, "-"))
		return true;
	if (f->len >= sizeof(text))
		return false;
	memcpy(text, f->text, f->len);
	text[f->len] = '\0';
	/* strtod alone takes hexadecimal, "inf" and more. */
	if (text[strspn(text, "0123456789+-.eE")])
		return false;
	*v = strtod(text, &end);
	return !*end && isfinite(*v);
}

static void take_names(struct parser *p, const struct field *f, size_t nr)
{
	static const struct {
		const char *name;
		enum column column;
	} known[] = {
		{ "trial", TRIAL }, { "branch_idx", BRANCH }, { "branch", BRANCH },
		{ "dark_ms", PAUSE }, { "pause_ms", PAUSE }, { "diff_ms", DIFF },
		{ "diff_physical_bytes", BYTES },
	};

	for (int c = 0; c < NR_COLUMNS; c++)
		p->at[c] = -1;
	for (size_t k = 0; k < SF_ARRAY_SIZE(known); k++)
		for (size_t i = 0; i < nr; i++)
			if (is(&f[i], known[k].name))
				p->at[known[k].column] = (int)i;
}

static int is_names(const struct field *f, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (is(&f[i], "pause_ms") || is(&f[i], "dark_ms"))
			return true;
	return false;
}

static int value(const struct parser *p, enum column c, const struct field *f, size_t nr, double *v)
{
	*v = NAN;
	if (p->at[c] < 0 || (size_t)p->at[c] >= nr)
		return 0;
	return number(&f[p->at[c]], v) ? 0 : -EINVAL;
}

/* A counting number, or def where there is none. */
static int whole(double v, unsigned def, unsigned *out)
{
	*out = def;
	if (isnan(v))
		return 0;
	if (v < 0 || v > 1e9 || v != floor(v))
		return -EINVAL;
	*out = (unsigned)v;
	return 0;
}

static int add(struct parser *p, const struct field *f, size_t nr)
{
	struct sf_sweep *s = p->sweep;
	double v[NR_COLUMNS];
	struct sf_sweep_row row;
	unsigned last = s->nr ? s->row[s->nr - 1].branch : 0;

	for (int c = 0; c < NR_COLUMNS; c++)
		if (value(p, c, f, nr, &v[c]))
			return -EINVAL;
	if (isnan(v[PAUSE]))
		return 0; /* a BRANCH that failed */
	if (v[PAUSE] < 0 || whole(v[TRIAL], 1, &row.trial) || whole(v[BRANCH], last + 1, &row.branch))
		return -EINVAL;
	row.pause_ms = v[PAUSE];
	row.diff_ms = v[DIFF];
	row.bytes = v[BYTES] >= 0 ? v[BYTES] : NAN;
	if (SF_GROW(s->row, s->nr + 1, s->alloc))
		return -ENOMEM;
	s->row[s->nr++] = row;
	return 0;
}

static int take_line(struct parser *p, const char *line, size_t len)
{
	struct field f[MAX_FIELDS];
	size_t nr = split(line, len, f, MAX_FIELDS);

	if (!len || line[0] == '#' || (nr == 1 && !f[0].len))
		return 0;
	if (!p->named && is_names(f, nr)) {
		take_names(p, f, nr);
		p->named = true;
		return 0;
	}
	p->named = true;
	return add(p, f, nr);
}

int sf_sweep_read(struct sf_sweep *s, struct sf_input *in, const char *path, struct sf_error *err)
{
	struct parser p = { .sweep = s, .at = { 0, 1, 2, 3, 4 } };
	struct sf_lines lines;
	const char *line;
	size_t len;
	int ret;

	memset(s, 0, sizeof(*s));
	sf_lines_init(&lines, in);
	while ((ret = sf_lines_next(&lines, &line, &len, path, err)) > 0) {
		/* Spreadsheets write a byte order mark. */
		if (lines.number == 1 && len >= 3 && !memcmp(line, "\xef\xbb\xbf", 3)) {
			line += 3;
			len -= 3;
		}
		ret = take_line(&p, line, len);
		if (ret == -ENOMEM)
			sf_error_at(err, ret, path, 0, "out of memory");
		else if (ret)
			sf_error_at(err, ret, path, lines.number,
				    "not a line of trial,branch_idx,pause_ms,diff_ms,"
				    "diff_physical_bytes");
		if (ret)
			break;
	}
	if (!ret && !s->nr)
		ret = sf_error_at(err, -EINVAL, path, 0, "no BRANCH in this table");
	sf_lines_release(&lines);
	if (ret)
		sf_sweep_release(s);
	return ret;
}

struct place {
	unsigned trial, branch;
	size_t at;
};

static int by_number(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->trial != y->trial)
		return x->trial < y->trial ? -1 : 1;
	return (x->branch > y->branch) - (x->branch < y->branch);
}

/* Rows stay in the order of the file. */
int sf_sweep_skip(struct sf_sweep *s, unsigned warmup)
{
	struct place *p = calloc(s->nr + 1, sizeof(*p));
	unsigned before = 0; /* different BRANCHes of this trial */
	size_t kept = 0;

	if (!p)
		return -ENOMEM;
	for (size_t i = 0; i < s->nr; i++)
		p[i] = (struct place){ s->row[i].trial, s->row[i].branch, i };
	qsort(p, s->nr, sizeof(*p), by_number);
	for (size_t i = 0; i < s->nr; i++) {
		if (!i || p[i].trial != p[i - 1].trial)
			before = 0;
		else
			before += p[i].branch != p[i - 1].branch;
		if (before < warmup)
			s->row[p[i].at].pause_ms = -1; /* no row has that */
	}
	for (size_t i = 0; i < s->nr; i++)
		if (s->row[i].pause_ms >= 0)
			s->row[kept++] = s->row[i];
	s->nr = kept;
	free(p);
	return 0;
}

void sf_sweep_release(struct sf_sweep *s)
{
	free(s->row);
	memset(s, 0, sizeof(*s));
}
