/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A function that takes as long as before while what it calls has swapped: not growth. Looked for at
 * every node of the tree, so that a swap that is no more than another name (a function that was
 * renamed, inlined or split between two builds) is called neither new nor vanished.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/diff_internal.h"

static const double least_ms = 1, least_pct = 5; /* of the slow median: worth a line */
static const double stayed = 0.2;                /* of what swapped: the node has not changed */
enum { MAX_SHIFTS = 5 };

/* Of a node: what its children and its own code gained and lost, and which most. */
struct swap {
	double gained, lost;
	uint32_t to, from;
	double most, least;
};

struct shifts {
	struct sf_diff *d;
	const struct sf_profile *p;
	struct swap *swap;        /* by path */
	double *ms[SF_NR_SIDES];  /* by path, inclusive */
	double *own[SF_NR_SIDES]; /* exclusive */
};

static void count(struct swap *s, uint32_t path, double delta)
{
	*(delta > 0 ? &s->gained : &s->lost) += fabs(delta);
	if (delta > s->most) {
		s->most = delta;
		s->to = path;
	}
	if (delta < s->least) {
		s->least = delta;
		s->from = path;
	}
}

static int measure(struct shifts *x)
{
	size_t n = x->p->nr_paths;
	double *v = calloc(4 * n, sizeof(*v));

	x->swap = calloc(n, sizeof(*x->swap));
	x->ms[SF_FAST] = v;
	if (!v || !x->swap)
		return -ENOMEM;
	for (int s = 0; s < SF_NR_SIDES; s++) {
		x->ms[s] = v + (size_t)s * n;
		x->own[s] = v + (size_t)(2 + s) * n;
		for (uint32_t i = 0; i < n; i++)
			x->own[s][i] = x->ms[s][i] = sf_diff_path_ms(x->d, s, i);
		for (uint32_t i = 1; i < n; i++)
			x->own[s][x->p->path[i].parent] -= x->ms[s][i];
	}
	for (uint32_t i = 1; i < n; i++) {
		count(&x->swap[x->p->path[i].parent], i, x->ms[SF_SLOW][i] - x->ms[SF_FAST][i]);
		count(&x->swap[i], i, x->own[SF_SLOW][i] - x->own[SF_FAST][i]);
	}
	return 0;
}

static double swapped(const struct swap *s)
{
	return fmin(s->gained, s->lost);
}

static bool is_shift(const struct shifts *x, uint32_t path)
{
	double ms = swapped(&x->swap[path]);

	return path && ms >= least_ms && ms >= least_pct / 100 * x->d->median_ms[SF_SLOW] &&
	       fabs(x->ms[SF_SLOW][path] - x->ms[SF_FAST][path]) <= stayed * ms;
}

/* In no window of the side. */
static bool absent(const struct shifts *x, enum sf_side side, uint32_t path)
{
	size_t first = side == SF_SLOW ? x->d->nr[SF_FAST] : 0;

	for (size_t i = 0; i < x->d->nr[side]; i++)
		if (sf_profile_total(x->p, path, first + i) > 0)
			return false;
	return true;
}

/* Most of what is below path is under a child with that name. */
static bool calls(const struct shifts *x, enum sf_side side, uint32_t path, uint32_t label)
{
	for (uint32_t i = path + 1; i < x->p->nr_paths; i++)
		if (x->p->path[i].parent == path && x->p->path[i].label == label &&
		    x->ms[side][i] > 0.5 * x->ms[side][path])
			return true;
	return false;
}

static enum sf_shift_kind kind_of(const struct shifts *x, const struct sf_shift *s)
{
	bool gone = s->from != s->path && absent(x, SF_SLOW, s->from);
	bool new = s->to != s->path && absent(x, SF_FAST, s->to);
	const struct sf_path *path = x->p->path;

	if (path[s->path].level < SF_PATH_KIND)
		return SF_SHIFT_MOVED; /* kinds of time have no other name */
	if (gone && (s->to == s->path || (new && calls(x, SF_FAST, s->from, path[s->to].label))))
		return SF_SHIFT_INLINED;
	if (new && (s->from == s->path || (gone && calls(x, SF_SLOW, s->to, path[s->from].label))))
		return SF_SHIFT_SPLIT;
	return gone && new ? SF_SHIFT_RENAMED : SF_SHIFT_MOVED;
}

static void fill(const struct shifts *x, uint32_t path, struct sf_shift *s)
{
	*s = (struct sf_shift){ .path = path, .from = x->swap[path].from, .to = x->swap[path].to,
				.ms = swapped(&x->swap[path]) };
	for (int side = 0; side < SF_NR_SIDES; side++) {
		s->path_ms[side] = x->ms[side][path];
		s->from_ms[side] = (s->from == path ? x->own : x->ms)[side][s->from];
		s->to_ms[side] = (s->to == path ? x->own : x->ms)[side][s->to];
	}
}

static int by_ms(const void *a, const void *b)
{
	const struct sf_shift *x = a, *y = b;

	if (x->ms != y->ms)
		return x->ms > y->ms ? -1 : 1;
	return x->path < y->path ? -1 : x->path > y->path;
}

/* An owner that stayed has no cause of growth, whatever it does instead of what it did. */
static void mark_causes(const struct shifts *x)
{
	for (size_t i = 0; i < x->d->nr_causes; i++) {
		uint32_t at = x->d->cause[i].path;

		while (at && x->p->path[at].level > SF_PATH_OWNER)
			at = x->p->path[at].parent;
		x->d->cause[i].shift = at && is_shift(x, at);
	}
}

int sf_find_shifts(struct diff_build *b)
{
	struct shifts x = { .d = b->d, .p = &b->d->profile };
	struct sf_diff *d = b->d;
	int ret = measure(&x);
	size_t nr = 0;

	for (uint32_t i = 1; !ret && i < x.p->nr_paths; i++)
		nr += is_shift(&x, i);
	if (!ret && nr) {
		d->shift = calloc(nr, sizeof(*d->shift));
		ret = d->shift ? 0 : -ENOMEM;
	}
	for (uint32_t i = 1; !ret && i < x.p->nr_paths; i++)
		if (is_shift(&x, i))
			fill(&x, i, &d->shift[d->nr_shifts++]);
	if (!ret && nr) {
		qsort(d->shift, d->nr_shifts, sizeof(*d->shift), by_ms);
		d->nr_shifts = nr > MAX_SHIFTS ? MAX_SHIFTS : nr;
		/* Only of those that are told: each looks through all paths. */
		for (size_t i = 0; i < d->nr_shifts; i++)
			d->shift[i].kind = kind_of(&x, &d->shift[i]);
		mark_causes(&x);
	}
	free(x.swap);
	free(x.ms[SF_FAST]);
	return ret;
}
