/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lines of a fold in byte order, from the tree, without a copy of every line in memory.
 *
 * Below a node, each child stands for two things: its own line, which ends there, and the lines of
 * its subtree, which go on with ';'. Sorted by name + end and name + ';' as two items each, they
 * come out as sort(1) has them: "a", "a-b", "a-b;x", "a;x".
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/array.h>

#include "analysis/fold_impl.h"

struct item {
	uint32_t rank; /* of name + end, name + ';' */
	uint32_t node;
};

struct walk {
	const struct sf_fold *f;
	const struct sf_trie *t;
	uint32_t *rank;	   /* by name id * 2 + (1 for the subtree) */
	uint32_t *child;   /* nodes by parent */
	uint32_t *first;   /* by node: index in child; one more at the end */
	struct item *item; /* of all open nodes, as a stack */
	size_t nr_items, items_alloc;
	struct level {
		size_t next, end; /* in item */
		size_t line_len;  /* of the node's own line */
	} *level;
	size_t nr_levels, levels_alloc;
	struct sf_str line;
};

struct rank_key {
	const char *name;
	uint32_t index;
};

/* Names as if they ended in '\0', or in ';'. */
static int by_key(const void *pa, const void *pb)
{
	const struct rank_key *a = pa, *b = pb;
	const unsigned char *x = (const unsigned char *)a->name,
			    *y = (const unsigned char *)b->name;
	unsigned cx, cy;

	while (*x && *x == *y)
		x++, y++;
	cx = *x ? *x : a->index & 1 ? ';' : 0;
	cy = *y ? *y : b->index & 1 ? ';' : 0;
	if (cx != cy)
		return cx < cy ? -1 : 1;
	return (a->index > b->index) - (a->index < b->index);
}

static int rank_names(struct walk *w)
{
	const struct sf_strtab *names = &w->f->namer.names;
	size_t n = names->nr * 2;
	struct rank_key *key = calloc(n + 1, sizeof(*key));

	w->rank = calloc(n + 2, sizeof(*w->rank));
	if (!key || !w->rank) {
		free(key);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++)
		key[i] = (struct rank_key){sf_strtab_text(names, (uint32_t)(i / 2) + 1),
					   (uint32_t)i};
	qsort(key, n, sizeof(*key), by_key);
	for (size_t i = 0; i < n; i++)
		w->rank[key[i].index + 2] = (uint32_t)i;
	free(key);
	return 0;
}

/* Counting sort by parent. */
static int list_children(struct walk *w)
{
	const struct sf_trie *t = w->t;

	w->first = calloc(t->nr + 2, sizeof(*w->first));
	w->child = calloc(t->nr + 1, sizeof(*w->child));
	if (!w->first || !w->child)
		return -ENOMEM;
	for (size_t n = 1; n < t->nr; n++)
		w->first[t->node[n].parent + 2]++;
	for (size_t n = 1; n <= t->nr + 1; n++)
		w->first[n] += w->first[n - 1];
	for (uint32_t n = 1; n < t->nr; n++)
		w->child[w->first[t->node[n].parent + 1]++] = n;
	return 0;
}

static int by_rank(const void *pa, const void *pb)
{
	const struct item *a = pa, *b = pb;

	return (a->rank > b->rank) - (a->rank < b->rank);
}

/* Open the subtree below node: its items go on the stack, in order. */
static int descend(struct walk *w, uint32_t node)
{
	size_t start = w->nr_items;

	if (SF_GROW(w->level, w->nr_levels + 1, w->levels_alloc) ||
	    SF_GROW(w->item, start + 2 * (size_t)(w->first[node + 1] - w->first[node]),
		    w->items_alloc))
		return -ENOMEM;
	for (size_t i = w->first[node]; i < w->first[node + 1]; i++) {
		uint32_t c = w->child[i], name = w->t->node[c].key;

		if (w->t->node[c].weight)
			w->item[w->nr_items++] = (struct item){w->rank[2 * name], c};
		if (w->first[c] < w->first[c + 1])
			w->item[w->nr_items++] = (struct item){w->rank[2 * name + 1], c};
	}
	if (w->nr_items > start)
		qsort(w->item + start, w->nr_items - start, sizeof(*w->item), by_rank);
	w->level[w->nr_levels++] = (struct level){start, w->nr_items, w->line.len};
	return 0;
}

typedef int emit_fn(void *arg, const char *line, size_t len, uint64_t weight);

static int walk(struct walk *w, emit_fn *emit, void *arg)
{
	int ret = descend(w, 0);

	while (!ret && w->nr_levels) {
		struct level *l = &w->level[w->nr_levels - 1];
		const struct sf_trie_node *n;
		struct item it;

		w->line.len = l->line_len;
		if (l->next == l->end) {
			w->nr_levels--;
			w->nr_items = w->nr_levels ? w->level[w->nr_levels - 1].end : 0;
			continue;
		}
		it = w->item[l->next++];
		n = &w->t->node[it.node];
		if (n->parent)
			sf_str_addch(&w->line, ';');
		sf_str_addn(&w->line, sf_strtab_text(&w->f->namer.names, n->key),
			    sf_strtab_len(&w->f->namer.names, n->key));
		if (sf_str_failed(&w->line))
			ret = -ENOMEM;
		else if (it.rank == w->rank[2 * n->key])
			ret = emit(arg, w->line.buf, w->line.len, n->weight);
		else
			ret = descend(w, it.node);
	}
	return ret;
}

int sf_fold_each(struct sf_fold *f, emit_fn *emit, void *arg)
{
	struct walk w = {.f = f, .t = &f->stacks, .line = SF_STR_INIT};
	int ret = 0;

	if (f->stacks.nr)
		ret = rank_names(&w);
	if (f->stacks.nr && !ret)
		ret = list_children(&w);
	if (f->stacks.nr && !ret)
		ret = walk(&w, emit, arg);
	free(w.rank);
	free(w.child);
	free(w.first);
	free(w.item);
	free(w.level);
	sf_str_release(&w.line);
	return ret;
}
