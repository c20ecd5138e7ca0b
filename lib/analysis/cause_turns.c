/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two threads that hand over to each other more often than before: what each of them computes, its way
 * through the kernel and its turns in the run queue grow together, and are one cause. That more
 * exchanges explain the growth is checked for each part: its time in them would have to grow as their
 * number does. Where the number stays, whoever takes longer in each is the cause, alone.
 */
#include <errno.h>
#include <stdlib.h>

#include "analysis/diff_internal.h"

static const double many = 16;        /* exchanges a window, in the slow ones */
static const double explained = 0.7;  /* of a cause's growth */

static double side_of(const struct sf_diff *d, const double *column, size_t nr, enum sf_side side)
{
	const size_t *c = d->median_column[side];

	return ((c[0] < nr ? column[c[0]] : 0) + (c[1] < nr ? column[c[1]] : 0)) / 2;
}

double sf_diff_exchanges(const struct sf_diff *d, uint32_t exchange, enum sf_side side)
{
	const struct sf_exchange *x = &d->profile.exchange[exchange];

	return side_of(d, x->column, x->nr, side);
}

/* The share of its slow time that more exchanges added; 0: not many, or no more than before. */
static double added(const struct sf_diff *d, uint32_t exchange)
{
	double slow = sf_diff_exchanges(d, exchange, SF_SLOW);
	double fast = sf_diff_exchanges(d, exchange, SF_FAST);

	return slow < many || fast >= slow ? 0 : 1 - fast / slow;
}

/* The cause that a path belongs to, by the subtree it is the sum of: index + 1; 0: none. */
static uint32_t cause_of(const struct sf_diff *d, const uint32_t *by_top, uint32_t path)
{
	while (path && !by_top[path])
		path = d->profile.path[path].parent;
	return by_top[path];
}

int sf_find_turns(struct sf_diff *d)
{
	const struct sf_profile *p = &d->profile;
	size_t n = d->nr_causes;
	double *ms = calloc(n * p->nr_exchanges + 1, sizeof(*ms));
	uint32_t *by_top = calloc(p->nr_paths, sizeof(*by_top));
	int ret = ms && by_top ? 0 : -ENOMEM;

	for (uint32_t i = 0; !ret && i < n; i++)
		by_top[d->cause[i].part[0].top] = i + 1;
	for (size_t i = 0; !ret && i < p->nr_links; i++) {
		const struct sf_link *l = &p->link[i];
		uint32_t c = l->relation == SF_TAKES_TURNS ? cause_of(d, by_top, l->path) : 0;

		if (c)
			ms[(c - 1) * p->nr_exchanges + l->owner] += side_of(d, l->column, l->nr, SF_SLOW);
	}
	for (size_t i = 0; !ret && i < n; i++) {
		struct sf_cause *c = &d->cause[i];
		double grown = c->part[0].slow_ms - c->part[0].fast_ms;

		c->turns = sf_arena_alloc(&d->arena, p->nr_exchanges + 1);
		if (!c->turns)
			ret = -ENOMEM;
		for (uint32_t e = 0; !ret && e < p->nr_exchanges; e++)
			c->turns[e] = grown > 0 && ms[i * p->nr_exchanges + e] * added(d, e) >=
							   explained * grown;
	}
	free(by_top);
	free(ms);
	return ret;
}

uint32_t sf_common_turns(const struct sf_diff *d, const struct sf_cause *a, const struct sf_cause *b)
{
	for (uint32_t e = 0; e < d->profile.nr_exchanges; e++)
		if (a->turns && b->turns && a->turns[e] && b->turns[e])
			return e + 1;
	return 0;
}
