/* SPDX-License-Identifier: GPL-2.0-only */
#include "render/json_paths.h"

#include <snapflame/diff_paths.h>

#include "render/json_value.h"

static json_t *change(const struct sf_path_change *c)
{
	json_t *ci = json_null();

	if (c->interval.known)
		ci = json_pack("[o, o]", sf_json_number(c->interval.lo), sf_json_number(c->interval.hi));
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "fast_ms",
			 sf_json_number(c->ms[SF_FAST]), "slow_ms", sf_json_number(c->ms[SF_SLOW]),
			 "delta_ms", sf_json_number(c->ms[SF_SLOW] - c->ms[SF_FAST]), "medians_ms",
			 sf_json_number(c->interval.delta), "ci95_ms", ci, "p", sf_json_number(c->p),
			 "q", sf_json_number(c->q));
}

static const char *level_name(uint8_t level)
{
	static const char *const name[] = {
		[SF_PATH_ROOT] = "root",   [SF_PATH_OWNER] = "owner", [SF_PATH_KIND] = "kind",
		[SF_PATH_FRAME] = "frame", [SF_PATH_MARKER] = "lock",
	};

	return name[level];
}

static json_t *row(const struct sf_diff *d, const struct sf_path_row *r)
{
	const struct sf_path *p = &d->profile.path[r->path];

	return json_pack("{s:o, s:s, s:o, s:s, s:o, s:o}", "parent",
			 r->path ? sf_json_uint(r->parent) : json_null(), "level", level_name(p->level),
			 "name", r->path ? sf_json_name(sf_diff_text(d, p->label)) : json_null(), "class",
			 sf_path_class_name(r->class), "inclusive", change(&r->inclusive), "exclusive",
			 change(&r->exclusive));
}

static json_t *rest(const struct sf_diff_paths *t)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "paths", sf_json_uint(t->rest), "fast_ms",
			 sf_json_number(t->rest_ms[SF_FAST]), "slow_ms",
			 sf_json_number(t->rest_ms[SF_SLOW]), "delta_ms",
			 sf_json_number(t->rest_ms[SF_SLOW] - t->rest_ms[SF_FAST]));
}

json_t *sf_json_diff_paths(const struct sf_diff *d)
{
	json_t *rows = json_array(), *o;
	struct sf_diff_paths *t;
	int ret = sf_diff_paths_make(&t, d);

	if (ret) {
		json_decref(rows);
		return NULL;
	}
	for (size_t i = 0; i < t->nr_rows; i++)
		sf_json_append(&rows, row(d, &t->row[i]));
	o = json_pack("{s:o, s:o, s:o}", "tested", sf_json_uint(t->tested), "rows", rows, "rest",
		      rest(t));
	sf_diff_paths_free(t);
	return o;
}
