/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the difference of two trees to a ranked list of causes that sums to it. Each owner and kind is
 * one: its frame is the deepest under which most of its difference still lies. Where not even the
 * outermost frame holds most of it, each that holds a good part is one. cause_parts.c then puts together
 * what belongs together.
 */
#define _GNU_SOURCE /* qsort_r */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/diff_internal.h"

static const double concentrated = 0.8; /* of where the descent began: go down */
static const double good_part = 0.2;    /* of what is larger: counts beside it */
static const double negligible = 0.005; /* of the whole: only in the sum of the rest */
static const double max_false = 0.05;   /* share of the false among the causes called significant */

struct ranking {
	struct diff_build *b;
	struct sf_diff *d;
	const double *side[SF_NR_SIDES]; /* by path: inclusive ms of the median windows */
	uint32_t *first_child, *next;    /* lists of children, by path */
	size_t alloc;
	double whole;                    /* |difference of the medians| */
	struct sf_interval_plan *plan;
	double *column;                  /* scratch: one value for each window */
};

double sf_diff_path_ms(const struct sf_diff *d, enum sf_side side, uint32_t path)
{
	const size_t *c = d->median_column[side];

	return (sf_profile_total(&d->profile, path, c[0]) +
		sf_profile_total(&d->profile, path, c[1])) / 2;
}

static double delta(const struct ranking *r, uint32_t path)
{
	return r->side[SF_SLOW][path] - r->side[SF_FAST][path];
}

uint32_t sf_diff_kind_node(const struct sf_diff *d, uint32_t path)
{
	while (path && d->profile.path[path].level > SF_PATH_KIND)
		path = d->profile.path[path].parent;
	return path;
}

static int children(struct ranking *r)
{
	const struct sf_profile *p = &r->d->profile;

	r->first_child = calloc(p->nr_paths, sizeof(*r->first_child));
	r->next = calloc(p->nr_paths, sizeof(*r->next));
	if (!r->first_child || !r->next)
		return -ENOMEM;
	for (uint32_t i = (uint32_t)p->nr_paths; i-- > 1;) {
		r->next[i] = r->first_child[p->path[i].parent];
		r->first_child[p->path[i].parent] = i;
	}
	return 0;
}

/* Leaf to root: the frames of a path, and the marker between holder and waiter. */
static int fill_frames(struct sf_diff *d, struct sf_cause *c)
{
	const struct sf_profile *p = &d->profile;
	size_t nr = 0, at = 0;

	for (uint32_t i = c->path; p->path[i].level >= SF_PATH_FRAME; i = p->path[i].parent)
		nr++;
	c->frame = sf_arena_alloc(&d->arena, (nr ? nr : 1) * sizeof(*c->frame));
	if (!c->frame)
		return -ENOMEM;
	for (uint32_t i = c->path; p->path[i].level >= SF_PATH_FRAME; i = p->path[i].parent)
		c->frame[at++] = sf_strtab_text(&p->str, p->path[i].label);
	c->nr_frames = nr;
	return 0;
}

/* A listed cause's: all its parts, and what it waited for a CPU. */
static double own_ms(const struct sf_diff *d, const struct sf_cause *c, size_t column)
{
	double ms = c->adjust ? c->adjust[column] : 0;

	for (size_t i = 0; i < c->nr_parts; i++)
		if (c->part[i].path)
			ms += sf_profile_total(&d->profile, c->part[i].top, column);
	return ms;
}

double sf_cause_ms(const struct sf_diff *d, const struct sf_cause *c, size_t column)
{
	double rest;

	if (c->path)
		return own_ms(d, c, column);
	rest = sf_profile_total(&d->profile, 0, column);
	for (size_t i = 0; i < d->nr_causes; i++)
		if (d->cause[i].path)
			rest -= own_ms(d, &d->cause[i], column);
	return rest;
}

double sf_cause_frame_ms(const struct sf_diff *d, const struct sf_cause *c, size_t column)
{
	double ms = 0;

	for (size_t i = 0; i < c->nr_parts; i++)
		if (c->part[i].frame)
			ms += sf_profile_total(&d->profile, c->part[i].path, column);
	return ms;
}

