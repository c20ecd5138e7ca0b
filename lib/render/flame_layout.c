/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the tree as it was built to the one that is drawn: siblings by name, depth first, summed up,
 * with places. Nothing recurses: stacks are as deep as the input says.
 */
#define _GNU_SOURCE /* qsort_r */
#include <snapflame/flamegraph.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct order {
	const struct sf_flame *f;
	uint32_t *rank;  /* by label id: place among all names */
	uint32_t *start; /* by node: where its children begin in child */
	uint32_t *child;
};

static int by_text(const void *a, const void *b, void *arg)
{
	const struct sf_strtab *t = arg;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	size_t n = sf_strtab_len(t, x), m = sf_strtab_len(t, y);
	int c = memcmp(sf_strtab_text(t, x), sf_strtab_text(t, y), n < m ? n : m);

	return c ? c : (n > m) - (n < m);
}

static int by_rank(const void *a, const void *b, void *arg)
{
	const struct order *o = arg;
	uint32_t x = o->rank[o->f->node[*(const uint32_t *)a].label];
	uint32_t y = o->rank[o->f->node[*(const uint32_t *)b].label];

	return (x > y) - (x < y);
}

static int rank_labels(struct order *o)
{
	size_t nr = o->f->str.nr;
	uint32_t *ids = malloc((nr + 1) * sizeof(*ids));

	if (!ids)
		return -ENOMEM;
	for (uint32_t i = 0; i < nr; i++)
		ids[i] = i + 1;
	qsort_r(ids, nr, sizeof(*ids), by_text, (void *)&o->f->str);
	for (uint32_t i = 0; i < nr; i++)
		o->rank[ids[i]] = i;
	free(ids);
	return 0;
}

/* Children of every node side by side, each group by name. */
static void group_children(struct order *o)
{
	const struct sf_flame *f = o->f;
	uint32_t sum = 0, n;

	for (size_t i = 1; i < f->nr; i++)
		o->start[f->node[i].parent]++;
	for (size_t i = 0; i < f->nr; i++) {
		n = o->start[i];
		o->start[i] = sum;
		sum += n;
	}
	o->start[f->nr] = sum;
	for (size_t i = 1; i < f->nr; i++)
		o->child[o->start[f->node[i].parent]++] = (uint32_t)i;
	/* Filling moved every start to where the next one begins. */
	memmove(o->start + 1, o->start, f->nr * sizeof(*o->start));
	o->start[0] = 0;
	for (size_t i = 0; i < f->nr; i++)
		qsort_r(o->child + o->start[i], o->start[i + 1] - o->start[i], sizeof(*o->child),
			by_rank, o);
}

/*
 * Nodes depth first. stack holds what is still to be written, the next one on top: at most all
 * nodes. to[] is by old index, and says where it went.
 */
static void write_order(const struct order *o, struct sf_flame_node *out, uint32_t *to,
			uint32_t *stack)
{
	size_t depth = 1, nr = 0;

	stack[0] = 0;
	while (depth) {
		uint32_t at = stack[--depth];

		to[at] = (uint32_t)nr;
		out[nr] = o->f->node[at];
		out[nr].parent = to[out[nr].parent];
		nr++;
		for (uint32_t c = o->start[at + 1]; c-- > o->start[at];)
			stack[depth++] = o->child[c];
	}
}

static int sort_nodes(struct sf_flame *f)
{
	struct order o = { .f = f };
	struct sf_flame_node *sorted = malloc(f->nr * sizeof(*sorted));
	uint32_t *to = malloc(f->nr * sizeof(*to)), *stack = malloc(f->nr * sizeof(*stack));
	int ret = -ENOMEM;

	o.rank = calloc(f->str.nr + 1, sizeof(*o.rank));
	o.start = calloc(f->nr + 1, sizeof(*o.start));
	o.child = malloc(f->nr * sizeof(*o.child));
	if (!sorted || !to || !stack || !o.rank || !o.start || !o.child || rank_labels(&o))
		goto out;
	group_children(&o);
	write_order(&o, sorted, to, stack);
	free(f->node);
	f->node = sorted;
	f->alloc = f->nr;
	sorted = NULL;
	ret = 0;
out:
	free(sorted);
	free(to);
	free(stack);
	free(o.rank);
	free(o.start);
	free(o.child);
	return ret;
}

static void sum_up(struct sf_flame *f)
{
	for (size_t i = 0; i < f->nr; i++)
		memcpy(f->node[i].total, f->node[i].self, sizeof(f->node[i].total));
	for (size_t i = f->nr; i-- > 1;)
		for (int s = 0; s < 2; s++)
			f->node[f->node[i].parent].total[s] += f->node[i].total[s];
}

static double larger(double a, double b)
{
	return a > b ? a : b;
}

