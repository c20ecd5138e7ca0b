/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * JSON Lines, or tab-separated values: no quoting, no tabs or line feeds inside (they become \x09,
 * \x0a), an empty field for null.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "render/export_json.h"
#include "render/export_rows.h"

static const char *const common[] = { "schema", "host",  "vm",   "recording",
				      "trial",  "branch", "group" };

static void put_printable(FILE *f, const char *text)
{
	struct sf_str s = SF_STR_INIT;

	sf_str_add_printable(&s, text, strlen(text));
	fputs(s.buf, f);
	sf_str_release(&s);
}

void sf_rows_init(struct sf_rows *r, struct sf_exporter *e, const char *schema)
{
	*r = (struct sf_rows){ .e = e, .schema = schema };
	sf_str_init(&r->vm);
	sf_str_init(&r->stack);
	/* The VM is its process: comm-PID. */
	if (e->rec->meta.pid)
		sf_str_addf(&r->vm, "%s-%u", sf_text(e->rec, e->rec->meta.comm), e->rec->meta.pid);
	r->failed = sf_str_failed(&r->vm);
}

void sf_rows_release(struct sf_rows *r)
{
	sf_str_release(&r->vm);
	sf_str_release(&r->stack);
}

void sf_rows_header(struct sf_rows *r, const char *const *columns, size_t nr)
{
	FILE *f = r->e->file;

	if (!r->e->x->tsv || r->e->x->no_header)
		return;
	for (size_t i = 0; i < SF_ARRAY_SIZE(common); i++)
		fprintf(f, i ? "\t%s" : "%s", common[i]);
	for (size_t i = 0; i < nr; i++)
		fprintf(f, "\t%s", columns[i]);
	putc('\n', f);
}

static void column(struct sf_rows *r, const char *name)
{
	FILE *f = r->e->file;

	if (r->e->x->tsv)
		putc('\t', f);
	else
		fprintf(f, ",\"%s\":", name);
}

void sf_rows_null(struct sf_rows *r, const char *name)
{
	column(r, name);
	if (!r->e->x->tsv)
		fputs("null", r->e->file);
}

void sf_rows_text(struct sf_rows *r, const char *name, const char *text)
{
	if (!text) {
		sf_rows_null(r, name);
		return;
	}
	column(r, name);
	if (r->e->x->tsv)
		put_printable(r->e->file, text);
	else
		sf_put_string(r->e->file, text);
}

void sf_rows_ms(struct sf_rows *r, const char *name, uint64_t ns)
{
	column(r, name);
	sf_put_ms(r->e->file, ns);
}

void sf_rows_int(struct sf_rows *r, const char *name, int64_t v)
{
	column(r, name);
	fprintf(r->e->file, "%" PRId64, v);
}

void sf_rows_json(struct sf_rows *r, const char *name)
{
	column(r, name);
}

void sf_rows_begin(struct sf_rows *r, const struct sf_export_window *w)
{
	const struct sf_recording *rec = r->e->rec;

	if (r->e->x->tsv)
		fputs(r->schema, r->e->file);
	else
		fprintf(r->e->file, "{\"schema\":\"%s\"", r->schema);
	sf_rows_text(r, common[1], rec->meta.host ? sf_text(rec, rec->meta.host) : NULL);
	sf_rows_text(r, common[2], rec->meta.pid ? r->vm.buf : NULL);
	sf_rows_text(r, common[3], rec->path);
	sf_rows_int(r, common[4], w->window->trial);
	sf_rows_int(r, common[5], w->window->branch);
	sf_rows_text(r, common[6], w->group);
}

void sf_rows_end(struct sf_rows *r)
{
	fputs(r->e->x->tsv ? "\n" : "}\n", r->e->file);
}
