/* SPDX-License-Identifier: GPL-2.0-only */
#include <snapflame/array.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int sf_array_grow(void **ptr, size_t *alloc, size_t want, size_t item_size)
{
	size_t n = *alloc + *alloc / 2 + 16, bytes;
	void *p;

	if (n < want)
		n = want;
	if (__builtin_mul_overflow(n, item_size, &bytes))
		return -ENOMEM;
	p = realloc(*ptr, bytes);
	if (!p)
		return -ENOMEM;
	*ptr = p;
	*alloc = n;
	return 0;
}

struct sf_arena_block {
	struct sf_arena_block *next;
	max_align_t data[];
};

#define ARENA_BLOCK (64 * 1024 - sizeof(struct sf_arena_block))

void *sf_arena_alloc(struct sf_arena *a, size_t size)
{
	void *p;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + 7) & ~(size_t)7;
	if (!a->head || a->size - a->used < size) {
		size_t n = size > ARENA_BLOCK ? size : ARENA_BLOCK;
		struct sf_arena_block *b = calloc(1, sizeof(*b) + n);

		if (!b)
			return NULL;
		b->next = a->head;
		a->head = b;
		a->used = 0;
		a->size = n;
	}
	p = (char *)a->head->data + a->used;
	a->used += size;
	a->total += size;
	return p;
}

char *sf_arena_strndup(struct sf_arena *a, const char *s, size_t len)
{
	char *p = len < SIZE_MAX ? sf_arena_alloc(a, len + 1) : NULL;

	if (p)
		memcpy(p, s, len); /* the arena's memory is zeroed: terminated */
	return p;
}

void sf_arena_release(struct sf_arena *a)
{
	while (a->head) {
		struct sf_arena_block *next = a->head->next;

		free(a->head);
		a->head = next;
	}
	memset(a, 0, sizeof(*a));
}
