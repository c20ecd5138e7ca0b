/* SPDX-License-Identifier: GPL-2.0-only */
/* What grows over the BRANCHes, and how: growth.h as a table. */
#include <math.h>
#include <string.h>

#include <snapflame/growth.h>

#include "analysis/tables_internal.h"

/* Values are ms, bytes, counts: people get three digits of each, programs all. */
enum { OF, SHAPE, AT, HOW, FIRST, LAST, SLOPE, LO, HI, FROM, TO, EACH, P, Q, RHO, CHANGES, OWNER,
       STATE, WHERE, NAME, STACK, NR };

static const struct sf_column columns[NR] = {
	[OF] = { "of", "", SF_COLUMN_DATA | SF_COLUMN_LEFT, 0 },
	[SHAPE] = { "shape", "", SF_COLUMN_DATA | SF_COLUMN_LEFT, 0 },
	[AT] = { "step_at", "", SF_COLUMN_DATA, 0 },
	[HOW] = { "", "shape", SF_COLUMN_TEXT | SF_COLUMN_LEFT, 0 },
	[FIRST] = { "first", "", SF_COLUMN_DATA, 1 },
	[LAST] = { "last", "", SF_COLUMN_DATA, 1 },
	[SLOPE] = { "per_branch", "", SF_COLUMN_DATA, 2 },
	[LO] = { "per_branch_lo", "", SF_COLUMN_DATA, 2 },
	[HI] = { "per_branch_hi", "", SF_COLUMN_DATA, 2 },
	[FROM] = { "", "first", SF_COLUMN_TEXT, 0 },
	[TO] = { "", "last", SF_COLUMN_TEXT, 0 },
	[EACH] = { "", "a BRANCH", SF_COLUMN_TEXT, 0 },
	[P] = { "p", "", SF_COLUMN_DATA, 3 },
	[Q] = { "q", "q", SF_COLUMN_TEXT | SF_COLUMN_DATA, 3 },
	[RHO] = { "rho", "rho", SF_COLUMN_TEXT | SF_COLUMN_DATA | SF_COLUMN_SPARE, 2 },
	[CHANGES] = { "changes", "", SF_COLUMN_DATA, 0 },
	[OWNER] = { "owner", "", SF_COLUMN_DATA | SF_COLUMN_LEFT, 0 },
	[STATE] = { "state", "", SF_COLUMN_DATA | SF_COLUMN_LEFT, 0 },
	[WHERE] = { "", "of what", SF_COLUMN_TEXT | SF_COLUMN_LEFT | SF_COLUMN_CUT, 0 },
	[NAME] = { "name", "", SF_COLUMN_DATA | SF_COLUMN_LEFT, 0 },
	[STACK] = { "stack", "", SF_COLUMN_DATA | SF_COLUMN_LEFT, 0 },
};

static const char *label(const struct sf_profile *p, uint32_t path)
{
	return sf_strtab_text(&p->str, p->path[path].label);
}

/* Root to leaf, as folded stacks have it. */
static void put_stack(struct sf_str *s, const struct sf_profile *p, uint32_t path)
{
	if (p->path[path].level < SF_PATH_FRAME)
		return;
	put_stack(s, p, p->path[path].parent);
	sf_str_addf(s, "%s%s", s->len ? ";" : "", label(p, path));
}

static void set_path(struct table_build *b, const struct sf_growths *g, uint32_t path)
{
	const struct sf_profile *p = &g->profile;
	const char *owner = sf_strtab_text(&p->str, p->owner[p->path[path].owner].label);
	struct sf_str stack = SF_STR_INIT;
	uint32_t kind = path;

	sf_set_text(b, OWNER, owner);
	while (p->path[kind].level > SF_PATH_KIND)
		kind = p->path[kind].parent;
	if (p->path[kind].level == SF_PATH_KIND)
		sf_set_text(b, STATE, label(p, kind));
	sf_set_text(b, NAME, label(p, path));
	if (p->path[path].level >= SF_PATH_FRAME) {
		put_stack(&stack, p, path);
		sf_set_text(b, STACK, stack.buf);
		sf_set_textf(b, WHERE, "%s, %s, %s", label(p, path), owner, label(p, kind));
	} else if (p->path[path].level == SF_PATH_KIND) {
		sf_set_textf(b, WHERE, "%s, %s", owner, label(p, kind));
	} else {
		sf_set_text(b, WHERE, owner);
	}
	sf_str_release(&stack);
}

