/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Growing arrays: a pointer, a count and a capacity, side by side in the owner's struct.
 *
 *	struct { struct foo *item; size_t nr, alloc; } list = { 0 };
 *	if (SF_GROW(list.item, list.nr + 1, list.alloc))
 *		return -ENOMEM;
 *	list.item[list.nr++] = foo;
 *	free(list.item);
 */
#ifndef SNAPFLAME_ARRAY_H
#define SNAPFLAME_ARRAY_H

#include <stddef.h>
#include <stdint.h>

#define SF_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Make room for want items of *ptr; 0, or -ENOMEM with everything as it was. Not for C++. */
#define SF_GROW(ptr, want, alloc) \
	((size_t)(want) <= (size_t)(alloc) \
		 ? 0 \
		 : sf_array_grow((void **)&(ptr), &(alloc), (want), sizeof(*(ptr))))

int sf_array_grow(void **ptr, size_t *alloc, size_t want, size_t item_size);

/*
 * Bump allocator for small things that live as long as their owner. sf_arena_alloc returns zeroed
 * memory aligned to 8, or NULL when there is none.
 */
struct sf_arena {
	struct sf_arena_block *head;
	size_t used, size; /* of the head block, bytes */
	size_t total;      /* bytes handed out */
};

void *sf_arena_alloc(struct sf_arena *a, size_t size);
char *sf_arena_strndup(struct sf_arena *a, const char *s, size_t len);
void sf_arena_release(struct sf_arena *a);

#endif