/* Interval of the growth, from the ms in every window. */
static void estimate(struct ranking *r, struct sf_cause *c)
{
	struct sf_diff *d = r->d;
	struct sf_interval iv;

	for (size_t k = 0; k < d->profile.nr_columns; k++)
		r->column[k] = own_ms(d, c, k);
	if (d->trend) {
		sf_trend_growth(d, r->column, &c->delta, &c->p);
		return;
	}
	if (!r->plan ||
	    sf_interval_plan_diff(r->plan, r->column, r->column + d->nr[SF_FAST], &iv) || !iv.known)
		return;
	c->delta.lo = iv.lo;
	c->delta.hi = iv.hi;
	c->delta.has_interval = true;
	/* Windows without any noise: whatever differs differs. */
	c->p = iv.se > 0 ? sf_t_upper(iv.delta / iv.se, iv.df) :
	       iv.delta > 0 ? 0 : iv.delta < 0 ? 1 : 0.5;
}

/*
 * All causes are looked at, and the first one is believed: their p are adjusted for that. Half of the
 * error is spent evenly, half by size. The rest is no cause.
 */
static int control(struct sf_diff *d)
{
	size_t n = d->nr_causes;
	double *p = calloc(3 * n + 1, sizeof(*p)), *weight, *q, all = 0;
	ssize_t found = 0;

	if (!p)
		return -ENOMEM;
	weight = p + n;
	q = weight + n;
	for (size_t i = 0; i < n; i++)
		all += d->cause[i].path ? d->cause[i].fast_ms + d->cause[i].slow_ms : 0;
	for (size_t i = 0; i < n; i++) {
		const struct sf_cause *c = &d->cause[i];

		p[i] = c->path ? fmin(1, 2 * fmin(c->p, 1 - c->p)) : NAN;
		p[i] = isnan(c->p) ? NAN : p[i];
		weight[i] = 0.5;
		if (all > 0)
			weight[i] += 0.5 * (double)n * (c->fast_ms + c->slow_ms) / all;
	}
	if (n)
		found = sf_fdr(p, weight, n, max_false, q, NULL);
	for (size_t i = 0; i < n && found >= 0; i++) {
		d->cause[i].q = isnan(p[i]) ? NAN : q[i];
		d->cause[i].significant = d->cause[i].q <= max_false;
	}
	free(p);
	return found < 0 ? (int)found : 0;
}

/* The same paths over all BRANCHes, also those between the sides. The run queue has none there. */
static int follow(struct sf_diff *d, struct sf_cause *c)
{
	const struct sf_profile *p = &d->growth->profile;
	double *v = calloc(p->nr_columns + 1, sizeof(*v));
	int ret = v ? 0 : -ENOMEM;
	bool any = false;

	for (size_t i = 0; !ret && i < c->nr_parts; i++) {
		uint32_t at = sf_profile_find(p, &d->profile, c->part[i].top);

		for (size_t k = 0; at && k < p->nr_columns; k++)
			v[k] += sf_profile_total(p, at, k);
		any |= at != 0;
	}
	if (!ret && any)
		ret = sf_growths_describe(d->growth, v, &c->growth);
	free(v);
	return ret;
}

static int add_cause(struct ranking *r, uint32_t top, uint32_t deep)
{
	struct sf_diff *d = r->d;
	const struct sf_path *p = &d->profile.path[deep];
	struct sf_cause *list = realloc(d->cause, (d->nr_causes + 1) * sizeof(*list)), *c;

	if (!list)
		return -ENOMEM;
	d->cause = list;
	c = &list[d->nr_causes];
	*c = (struct sf_cause){
		.path = deep, .owner = p->owner, .kind = p->kind, .state = p->state,
		.fast_ms = r->side[SF_FAST][top], .slow_ms = r->side[SF_SLOW][top],
		.frame_ms = delta(r, deep), .p = NAN, .q = NAN,
	};
	c->delta.value = c->slow_ms - c->fast_ms;
	if (fabs(c->delta.value) < 1e-9)
		return 0;
	for (uint32_t i = deep; i; i = d->profile.path[i].parent)
		c->lock |= d->profile.path[i].level == SF_PATH_MARKER;
	if (sf_cause_add_part(d, c, (struct sf_cause_part){ .path = deep, .top = top, .frame = true,
							    .kind = c->kind, .fast_ms = c->fast_ms,
							    .slow_ms = c->slow_ms }))
		return -ENOMEM;
	d->nr_causes++;
	return fill_frames(d, c);
}

