/* SPDX-License-Identifier: GPL-2.0-only */
#include "analysis/fold_later.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void sf_fold_later_release(struct sf_fold_later *l)
{
	sf_trie_release(&l->raw);
	sf_strtab_release(&l->places);
	free(l->span[0]);
	free(l->span[1]);
	free(l->pool.id);
	memset(l, 0, sizeof(*l));
}

uint32_t sf_fold_later_child(struct sf_fold_later *l, uint32_t node, const struct sf_fold_place *p)
{
	uint32_t key = sf_symbols_locate(l->symbols, p->pid, p->ip, p->mode, p->caller);
	uint8_t place[sizeof(key) + sizeof(p->ip)];

	/* With addrs the same location at two addresses is two. */
	if (l->f->opts.addrs && key) {
		memcpy(place, &key, sizeof(key));
		memcpy(place + sizeof(key), &p->ip, sizeof(p->ip));
		key = sf_strtab_idn(&l->places, (const char *)place, sizeof(place));
	}
	return key ? sf_trie_child(&l->raw, node, key) : 0;
}

/* Names of a key into the pool, from the root on. */
static int look_up(struct sf_fold_later *l, uint32_t key, bool java, struct sf_name_span *span)
{
	const struct sf_frame *frame;
	uint32_t loc = key;
	uint64_t ip = 0;
	size_t n;

	if (l->f->opts.addrs) {
		const char *place = sf_strtab_text(&l->places, key);

		memcpy(&loc, place, sizeof(loc));
		memcpy(&ip, place + sizeof(loc), sizeof(ip));
	}
	span->start = (uint32_t)l->pool.nr + 1;
	n = sf_symbols_frames(l->symbols, loc, &frame);
	while (n--)
		if (sf_fold_frame_names(&l->f->namer, java, &frame[n], ip, &l->pool))
			return -ENOMEM;
	span->nr = (uint32_t)(l->pool.nr + 1 - span->start);
	return 0;
}

/* The stack of names below parent; parent itself where the key has no name to show. */
static uint32_t name_node(struct sf_fold_later *l, uint32_t parent, uint32_t key, bool java)
{
	struct sf_name_span *span;

	if (!l->span[java])
		l->span[java] = calloc(l->nr_spans, sizeof(*l->span[java]));
	if (!l->span[java] || key >= l->nr_spans)
		return 0;
	span = &l->span[java][key];
	if (!span->start && look_up(l, key, java, span))
		return 0;
	for (uint32_t i = 0; i < span->nr && parent; i++)
		parent = sf_trie_child(&l->f->stacks, parent, l->pool.id[span->start - 1 + i]);
	return parent;
}

/* A parent comes before its children. */
static int name_all(struct sf_fold_later *l, uint32_t *to, uint8_t *java)
{
	for (uint32_t n = 1; n < l->raw.nr; n++) {
		const struct sf_trie_node *node = &l->raw.node[n];

		if (!node->parent) {
			java[n] = sf_fold_namer_is_java(&l->f->namer, node->key);
			to[n] = sf_trie_child(&l->f->stacks, 0, node->key);
		} else {
			java[n] = java[node->parent];
			to[n] = name_node(l, to[node->parent], node->key, java[n]);
		}
		if (!to[n])
			return -ENOMEM;
		if (node->weight)
			sf_trie_add(&l->f->stacks, to[n], node->weight);
	}
	return 0;
}

int sf_fold_later_name(struct sf_fold_later *l)
{
	uint32_t *to = calloc(l->raw.nr + 1, sizeof(*to));
	uint8_t *java = calloc(l->raw.nr + 1, 1);
	int ret;

	l->nr_spans = sf_symbols_nr_locations(l->symbols) + 2;
	if (l->f->opts.addrs)
		l->nr_spans = l->places.nr + 2;
	ret = to && java ? name_all(l, to, java) : -ENOMEM;
	free(to);
	free(java);
	return ret;
}
