/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/location.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/array.h>
#include <snapflame/table.h>

static size_t hash(const struct sf_location *l)
{
	uint64_t tag = (uint64_t)l->module << 32 | (uint32_t)l->flags << 16 | l->back;

	return sf_hash64(l->addr ^ sf_hash64(tag));
}

static bool equal(const struct sf_location *a, const struct sf_location *b)
{
	return a->addr == b->addr && a->module == b->module && a->flags == b->flags &&
	       a->back == b->back;
}

static int grow(struct sf_locations *l)
{
	size_t size = l->size ? l->size * 2 : 1024;
	uint32_t *slot = calloc(size, sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	for (size_t k = 0; k < l->nr; k++) {
		size_t i = hash(&l->loc[k]);

		while (slot[i & (size - 1)])
			i++;
		slot[i & (size - 1)] = (uint32_t)k + 1;
	}
	free(l->slot);
	l->slot = slot;
	l->size = size;
	return 0;
}

uint32_t sf_location_id(struct sf_locations *l, const struct sf_location *want)
{
	size_t i;

	if (l->nr * 3 >= l->size * 2 && grow(l))
		return 0;
	for (i = hash(want); l->slot[i & (l->size - 1)]; i++) {
		uint32_t id = l->slot[i & (l->size - 1)];

		if (equal(&l->loc[id - 1], want))
			return id;
	}
	if (l->nr >= UINT32_MAX - 1 || SF_GROW(l->loc, l->nr + 1, l->alloc))
		return 0;
	l->loc[l->nr++] = *want;
	l->slot[i & (l->size - 1)] = (uint32_t)l->nr;
	return (uint32_t)l->nr;
}

struct sf_location *sf_location_at(const struct sf_locations *l, uint32_t id)
{
	return id && id <= l->nr ? &l->loc[id - 1] : NULL;
}

void sf_locations_release(struct sf_locations *l)
{
	free(l->loc);
	free(l->slot);
	memset(l, 0, sizeof(*l));
}