/* The child that holds most of path's difference, when that is still most of the whole part's. */
static uint32_t main_child(const struct ranking *r, uint32_t path, double part)
{
	uint32_t best = 0;

	for (uint32_t c = r->first_child[path]; c; c = r->next[c])
		if (!best || fabs(delta(r, c)) > fabs(delta(r, best)))
			best = c;
	if (!best || delta(r, best) * part <= 0 || fabs(delta(r, best)) < concentrated * fabs(part))
		return 0;
	return best;
}

static uint32_t deepest(const struct ranking *r, uint32_t top)
{
	uint32_t deep = top, down;

	while ((down = main_child(r, deep, delta(r, top))))
		deep = down;
	return deep;
}

/* Causes of an owner and kind. What is left between several is in the sum of the rest. */
static int causes_of(struct ranking *r, uint32_t top)
{
	uint32_t deep = deepest(r, top), nr = 0;
	int ret = 0;

	/* Frames of the run queue are those of who waits: they do not tell causes apart. */
	if (deep == top && r->d->profile.path[top].kind != SF_KIND_RUNQUEUE)
		for (uint32_t c = r->first_child[top]; !ret && c; c = r->next[c]) {
			if (delta(r, c) * delta(r, top) <= 0 ||
			    fabs(delta(r, c)) < good_part * fabs(delta(r, top)))
				continue;
			ret = add_cause(r, c, deepest(r, c));
			nr++;
		}
	return ret || nr ? ret : add_cause(r, top, deep);
}

