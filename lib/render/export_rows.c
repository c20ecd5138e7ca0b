/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rows for SQL engines: one for each owner, kind, state and stack of a window's critical path. A
 * window at a time is added up and printed, so memory does not grow with the windows.
 */
#include "render/export_rows.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const columns[] = {
	"owner", "owner_process", "owner_thread", "kind", "state", "stack", "ms",
};

/*
 * What the rows of a recording have in common: a path is named once, and its text kept, as windows
 * mostly repeat each other. What is kept grows with the distinct paths, not with the rows.
 */
struct paths {
	struct sf_rows rows;
	struct sf_profile profile; /* no columns: a window's sums are in ns below */
	struct sf_namer namer;
	struct path_row {
		uint64_t ns; /* in the window at hand */
		char *text;  /* its columns but for ms; NULL: not made yet */
		size_t len;
	} *item;
	size_t nr, alloc;
	uint32_t *used; /* paths of the window at hand */
	size_t nr_used, used_alloc;
	struct sf_critpath path;
};

/* The columns of a path, written into the table's line and taken from there. */
static int make_text(struct paths *p, uint32_t path)
{
	const struct sf_path *at = &p->profile.path[path];
	const struct sf_owner *o = &p->profile.owner[at->owner];
	struct sf_piece state = { .state = at->state, .task = at->task };
	const struct sf_strtab *str = &p->profile.str;
	struct sf_rows *r = &p->rows;
	char buf[32];

	sf_str_reset(&r->line);
	sf_rows_text(r, columns[0], sf_strtab_text(str, o->label));
	sf_rows_text(r, columns[1], sf_strtab_text(str, o->process));
	sf_rows_text(r, columns[2], sf_strtab_text(str, o->comm));
	sf_rows_text(r, columns[3], sf_kind_name(at->kind));
	sf_rows_text(r, columns[4], sf_piece_state(&state, buf, sizeof(buf)));
	sf_rows_stack(r, columns[5], &p->profile, path);
	p->item[path].len = r->line.len;
	p->item[path].text = sf_str_detach(&r->line);
	return p->item[path].text ? 0 : -ENOMEM;
}

static int put_row(struct paths *p, uint32_t path)
{
	struct path_row *row = &p->item[path];

	if (!row->text && make_text(p, path))
		return -ENOMEM;
	sf_rows_begin(&p->rows);
	sf_str_addn(&p->rows.line, row->text, row->len);
	sf_rows_ms(&p->rows, columns[6], row->ns);
	sf_rows_end(&p->rows);
	row->ns = 0;
	return 0;
}

/* A window that nobody is known to have waited for: it is there all the same. */
static void put_unknown(struct sf_rows *r, const struct sf_window *w)
{
	sf_rows_begin(r);
	for (int i = 0; i < 3; i++)
		sf_rows_text(r, columns[i], "");
	sf_rows_text(r, columns[3], sf_kind_name(SF_KIND_UNKNOWN));
	sf_rows_text(r, columns[4], sf_state_name(SF_STATE_UNACCOUNTED));
	sf_rows_text(r, columns[5], "");
	sf_rows_ms(r, columns[6], w->hi - w->lo);
	sf_rows_end(r);
}

static int add_up(struct paths *p, const struct sf_segment *s)
{
	uint32_t path;

	if (s->hi == s->lo)
		return 0;
	if (sf_profile_path(&p->profile, &p->namer, &p->path, s, &path) ||
	    SF_GROW(p->item, path + 1, p->alloc) || SF_GROW(p->used, p->nr_used + 1, p->used_alloc))
		return -ENOMEM;
	for (; p->nr <= path; p->nr++)
		p->item[p->nr] = (struct path_row){ 0 };
	if (!p->item[path].ns)
		p->used[p->nr_used++] = path;
	p->item[path].ns += s->hi - s->lo;
	return 0;
}

static int by_path(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static int put_window(struct paths *p, const struct sf_export_window *x)
{
	const struct sf_window *w = x->window;
	struct sf_exporter *e = p->rows.e;
	struct sf_timelines ts;
	int ret;

	sf_rows_window(&p->rows, x);
	if (w->root == SF_NO_THREAD) {
		put_unknown(&p->rows, w);
		return 0;
	}
	ret = sf_timelines_init(&ts, e->rec, w, w->lo, w->hi);
	if (!ret)
		ret = sf_critpath_walk(&p->path, &ts, &e->src.mech, w->root);
	sf_timelines_release(&ts);
	p->nr_used = 0;
	for (size_t i = 0; !ret && i < p->path.nr; i++)
		ret = add_up(p, &p->path.seg[i]);
	if (!ret && p->nr_used)
		qsort(p->used, p->nr_used, sizeof(*p->used), by_path);
	for (size_t i = 0; !ret && i < p->nr_used; i++)
		ret = put_row(p, p->used[i]);
	return ret;
}

static void paths_release(struct paths *p)
{
	for (size_t i = 0; i < p->nr; i++)
		free(p->item[i].text);
	free(p->item);
	free(p->used);
	sf_critpath_release(&p->path);
	sf_namer_release(&p->namer);
	sf_profile_release(&p->profile);
	sf_rows_release(&p->rows);
}

int sf_export_rows(struct sf_exporter *e)
{
	struct paths p = { .nr = 0 };
	int ret;

	sf_rows_init(&p.rows, e, SF_ROWS_SCHEMA);
	sf_rows_header(&p.rows, columns, SF_ARRAY_SIZE(columns));
	ret = sf_rows_status(&p.rows);
	if (!ret)
		ret = sf_namer_init(&p.namer, &p.profile, e->rec);
	p.namer.functions = true; /* as a diff names them: hosts have different compilers' clones */
	for (size_t i = 0; !ret && i < e->x->nr; i++)
		ret = put_window(&p, &e->x->window[i]);
	if (!ret)
		ret = sf_rows_status(&p.rows);
	paths_release(&p);
	return ret;
}
