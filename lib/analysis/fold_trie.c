/* SPDX-License-Identifier: GPL-2.0-only */
#include "analysis/fold_trie.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/array.h>
#include <snapflame/table.h>

static uint64_t hash(uint32_t parent, uint32_t key)
{
	return sf_hash64((uint64_t)parent << 32 | key);
}

static int grow(struct sf_trie *t)
{
	size_t size = t->size ? t->size * 2 : 1024;
	struct sf_trie_slot *slot = calloc(size, sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	for (uint32_t n = 1; n < t->nr; n++) {
		size_t i = hash(t->node[n].parent, t->node[n].key);

		while (slot[i & (size - 1)].node)
			i++;
		slot[i & (size - 1)] = (struct sf_trie_slot){t->node[n].parent, t->node[n].key, n};
	}
	free(t->slot);
	t->slot = slot;
	t->size = size;
	return 0;
}

uint32_t sf_trie_child(struct sf_trie *t, uint32_t parent, uint32_t key)
{
	size_t i = hash(parent, key);

	if ((t->nr + 1) * 3 >= t->size * 2 && grow(t))
		return 0;
	for (;; i++) {
		const struct sf_trie_slot *s = &t->slot[i & (t->size - 1)];

		if (!s->node)
			break;
		if (s->parent == parent && s->key == key)
			return s->node;
	}
	if (t->nr >= UINT32_MAX - 1 || SF_GROW(t->node, t->nr + 2, t->alloc))
		return 0;
	if (!t->nr)
		t->node[t->nr++] = (struct sf_trie_node){0};
	t->node[t->nr] = (struct sf_trie_node){.parent = parent, .key = key};
	t->slot[i & (t->size - 1)] = (struct sf_trie_slot){parent, key, (uint32_t)t->nr};
	return (uint32_t)t->nr++;
}

void sf_trie_add(struct sf_trie *t, uint32_t node, uint64_t weight)
{
	uint64_t *w = &t->node[node].weight;

	if (__builtin_add_overflow(*w, weight, w))
		*w = UINT64_MAX;
}

void sf_trie_release(struct sf_trie *t)
{
	free(t->node);
	free(t->slot);
	memset(t, 0, sizeof(*t));
}
