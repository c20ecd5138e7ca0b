/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables for programs. */
#include <errno.h>
#include <string.h>

#include <snapflame/render_table.h>

#include "render/json_value.h"

/* ------------------------------------------------------------------------- CSV */

/* A cell is a line's: what would end it, or act on a terminal, is spelt \xNN. */
static void put_field(struct sf_str *out, const char *text)
{
	struct sf_str plain = SF_STR_INIT;
	bool quote;

	sf_str_add_printable(&plain, text, strlen(text));
	quote = strpbrk(plain.buf, ",\"");
	if (quote)
		sf_str_addch(out, '"');
	for (const char *p = plain.buf; *p; p++) {
		if (*p == '"')
			sf_str_addch(out, '"');
		sf_str_addch(out, *p);
	}
	if (quote)
		sf_str_addch(out, '"');
	out->failed |= plain.failed;
	sf_str_release(&plain);
}

static void put_cell(struct sf_str *out, const struct sf_cell *c)
{
	if (c->type == SF_CELL_TEXT)
		put_field(out, c->text);
	else if (c->type == SF_CELL_INT)
		sf_str_addf(out, "%lld", (long long)c->i);
	else if (c->type == SF_CELL_REAL)
		sf_str_addf(out, "%.15g", c->d);
}

int sf_csv_table(struct sf_str *out, const struct sf_table *t)
{
	for (size_t r = 0; r <= t->nr_rows; r++) {
		const char *comma = "";

		for (size_t i = 0; i < t->nr_columns; i++) {
			if (!(t->column[i].flags & SF_COLUMN_DATA))
				continue;
			sf_str_add(out, comma);
			comma = ",";
			if (!r)
				sf_str_add(out, t->column[i].key);
			else
				put_cell(out, sf_table_cell(t, r - 1, i));
		}
		sf_str_addch(out, '\n');
	}
	return sf_str_failed(out) ? -ENOMEM : 0;
}

/* ------------------------------------------------------------------------ JSON */

static json_t *value(const struct sf_cell *c)
{
	switch (c->type) {
	case SF_CELL_TEXT:
		return sf_json_name(c->text);
	case SF_CELL_INT:
		return json_integer(c->i);
	case SF_CELL_REAL:
		return sf_json_number(c->d);
	default:
		return json_null();
	}
}

int sf_json_table(struct sf_str *out, const struct sf_table *t)
{
	json_t *list = json_array();

	for (size_t r = 0; r < t->nr_rows; r++) {
		json_t *o = json_object();

		for (size_t i = 0; i < t->nr_columns; i++)
			if (t->column[i].flags & SF_COLUMN_DATA)
				sf_json_set(&o, t->column[i].key, value(sf_table_cell(t, r, i)));
		sf_json_append(&list, o);
	}
	return sf_json_print(out, list);
}