static int place(struct sf_flame *f)
{
	double *used = calloc(f->nr, sizeof(*used)); /* by node: width of its children so far */

	if (!used)
		return -ENOMEM;
	for (size_t i = f->nr; i-- > 0;) {
		struct sf_flame_node *n = &f->node[i];
		double own = larger(n->total[SF_FLAME_BEFORE], n->total[SF_FLAME_AFTER]);

		/* Sums of equal parts differ in their last bits; that is no reason to widen a box. */
		n->width = used[i] > own * (1 + 1e-9) ? used[i] : own;
		if (i)
			used[n->parent] += n->width;
		used[i] = 0;
	}
	for (size_t i = 1; i < f->nr; i++) {
		struct sf_flame_node *n = &f->node[i];

		n->x = f->node[n->parent].x + used[n->parent];
		used[n->parent] += n->width;
		if (n->depth > f->max_depth)
			f->max_depth = n->depth;
	}
	free(used);
	return 0;
}

/* The widest branches at depth 1 get colours of their own; groups go down to all children. */
static void inherit(struct sf_flame *f)
{
	uint32_t top[SF_FLAME_OWNERS];
	size_t nr = 0, at;

	for (size_t i = 1; i < f->nr; i++) {
		if (f->node[i].depth != 1)
			continue;
		for (at = nr; at && f->node[top[at - 1]].width < f->node[i].width; at--)
			if (at < SF_FLAME_OWNERS)
				top[at] = top[at - 1];
		if (at < SF_FLAME_OWNERS) {
			top[at] = (uint32_t)i;
			nr += nr < SF_FLAME_OWNERS;
		}
	}
	for (size_t k = 0; k < nr; k++)
		f->node[top[k]].owner = (uint8_t)(k + 1);
	for (size_t i = 1; i < f->nr; i++) {
		struct sf_flame_node *n = &f->node[i];

		if (n->depth > 1)
			n->owner = f->node[n->parent].owner;
		if (n->group == SF_FLAME_OTHER)
			n->group = f->node[n->parent].group;
		f->groups |= n->group != SF_FLAME_OTHER;
	}
}

static double difference(const struct sf_flame_node *n)
{
	return n->total[SF_FLAME_AFTER] - n->total[SF_FLAME_BEFORE];
}

int sf_flame_finish(struct sf_flame *f)
{
	int ret = f->nr ? sort_nodes(f) : -ENOMEM;

	if (ret)
		return ret;
	f->finished = true;
	sf_map64_release(&f->child);
	sum_up(f);
	ret = place(f);
	if (ret)
		return ret;
	inherit(f);
	for (size_t i = 0; i < f->nr; i++)
		if (f->node[i].sign != SF_FLAME_INSIGNIFICANT)
			f->scale = larger(f->scale, fabs(difference(&f->node[i])));
	return 0;
}

int sf_flame_step(const struct sf_flame *f, const struct sf_flame_node *n)
{
	double d = difference(n), r = f->scale > 0 ? fabs(d) / f->scale : 0;
	int step = r < 0.01 ? 0 : r < 0.1 ? 1 : r < 0.3 ? 2 : r < 0.6 ? 3 : 4;

	if (n->sign == SF_FLAME_INSIGNIFICANT)
		return SF_FLAME_GREY;
	return d < 0 ? -step : step;
}

static bool only(const struct sf_flame_node *n, enum sf_flame_side side)
{
	return n->total[side] > 0 && !(n->total[!side] > 0);
}

size_t sf_flame_only(const struct sf_flame *f, enum sf_flame_side side, uint32_t *at, size_t max)
{
	size_t nr = 0, kept = 0, k;

	if (!f->differential)
		return 0;
	for (size_t i = 1; i < f->nr; i++) {
		const struct sf_flame_node *n = &f->node[i];

		if (!only(n, side) || (n->parent && only(&f->node[n->parent], side)))
			continue;
		nr++;
		for (k = kept; k && f->node[at[k - 1]].total[side] < n->total[side]; k--)
			if (k < max)
				at[k] = at[k - 1];
		if (k < max) {
			at[k] = (uint32_t)i;
			kept += kept < max;
		}
	}
	return nr;
}

uint32_t sf_flame_deepest(const struct sf_flame *f, enum sf_flame_side side, uint32_t at)
{
	double whole = f->node[at].total[side];
	uint32_t i = at + 1;

	/* Depth first: the children of at begin behind it and end with the next one that is no deeper. */
	while (i < f->nr && f->node[i].depth > f->node[at].depth) {
		const struct sf_flame_node *n = &f->node[i];

		if (n->parent == at && n->total[side] >= 0.8 * whole && n->total[side] > 0)
			at = i;
		i++;
	}
	return at;
}
