/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rows for SQL engines: one for each owner, kind, state and stack of a window's critical path. A
 * window at a time is added up and printed, so memory is that of one window.
 */
#include "render/export_rows.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const columns[] = {
	"owner", "owner_process", "owner_thread", "kind", "state", "stack", "ms",
};

/* Frames from the root on, as folded stacks have them: ';' between, ':' for ';' inside. */
static void stack_text(const struct sf_profile *p, uint32_t path, struct sf_str *out)
{
	uint32_t up[SF_ROWS_MAX_FRAMES];
	size_t nr = 0;

	sf_str_reset(out);
	for (uint32_t i = path; p->path[i].level >= SF_PATH_FRAME && nr < SF_ROWS_MAX_FRAMES;
	     i = p->path[i].parent)
		up[nr++] = i;
	while (nr-- > 0) {
		const char *name = sf_strtab_text(&p->str, p->path[up[nr]].label);

		if (out->len)
			sf_str_addch(out, ';');
		for (; *name; name++)
			sf_str_addch(out, *name == ';' ? ':' : *name);
	}
}

static void put_row(struct sf_rows *r, const struct sf_export_window *w, const struct sf_profile *p,
		    uint32_t path, double ms)
{
	const struct sf_path *at = &p->path[path];
	const struct sf_owner *o = &p->owner[at->owner];
	struct sf_piece state = { .state = at->state, .task = at->task };
	char buf[32];

	sf_rows_begin(r, w);
	sf_rows_text(r, columns[0], sf_strtab_text(&p->str, o->label));
	sf_rows_text(r, columns[1], sf_strtab_text(&p->str, o->process));
	sf_rows_text(r, columns[2], sf_strtab_text(&p->str, o->comm));
	sf_rows_text(r, columns[3], sf_kind_name(at->kind));
	sf_rows_text(r, columns[4], sf_piece_state(&state, buf, sizeof(buf)));
	stack_text(p, path, &r->stack);
	sf_rows_text(r, columns[5], r->stack.buf);
	sf_rows_ms(r, columns[6], (uint64_t)(ms * 1e6 + 0.5));
	sf_rows_end(r);
}

/* A window that nobody is known to have waited for: it is there all the same. */
static void put_unknown(struct sf_rows *r, const struct sf_export_window *w)
{
	sf_rows_begin(r, w);
	for (int i = 0; i < 3; i++)
		sf_rows_text(r, columns[i], "");
	sf_rows_text(r, columns[3], sf_kind_name(SF_KIND_UNKNOWN));
	sf_rows_text(r, columns[4], sf_state_name(SF_STATE_UNACCOUNTED));
	sf_rows_text(r, columns[5], "");
	sf_rows_ms(r, columns[6], w->window->hi - w->window->lo);
	sf_rows_end(r);
}

static int walk(struct sf_exporter *e, const struct sf_window *w, struct sf_profile *p)
{
	struct sf_critpath cp = { 0 };
	struct sf_timelines ts;
	struct sf_namer namer;
	int ret = sf_namer_init(&namer, p, e->rec);

	if (ret)
		return ret;
	ret = sf_timelines_init(&ts, e->rec, w, w->lo, w->hi);
	if (!ret)
		ret = sf_critpath_walk(&cp, &ts, &e->src.mech, w->root);
	if (!ret)
		ret = sf_profile_add(p, &namer, &e->src.mech, &cp);
	if (!ret)
		ret = sf_profile_finish(p);
	sf_critpath_release(&cp);
	sf_timelines_release(&ts);
	sf_namer_release(&namer);
	return ret;
}

static int put_window(struct sf_rows *r, const struct sf_export_window *w)
{
	struct sf_profile p = { 0 };
	int ret;

	if (w->window->root == SF_NO_THREAD) {
		put_unknown(r, w);
		return 0;
	}
	ret = walk(r->e, w->window, &p);
	for (uint32_t i = 1; !ret && i < p.nr_paths; i++) {
		double ms = sf_profile_self(&p, i, 0);

		if (ms > 0)
			put_row(r, w, &p, i, ms);
	}
	sf_profile_release(&p);
	return ret;
}

int sf_export_rows(struct sf_exporter *e)
{
	struct sf_rows r;
	int ret;

	sf_rows_init(&r, e, SF_ROWS_SCHEMA);
	sf_rows_header(&r, columns, SF_ARRAY_SIZE(columns));
	ret = r.failed ? -ENOMEM : 0;
	for (size_t i = 0; !ret && i < e->x->nr; i++)
		ret = put_window(&r, &e->x->window[i]);
	if (sf_str_failed(&r.stack))
		ret = -ENOMEM;
	sf_rows_release(&r);
	return ret;
}
