/* SPDX-License-Identifier: GPL-2.0-only */
/* A table on a terminal: names give way to numbers, and spare columns to all others. */
#include <stdlib.h>
#include <string.h>

#include <snapflame/render_table.h>

#include "render/layout.h"

/* A thread's name has 15 characters. */
enum { NICE_CUT = 15, LEAST_CUT = 6, BETWEEN = 2 };

struct column {
	size_t width; /* 0: left out */
	const struct sf_column *def;
};

static void put_cell(struct sf_str *s, const struct sf_table *t, size_t row, size_t column)
{
	const struct sf_cell *c = sf_table_cell(t, row, column);

	if (c->type == SF_CELL_TEXT)
		sf_put_name(s, c->text);
	else if (c->type == SF_CELL_INT)
		sf_str_addf(s, "%lld", (long long)c->i);
	else if (c->type == SF_CELL_REAL)
		sf_str_addf(s, "%.*f", (int)t->column[column].decimals, c->d);
	else if (!(t->column[column].flags & SF_COLUMN_LEFT))
		sf_str_addch(s, '-');
}

static bool has_values(const struct sf_table *t, size_t column)
{
	for (size_t r = 0; r < t->nr_rows; r++) {
		const struct sf_cell *c = sf_table_cell(t, r, column);

		if (c->type != SF_CELL_NONE && (c->type != SF_CELL_TEXT || *c->text))
			return true;
	}
	return false;
}

static size_t natural(struct sf_str *out, const struct sf_table *t, size_t column)
{
	size_t most = sf_columns(t->column[column].head, strlen(t->column[column].head));
	struct sf_str s = SF_STR_INIT;

	for (size_t r = 0; r < t->nr_rows; r++) {
		size_t w;

		sf_str_reset(&s);
		put_cell(&s, t, r, column);
		w = sf_columns(s.buf, s.len);
		most = w > most ? w : most;
	}
	out->failed |= s.failed;
	sf_str_release(&s);
	return most ? most : 1;
}

/* Columns that it takes, where names are cut to at most so much. */
static size_t total(const struct column *c, size_t nr, size_t cut)
{
	size_t sum = 0;

	for (size_t i = 0; i < nr; i++) {
		size_t w = c[i].width;

		if (!w)
			continue;
		if (c[i].def->flags & SF_COLUMN_CUT && w > cut)
			w = cut;
		sum += w + (sum ? BETWEEN : 0);
	}
	return sum;
}

/* The widest name gives one column at a time. */
static void cut(struct column *c, size_t nr, size_t width, size_t least)
{
	while (total(c, nr, SIZE_MAX) > width) {
		struct column *widest = NULL;

		for (size_t i = 0; i < nr; i++)
			if (c[i].def->flags & SF_COLUMN_CUT && c[i].width > least &&
			    (!widest || c[i].width >= widest->width))
				widest = &c[i];
		if (!widest)
			break;
		widest->width--;
	}
}

static void fit(struct column *c, size_t nr, size_t width)
{
	for (size_t i = nr; i-- > 0 && total(c, nr, NICE_CUT) > width;)
		if (c[i].def->flags & SF_COLUMN_SPARE)
			c[i].width = 0;
	cut(c, nr, width, NICE_CUT);
	cut(c, nr, width, LEAST_CUT);
}

/* Where a line ends there is nothing to fill. */
static void trim(struct sf_str *out)
{
	while (out->len && out->buf[out->len - 1] == ' ')
		out->buf[--out->len] = '\0';
	sf_str_addch(out, '\n');
}

static void put_row(struct sf_str *out, const struct sf_table *t, const struct column *c,
		    size_t row, bool heading)
{
	struct sf_str s = SF_STR_INIT;
	bool first = true;

	for (size_t i = 0; i < t->nr_columns; i++) {
		if (!c[i].width)
			continue;
		sf_put_spaces(out, first ? 0 : BETWEEN);
		first = false;
		sf_str_reset(&s);
		if (heading)
			sf_str_add(&s, t->column[i].head);
		else
			put_cell(&s, t, row, i);
		if (t->column[i].flags & SF_COLUMN_LEFT)
			sf_put_left(out, s.buf, c[i].width);
		else
			sf_put_right(out, s.buf, c[i].width);
	}
	out->failed |= s.failed;
	sf_str_release(&s);
}

static void put_rows(struct sf_str *out, const struct sf_table *t, const struct column *c,
		     const struct sf_text_opts *o)
{
	sf_style(out, o->color, SF_DIM);
	put_row(out, t, c, 0, true);
	sf_style(out, o->color, SF_PLAIN);
	trim(out);
	for (size_t r = 0; r < t->nr_rows; r++) {
		put_row(out, t, c, r, false);
		trim(out);
	}
}

static void put_notes(struct sf_str *out, const struct sf_table *t, unsigned width)
{
	for (size_t i = 0; i < t->nr_notes; i++) {
		struct sf_str s = SF_STR_INIT;

		sf_put_name(&s, t->note[i]);
		sf_put_wrapped(out, s.buf, 0, 2, width);
		sf_str_addch(out, '\n');
		out->failed |= s.failed;
		sf_str_release(&s);
	}
}

void sf_text_table(struct sf_str *out, const struct sf_table *t, const struct sf_text_opts *opts)
{
	unsigned width = opts->width ? opts->width : SF_TEXT_WIDTH;
	struct column *c = calloc(t->nr_columns, sizeof(*c));
	size_t from = out->len;

	if (!c) {
		out->failed = true;
		return;
	}
	for (size_t i = 0; i < t->nr_columns; i++) {
		c[i].def = &t->column[i];
		if (t->column[i].flags & SF_COLUMN_TEXT && has_values(t, i))
			c[i].width = natural(out, t, i);
	}
	fit(c, t->nr_columns, width);
	if (t->nr_rows)
		put_rows(out, t, c, opts);
	else
		sf_str_add(out, "nothing\n");
	put_notes(out, t, width);
	free(c);
	if (opts->ascii)
		sf_to_ascii(out, from);
}
