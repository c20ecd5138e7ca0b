/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables of the recordings, and where these come from. */
#include <stdio.h>
#include <string.h>

#include "render/markup.h"
#include "render/report.h"

enum { MAX_ROWS = 200 };

static bool has_value(const struct sf_table *t, size_t column)
{
	for (size_t i = 0; i < t->nr_rows; i++) {
		const struct sf_cell *c = sf_table_cell(t, i, column);

		if (c->type != SF_CELL_NONE && !(c->type == SF_CELL_TEXT && !c->text[0]))
			return true;
	}
	return false;
}

static bool is_number(const struct sf_table *t, size_t column)
{
	return !(t->column[column].flags & SF_COLUMN_LEFT);
}

static bool shown(const struct sf_table *t, size_t column)
{
	return t->column[column].flags & SF_COLUMN_TEXT && has_value(t, column);
}

static void cell(struct sf_str *out, const struct sf_table *t, size_t row, size_t column)
{
	const struct sf_cell *c = sf_table_cell(t, row, column);

	sf_str_add(out, is_number(t, column) ? "<td class=\"n\">" : "<td>");
	if (c->type == SF_CELL_TEXT)
		sf_markup_xml(out, c->text);
	else if (c->type == SF_CELL_INT)
		sf_str_addf(out, "%lld", (long long)c->i);
	else if (c->type == SF_CELL_REAL)
		sf_str_addf(out, "%.*f", (int)t->column[column].decimals, c->d);
	sf_str_add(out, "</td>");
}

static void rows(struct sf_str *out, const struct sf_table *t)
{
	sf_str_add(out, "<div class=\"wide\"><table><thead><tr>");
	for (size_t k = 0; k < t->nr_columns; k++) {
		if (!shown(t, k))
			continue;
		sf_str_add(out, is_number(t, k) ? "<th class=\"n\">" : "<th>");
		sf_markup_xml(out, t->column[k].head);
		sf_str_add(out, "</th>");
	}
	sf_str_add(out, "</tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < t->nr_rows && i < MAX_ROWS; i++) {
		sf_str_add(out, "<tr>");
		for (size_t k = 0; k < t->nr_columns; k++)
			if (shown(t, k))
				cell(out, t, i, k);
		sf_str_add(out, "</tr>\n");
	}
	sf_str_add(out, "</tbody></table></div>\n");
	if (t->nr_rows > MAX_ROWS)
		sf_str_addf(out, "<p class=\"small\">%zu more rows: snapflame show FILE %s</p>\n",
			    t->nr_rows - MAX_ROWS, sf_table_name(t->id));
	for (size_t i = 0; i < t->nr_notes; i++) {
		sf_str_add(out, "<p class=\"small\">");
		sf_markup_xml(out, t->note[i]);
		sf_str_add(out, "</p>\n");
	}
}

static void one(struct sf_str *out, const struct report *r, const struct sf_recording *rec,
		enum sf_table_id id, const char *title)
{
	struct sf_error err = SF_ERROR_INIT;
	struct sf_table *t;

	if (sf_table_make(&t, rec, id, NULL, &err))
		return;
	if (t->nr_rows) {
		sf_str_addf(out, "<details class=\"table\"%s><summary>%s",
			    id == SF_TABLE_BRANCHES ? " open" : "", title);
		if (r->in->nr_recs > 1) {
			sf_str_add(out, ", ");
			sf_markup_xml(out, rec->path);
		}
		sf_str_add(out, "</summary>\n");
		rows(out, t);
		sf_str_add(out, "</details>\n");
	}
	sf_table_free(t);
}

