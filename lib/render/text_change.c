/* SPDX-License-Identifier: GPL-2.0-only */
/* How the pauses go over the BRANCHes, and what merely swapped. */
#include <math.h>

#include <snapflame/render_text.h>

#include "render/text_diff.h"

void sf_put_shape(struct sf_str *s, const struct sf_growth *growth, uint32_t step_at, bool with_p)
{
	const struct sf_series *x = &growth->series;

	if (x->shape == SF_SHAPE_FLAT) {
		sf_str_addf(s, "flat (p = %.2f)", x->p);
		return;
	}
	if (x->shape == SF_SHAPE_STEP) {
		sf_str_addf(s, "a step %s at BRANCH %u", x->direction < 0 ? "down" : "up", step_at);
	} else {
		sf_str_addf(s, "%s, %+.3g ms a BRANCH", sf_shape_name(x->shape), growth->trend.slope);
		if (isfinite(growth->trend.lo))
			sf_str_addf(s, " (95 %% interval %+.3g to %+.3g)", growth->trend.lo,
				    growth->trend.hi);
	}
	if (with_p)
		sf_str_addf(s, ", p = %.2g", x->p);
}

/* The covariate that goes best with the pause, if one does at all. */
static void put_company(struct sf_str *s, const struct sf_growths *g)
{
	for (size_t i = 0; i < g->nr_lines; i++) {
		const struct sf_growth_line *l = &g->line[i];

		if (l->of != SF_GROWTH_COVARIATE)
			continue;
		if (l->corr.p <= 0.05)
			sf_str_addf(s, "; %s %s goes with it (Spearman %.2f, p = %.2g)", l->name,
				    l->during ? "in the pause" : "before it", l->corr.rho, l->corr.p);
		return;
	}
}

static void put_shape(struct sf_str *s, const struct sf_growths *g, const struct sf_growth *growth,
		      bool with_p)
{
	sf_put_shape(s, growth, sf_growths_branch(g, growth), with_p);
}

void sf_view_growth(struct sf_diff_view *v)
{
	const struct sf_diff *d = v->d;
	struct sf_str s = SF_STR_INIT;

	if (!d->growth)
		return;
	sf_str_add(&s, "the pause: ");
	/* Where the split was found, the line of the pauses has its p. */
	put_shape(&s, d->growth, &sf_growths_pause(d->growth)->growth, isnan(d->series_p));
	if (d->nr_causes && d->cause[0].growth.branches) {
		sf_str_add(&s, "; the first cause: ");
		put_shape(&s, d->growth, &d->cause[0].growth, true);
	}
	put_company(&s, d->growth);
	sf_view_section(v, "growth", SF_PLAIN, s.buf);
	v->out->failed |= s.failed;
	sf_str_release(&s);
}

static const char *name_of(const struct sf_diff *d, const struct sf_shift *x, uint32_t path)
{
	return path == x->path ? "its own code" : sf_diff_text(d, d->profile.path[path].label);
}

static void put_shift(struct sf_str *s, const struct sf_diff *d, const struct sf_shift *x)
{
	static const char *const why[] = {
		[SF_SHIFT_MOVED] = "",
		[SF_SHIFT_RENAMED] = " (another name, or what came in its place)",
		[SF_SHIFT_INLINED] = " (inlined, or no longer called)",
		[SF_SHIFT_SPLIT] = " (no longer inlined, or new)",
	};
	const struct sf_path *p = &d->profile.path[x->path];

	sf_str_addf(s, "%s", sf_diff_text(d, d->profile.owner[p->owner].label));
	if (p->level > SF_PATH_OWNER)
		sf_str_addf(s, ", %s", sf_diff_text(d, p->label));
	sf_str_addf(s, " took %.1f and %.1f ms, but %.1f ms of it went from ", x->path_ms[SF_FAST],
		    x->path_ms[SF_SLOW], x->ms);
	sf_str_addf(s, "%s to %s%s: no growth", name_of(d, x, x->from), name_of(d, x, x->to),
		    why[x->kind]);
}

void sf_view_shifts(struct sf_diff_view *v)
{
	struct sf_str s = SF_STR_INIT;

	for (size_t i = 0; i < v->d->nr_shifts; i++) {
		sf_str_reset(&s);
		put_shift(&s, v->d, &v->d->shift[i]);
		sf_view_section(v, i ? "" : "shift", SF_PLAIN, s.buf);
	}
	v->out->failed |= s.failed;
	sf_str_release(&s);
}
