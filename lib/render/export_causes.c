/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One row for each cause of a diff and each window that it compared: what the rows of the critical path
 * cannot say is which of them are one call, one pool, or work and its turns in the run queue.
 */
#include <errno.h>

#include "render/export_rows.h"

static const char *const columns[] = {
	"cause", "owner", "kind", "state", "path", "ms", "frame_ms", "proven", "grows",
};

/* The column of a window in the diff; -1: it was not compared. */
static ssize_t column_of(const struct sf_diff *d, const struct sf_window *w)
{
	size_t nr = d->nr[SF_FAST] + d->nr[SF_SLOW];

	for (size_t i = 0; i < nr; i++)
		if (d->ref[i].window == w)
			return (ssize_t)i;
	return -1;
}

static void put_bool(struct sf_rows *r, const char *column, bool yes)
{
	sf_rows_json(r, column);
	sf_str_add(&r->line, yes ? "true" : "false");
}

/* What is not listed, the last one, has no owner. */
static void put_cause(struct sf_rows *r, const struct sf_diff *d, size_t nr, size_t column)
{
	const struct sf_cause *c = &d->cause[nr];
	const struct sf_owner *o = c->path ? &d->profile.owner[c->owner] : NULL;

	sf_rows_begin(r);
	sf_rows_int(r, columns[0], (int64_t)nr + 1);
	sf_rows_known(r, columns[1], o ? sf_diff_text(d, o->label) : NULL);
	sf_rows_text(r, columns[2], sf_kind_name(c->kind));
	sf_rows_known(r, columns[3], o ? sf_state_name(c->state) : NULL);
	sf_rows_stack(r, columns[4], &d->profile, c->path);
	sf_rows_number(r, columns[5], sf_cause_ms(d, c, column));
	sf_rows_number(r, columns[6], sf_cause_frame_ms(d, c, column));
	put_bool(r, columns[7], d->has_verdict);
	put_bool(r, columns[8], d->has_verdict && d->kind != SF_KIND_NONE);
	sf_rows_end(r);
}

int sf_export_causes(struct sf_exporter *e)
{
	const struct sf_diff *d = e->x->diff;
	struct sf_rows r;
	int ret;

	sf_rows_init(&r, e, SF_CAUSES_SCHEMA);
	sf_rows_header(&r, columns, SF_ARRAY_SIZE(columns));
	for (size_t i = 0; d && i < e->x->nr; i++) {
		ssize_t column = column_of(d, e->x->window[i].window);

		if (column < 0)
			continue;
		sf_rows_window(&r, &e->x->window[i]);
		for (size_t k = 0; k < d->nr_causes; k++)
			put_cause(&r, d, k, (size_t)column);
	}
	ret = sf_rows_status(&r);
	sf_rows_release(&r);
	return ret;
}