static void sweep(struct sf_str *out, const struct sf_sweep *s)
{
	sf_str_add(out, "<details class=\"table\" open><summary>BRANCHes</summary>\n<div class=\"wide\">"
		   "<table><thead><tr><th class=\"n\">trial</th><th class=\"n\">BRANCH</th>"
		   "<th class=\"n\">pause ms</th><th class=\"n\">diff ms</th><th class=\"n\">written</th>"
		   "</tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < s->nr && i < MAX_ROWS; i++) {
		const struct sf_sweep_row *w = &s->row[i];

		sf_str_addf(out, "<tr><td class=\"n\">%u</td><td class=\"n\">%u</td><td class=\"n\">",
			    w->trial, w->branch);
		sf_markup_ms(out, w->pause_ms);
		sf_str_add(out, "</td><td class=\"n\">");
		sf_markup_ms(out, w->diff_ms);
		sf_str_add(out, "</td><td class=\"n\">");
		sf_markup_bytes(out, w->bytes);
		sf_str_add(out, "</td></tr>\n");
	}
	sf_str_add(out, "</tbody></table></div></details>\n");
}

void report_tables(struct sf_str *out, const struct report *r)
{
	static const struct {
		enum sf_table_id id;
		const char *title;
	} table[] = {
		{ SF_TABLE_BRANCHES, "BRANCHes" },  { SF_TABLE_PHASES, "Phases" },
		{ SF_TABLE_THREADS, "Threads" },
		{ SF_TABLE_FUTEX, "Futexes" },      { SF_TABLE_SYSCALLS, "System calls" },
		{ SF_TABLE_IO, "Block requests" },  { SF_TABLE_WAKEUPS, "Who woke whom" },
		{ SF_TABLE_COVERAGE, "Coverage" },
	};

	if (!r->in->nr_recs && !r->in->sweep)
		return;
	sf_str_add(out, "<section><h2>Tables</h2>\n");
	if (r->diff)
		report_paths(out, r->diff);
	for (size_t i = 0; i < SF_ARRAY_SIZE(table); i++)
		for (size_t k = 0; k < r->in->nr_recs; k++)
			one(out, r, r->in->rec[k], table[i].id, table[i].title);
	if (r->in->sweep)
		sweep(out, r->in->sweep);
	sf_str_add(out, "</section>\n");
}

/* --------------------------------------------------------------------- environment */

static void problems(struct sf_str *out, const struct sf_recording *rec)
{
	const char *line;

	if (!sf_recording_problem(rec, 0))
		return;
	sf_str_add(out, "<ul>\n");
	for (size_t i = 0; (line = sf_recording_problem(rec, i)); i++) {
		sf_str_add(out, "<li>");
		sf_markup_xml(out, line);
		sf_str_add(out, "</li>\n");
	}
	sf_str_add(out, "</ul>\n");
}

static void files(struct sf_str *out, const struct report *r)
{
	sf_str_add(out, "<h3>Files</h3>\n<ul class=\"files\">\n");
	for (size_t i = 0; i < r->dir.file.nr; i++)
		sf_str_addf(out, "<li><a href=\"%s\">%s</a></li>\n", r->dir.file.name[i],
			    r->dir.file.name[i]); /* names of our own */
	sf_str_add(out, "</ul>\n");
}

void report_environment(struct sf_str *out, const struct report *r)
{
	struct sf_str command = SF_STR_INIT;

	sf_str_add(out, "<section><h2>Where this comes from</h2>\n");
	for (size_t i = 0; i < r->in->nr_recs; i++) {
		sf_str_add(out, "<h3>");
		sf_markup_xml(out, r->in->rec[i]->path);
		sf_str_add(out, "</h3>\n<dl class=\"figures\">\n");
		report_recording(r->in->rec[i], report_pair, out);
		sf_str_add(out, "</dl>\n");
		problems(out, r->in->rec[i]);
	}
	if (r->in->source) {
		sf_str_add(out, "<h3>");
		sf_markup_xml(out, r->in->source);
		sf_str_add(out, "</h3>\n");
	}
	report_command(&command, r->in);
	if (command.len) {
		sf_str_add(out, "<h3>Command</h3>\n<pre>");
		sf_markup_xml(out, command.buf);
		sf_str_add(out, "</pre>\n");
	}
	sf_str_release(&command);
	files(out, r);
	sf_str_addf(out, "<p class=\"small\">snapflame %s</p>\n</section>\n", SNAPFLAME_VERSION);
}