/* What is too small to be listed is one line, so that the list sums to the difference. */
static int add_rest(struct ranking *r)
{
	struct sf_diff *d = r->d;
	struct sf_cause rest = { .path = 0, .kind = SF_KIND_UNKNOWN, .p = NAN, .q = NAN }, *list;
	size_t n = 0;

	rest.fast_ms = r->side[SF_FAST][0];
	rest.slow_ms = r->side[SF_SLOW][0];
	for (size_t i = 0; i < d->nr_causes; i++) {
		if (fabs(d->cause[i].delta.value) < negligible * r->whole)
			continue;
		rest.fast_ms -= d->cause[i].fast_ms;
		rest.slow_ms -= d->cause[i].slow_ms;
		d->cause[n++] = d->cause[i];
	}
	d->nr_causes = n;
	rest.delta.value = rest.slow_ms - rest.fast_ms;
	list = realloc(d->cause, (n + 1) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	d->cause = list;
	d->cause[d->nr_causes++] = rest;
	return 0;
}

/* The rest last, however large it is: it is no cause. */
static int by_growth(const void *a, const void *b)
{
	const struct sf_cause *x = a, *y = b;

	if (!x->path != !y->path)
		return !x->path ? 1 : -1;
	if (x->delta.value != y->delta.value)
		return x->delta.value > y->delta.value ? -1 : 1;
	return x->path < y->path ? -1 : x->path > y->path;
}

static int by_own_growth(const void *a, const void *b)
{
	const struct sf_cause *x = a, *y = b;
	double dx = x->part[0].slow_ms - x->part[0].fast_ms;
	double dy = y->part[0].slow_ms - y->part[0].fast_ms;

	return dx > dy ? -1 : dx < dy ? 1 : by_growth(a, b);
}

/* Who had the CPU, who waited, who did the work: the links of the cause's owner and kind with the most time. */
static void name_links(struct sf_diff *d, struct sf_cause *c)
{
	const struct sf_profile *p = &d->profile;
	uint32_t kind = sf_diff_kind_node(d, c->path);
	double most[SF_NR_RELATIONS] = { 0 };

	for (size_t i = 0; kind && i < p->nr_links; i++) {
		const struct sf_link *l = &p->link[i];

		if (l->path != kind || l->relation == SF_TAKES_TURNS || l->ms <= most[l->relation])
			continue;
		most[l->relation] = l->ms;
		if (l->relation == SF_HAS_CPU) {
			c->behind = l->owner;
		} else if (l->relation == SF_SERVES) {
			c->served_by = l->owner;
		} else {
			c->waiter = l->owner;
			c->waits_in = l->stack ? sf_strtab_text(&p->str, l->stack) : NULL;
		}
	}
}

/* From BRANCH to BRANCH, however far apart that leaves the windows of a side; a step does not. */
static bool grows_steadily(const struct sf_cause *c)
{
	const struct sf_series *s = &c->growth.series;

	/* The series of a queue has what went to the work, too. */
	return c->kind != SF_KIND_RUNQUEUE && c->growth.branches >= SF_GROWTH_MIN &&
	       s->direction > 0 && s->p <= max_false && s->shape != SF_SHAPE_STEP;
}

/*
 * Growth that is larger than its noise comes before growth that is not, provided that it is a good
 * part of the whole: somebody who took the CPU in one slow window is no cause of a steady growth. So
 * does growth of somebody who only does something else than before, and no more. A wait for the CPU comes
 * before nothing that is larger: the noise is its own.
 */
static bool passed_over(const struct sf_cause *c)
{
	return c->shift || (c->delta.has_interval && !c->significant && !grows_steadily(c));
}

static void promote(struct ranking *r)
{
	struct sf_diff *d = r->d;
	size_t i = 0;

	while (i < d->nr_causes && d->cause[i].path &&
	       (passed_over(&d->cause[i]) || (i && d->cause[i].kind == SF_KIND_RUNQUEUE)))
		i++;
	if (!i || i >= d->nr_causes || !d->cause[i].path || passed_over(&d->cause[i]) ||
	    d->cause[i].delta.value < good_part * r->whole)
		return;
	for (struct sf_cause c; i > 0; i--) {
		c = d->cause[i];
		d->cause[i] = d->cause[i - 1];
		d->cause[i - 1] = c;
	}
}

static int rank(struct ranking *r)
{
	struct sf_diff *d = r->d;
	int ret = children(r);

	for (uint32_t o = r->first_child[0]; !ret && o; o = r->next[o])
		for (uint32_t k = r->first_child[o]; !ret && k; k = r->next[k])
			ret = causes_of(r, k);
	if (ret)
		return ret;
	for (size_t i = 0; i < d->nr_causes; i++)
		name_links(d, &d->cause[i]);
	ret = sf_find_turns(d);
	if (!ret)
		ret = sf_credit_queues(d);
	if (ret)
		return ret;
	/* The largest first, not counting its turns in the run queue: it takes the others in. */
	if (d->nr_causes)
		qsort(d->cause, d->nr_causes, sizeof(*d->cause), by_own_growth);
	ret = sf_merge_causes(d);
	if (!ret)
		ret = add_rest(r);
	if (ret)
		return ret;
	qsort(d->cause, d->nr_causes, sizeof(*d->cause), by_growth);
	for (size_t i = 0; i < d->nr_causes; i++) {
		d->cause[i].share_pct = r->whole > 0 ? 100 * d->cause[i].delta.value / d->delta.value : 0;
		estimate(r, &d->cause[i]);
		if (d->growth)
			ret = follow(d, &d->cause[i]);
		if (ret)
			return ret;
	}
	ret = control(d);
	if (!ret)
		ret = sf_find_shifts(r->b);
	if (!ret)
		promote(r);
	return ret;
}

int sf_rank_causes(struct diff_build *b)
{
	struct sf_diff *d = b->d;
	struct ranking r = { .b = b, .d = d, .whole = fabs(d->delta.value) };
	size_t n = d->profile.nr_paths;
	double *side = calloc(n * SF_NR_SIDES, sizeof(*side));
	int ret = -ENOMEM;

	r.column = calloc(d->profile.nr_columns, sizeof(*r.column));
	if (!side || !r.column)
		goto out;
	for (uint32_t i = 0; i < n; i++)
		for (int s = 0; s < SF_NR_SIDES; s++)
			side[(size_t)s * n + i] = sf_diff_path_ms(d, s, i);
	r.side[SF_FAST] = side;
	r.side[SF_SLOW] = side + n;
	if (!d->trend)
		r.plan = sf_interval_plan_new(d->nr[SF_FAST], d->nr[SF_SLOW]);
	ret = rank(&r);
out:
	sf_interval_plan_free(r.plan);
	free(side);
	free(r.column);
	free(r.first_child);
	free(r.next);
	return ret;
}
