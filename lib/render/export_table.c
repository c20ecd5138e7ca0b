/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * JSON Lines, or tab-separated values: no quoting, no tabs or line feeds inside (they become \x09,
 * \x0a), an empty field for null.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <snapflame/sha256.h>

#include "render/export_json.h"
#include "render/export_rows.h"

static const char *const common[] = { "schema", "host",  "vm",   "recording",
				      "trial",  "branch", "group" };
static const char recording_id[] = "recording_id";

static void column(struct sf_rows *r, struct sf_str *to, const char *name)
{
	if (r->e->x->tsv) {
		sf_str_addch(to, '\t');
		return;
	}
	sf_str_addn(to, ",\"", 2);
	sf_str_add(to, name);
	sf_str_addn(to, "\":", 2);
}

static void null_to(struct sf_rows *r, struct sf_str *to, const char *name)
{
	column(r, to, name);
	if (!r->e->x->tsv)
		sf_str_add(to, "null");
}

static void text_to(struct sf_rows *r, struct sf_str *to, const char *name, const char *text)
{
	if (!text) {
		null_to(r, to, name);
		return;
	}
	column(r, to, name);
	if (r->e->x->tsv)
		sf_str_add_printable(to, text, strlen(text));
	else
		sf_add_json_string(to, text);
}

static const char *known(const struct sf_recording *rec, uint32_t id)
{
	const char *text = sf_text(rec, id);

	return *text ? text : NULL;
}

/*
 * The same for all exports of one recording, whatever its file is called, and no other recording's:
 * when and where it was made.
 */
static void add_tail(struct sf_rows *r)
{
	const struct sf_recording *rec = r->e->rec;
	char text[512], id[17];
	uint8_t hash[SF_SHA256_SIZE];
	int n = snprintf(text, sizeof(text), "%.255s %u %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64,
			 sf_text(rec, rec->meta.host), rec->meta.pid, rec->meta.realtime_ns,
			 rec->meta.at, rec->first, rec->last);

	sf_sha256(text, (size_t)n, hash);
	for (int i = 0; i < 8; i++)
		snprintf(id + 2 * i, 3, "%02x", hash[i]);
	text_to(r, &r->tail, recording_id, id);
	sf_str_add(&r->tail, r->e->x->tsv ? "\n" : "}\n");
}

void sf_rows_init(struct sf_rows *r, struct sf_exporter *e, const char *schema)
{
	*r = (struct sf_rows){ .e = e, .schema = schema };
	sf_str_init(&r->line);
	sf_str_init(&r->head);
	sf_str_init(&r->tail);
	sf_str_init(&r->stack);
	add_tail(r);
}

void sf_rows_release(struct sf_rows *r)
{
	sf_str_release(&r->line);
	sf_str_release(&r->head);
	sf_str_release(&r->tail);
	sf_str_release(&r->stack);
}

int sf_rows_status(const struct sf_rows *r)
{
	return sf_str_failed(&r->line) || sf_str_failed(&r->head) || sf_str_failed(&r->tail) ||
		       sf_str_failed(&r->stack)
		       ? -ENOMEM : 0;
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
	fprintf(f, "\t%s\n", recording_id);
}

/* What its VMM or the user calls it; else the VM is its process: comm-PID. */
static void add_vm(struct sf_rows *r, const struct sf_window *w)
{
	const struct sf_recording *rec = r->e->rec;
	struct sf_str name = SF_STR_INIT;

	if (known(rec, w->vm))
		sf_str_add(&name, known(rec, w->vm));
	else if (known(rec, rec->meta.vm))
		sf_str_add(&name, known(rec, rec->meta.vm));
	else if (rec->meta.pid)
		sf_str_addf(&name, "%s-%u", sf_text(rec, rec->meta.comm), rec->meta.pid);
	text_to(r, &r->head, common[2], name.len ? name.buf : NULL);
	sf_str_release(&name);
}

void sf_rows_window(struct sf_rows *r, const struct sf_export_window *w)
{
	const struct sf_recording *rec = r->e->rec;

	sf_str_reset(&r->head);
	if (r->e->x->tsv)
		sf_str_add(&r->head, r->schema);
	else
		sf_str_addf(&r->head, "{\"schema\":\"%s\"", r->schema);
	text_to(r, &r->head, common[1], known(rec, rec->meta.host));
	add_vm(r, w->window);
	text_to(r, &r->head, common[3], rec->path);
	column(r, &r->head, common[4]);
	sf_str_addf(&r->head, "%u", w->window->trial);
	column(r, &r->head, common[5]);
	sf_str_addf(&r->head, "%u", w->window->branch);
	text_to(r, &r->head, common[6], w->group);
}

void sf_rows_begin(struct sf_rows *r)
{
	sf_str_reset(&r->line);
	sf_str_addn(&r->line, r->head.buf, r->head.len);
}

void sf_rows_null(struct sf_rows *r, const char *name)
{
	null_to(r, &r->line, name);
}

void sf_rows_text(struct sf_rows *r, const char *name, const char *text)
{
	text_to(r, &r->line, name, text);
}

void sf_rows_known(struct sf_rows *r, const char *name, const char *text)
{
	text_to(r, &r->line, name, text && *text ? text : NULL);
}

enum { MAX_FRAMES = 1200 };

void sf_rows_stack(struct sf_rows *r, const char *name, const struct sf_profile *p, uint32_t path)
{
	uint32_t up[MAX_FRAMES];
	size_t nr = 0;

	sf_str_reset(&r->stack);
	for (uint32_t i = path; p->path[i].level >= SF_PATH_FRAME && nr < MAX_FRAMES; i = p->path[i].parent)
		up[nr++] = i;
	while (nr-- > 0) {
		const char *frame = sf_strtab_text(&p->str, p->path[up[nr]].label);

		if (r->stack.len)
			sf_str_addch(&r->stack, ';');
		for (; *frame; frame++)
			sf_str_addch(&r->stack, *frame == ';' ? ':' : *frame);
	}
	sf_rows_text(r, name, r->stack.buf);
}

void sf_rows_ms(struct sf_rows *r, const char *name, uint64_t ns)
{
	char buf[32], *p = buf + sizeof(buf);
	uint64_t left = ns % 1000000;

	column(r, &r->line, name);
	for (int i = 0; i < 6; i++, left /= 10)
		*--p = (char)('0' + left % 10);
	*--p = '.';
	left = ns / 1000000;
	do
		*--p = (char)('0' + left % 10);
	while (left /= 10);
	sf_str_addn(&r->line, p, (size_t)(buf + sizeof(buf) - p));
}

void sf_rows_int(struct sf_rows *r, const char *name, int64_t v)
{
	column(r, &r->line, name);
	sf_str_addf(&r->line, "%" PRId64, v);
}

void sf_rows_number(struct sf_rows *r, const char *name, double v)
{
	if (!isfinite(v)) {
		null_to(r, &r->line, name);
		return;
	}
	column(r, &r->line, name);
	sf_add_json_number(&r->line, v);
}

void sf_rows_json(struct sf_rows *r, const char *name)
{
	column(r, &r->line, name);
}

void sf_rows_end(struct sf_rows *r)
{
	sf_str_addn(&r->line, r->tail.buf, r->tail.len);
	fwrite(r->line.buf, 1, r->line.len, r->e->file);
}