static void set_line(struct table_build *b, const struct sf_growths *g, const struct sf_growth_line *l)
{
	static const char *const of[] = { "pause", "path", "covariate" };
	const struct sf_growth *x = &l->growth;

	sf_set_text(b, OF, of[l->of]);
	sf_set_text(b, SHAPE, l->grows ? sf_shape_name(x->series.shape) : "flat");
	if (l->grows && x->series.shape == SF_SHAPE_STEP) {
		sf_set_int(b, AT, sf_growths_branch(g, x));
		sf_set_textf(b, HOW, "step at %u", sf_growths_branch(g, x));
	} else {
		sf_set_text(b, HOW, l->grows ? sf_shape_name(x->series.shape) : "flat");
	}
	sf_set_real(b, FIRST, l->first);
	sf_set_real(b, LAST, l->last);
	sf_set_textf(b, FROM, "%.3g", l->first);
	sf_set_textf(b, TO, "%.3g", l->last);
	if (x->branches) {
		sf_set_real(b, SLOPE, x->trend.slope);
		sf_set_real(b, LO, x->trend.lo);
		sf_set_real(b, HI, x->trend.hi);
		sf_set_textf(b, EACH, "%+.3g", x->trend.slope);
	}
	sf_set_real(b, P, l->p);
	sf_set_real(b, Q, l->q);
	sf_set_int(b, CHANGES, l->grows ? x->series.direction : 0);
	if (l->of == SF_GROWTH_PATH)
		set_path(b, g, l->path);
	else if (l->of == SF_GROWTH_PAUSE)
		sf_set_text(b, WHERE, "the pause");
	if (l->of != SF_GROWTH_COVARIATE)
		return;
	sf_set_text(b, NAME, l->name);
	sf_set_text(b, STATE, l->during ? "during" : "begin");
	sf_set_textf(b, WHERE, "%s, %s", l->name, l->during ? "in the pause" : "before it");
	sf_set_real(b, RHO, l->corr.rho);
}

static int notes(struct table_build *b, const struct sf_growths *g)
{
	int ret = sf_table_note(b, "n = %zu BRANCHes. first and last: medians of their first and last "
				   "third. a BRANCH: Theil-Sen slope with Sen's 95 %% interval. q: of no "
				   "change (the larger of a step and of Mann-Kendall's trend), adjusted "
				   "for all %zu rows below the pause (Benjamini-Hochberg); flat above "
				   "5 %%. rho: Spearman's, with the pause.", g->nr, g->tested);

	if (!ret && g->nr < SF_GROWTH_MIN)
		ret = sf_table_note(b, "Fewer than %d BRANCHes have no interval and show little; record "
				       "more with --branches.", SF_GROWTH_MIN);
	return ret;
}

static int fill_growth(struct table_build *b)
{
	struct sf_growths *g;
	int ret = sf_growths_make(&g, b->rec, b->window, b->nr_windows, b->err);

	if (ret)
		return ret;
	for (size_t i = 0; !ret && i < g->nr_lines; i++) {
		ret = sf_row(b);
		if (!ret)
			set_line(b, g, &g->line[i]);
	}
	if (!ret)
		ret = notes(b, g);
	sf_growths_free(g);
	return ret;
}

const struct table_def sf_def_growth = { "growth", columns, NR, fill_growth };
