/* SPDX-License-Identifier: GPL-2.0-only */
#include <snapflame/table.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

uint64_t sf_hash_bytes(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t h = len * 0x9e3779b97f4a7c15ULL, w;

	for (; len >= 8; len -= 8, p += 8) {
		memcpy(&w, p, 8);
		h = (h ^ sf_hash64(w)) * 0x9e3779b97f4a7c15ULL;
	}
	if (len) {
		w = 0;
		memcpy(&w, p, len);
		h = (h ^ sf_hash64(w)) * 0x9e3779b97f4a7c15ULL;
	}
	return sf_hash64(h);
}

uint32_t sf_map64_get(const struct sf_map64 *m, uint64_t key, uint32_t def)
{
	if (!m->size)
		return def;
	for (size_t i = sf_hash64(key);; i++) {
		const struct sf_map64_slot *s = &m->slot[i & (m->size - 1)];

		if (!s->used)
			return def;
		if (s->key == key)
			return s->value;
	}
}

static int map64_grow(struct sf_map64 *m)
{
	size_t size = m->size ? m->size * 2 : 64;
	struct sf_map64_slot *slot = calloc(size, sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	for (size_t k = 0; k < m->size; k++) {
		if (!m->slot[k].used)
			continue;
		for (size_t i = sf_hash64(m->slot[k].key);; i++) {
			if (slot[i & (size - 1)].used)
				continue;
			slot[i & (size - 1)] = m->slot[k];
			break;
		}
	}
	free(m->slot);
	m->slot = slot;
	m->size = size;
	return 0;
}

uint32_t *sf_map64_at(struct sf_map64 *m, uint64_t key, bool *made)
{
	if (m->nr * 3 >= m->size * 2 && map64_grow(m))
		return NULL;
	for (size_t i = sf_hash64(key);; i++) {
		struct sf_map64_slot *s = &m->slot[i & (m->size - 1)];

		if (s->used && s->key != key)
			continue;
		if (made)
			*made = !s->used;
		if (!s->used) {
			s->used = 1;
			s->key = key;
			s->value = 0;
			m->nr++;
		}
		return &s->value;
	}
}

void sf_map64_release(struct sf_map64 *m)
{
	free(m->slot);
	memset(m, 0, sizeof(*m));
}

static int strtab_grow(struct sf_strtab *t)
{
	size_t size = t->size ? t->size * 2 : 256;
	uint32_t *slot = calloc(size, sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	for (uint32_t id = 1; id <= t->nr; id++) {
		size_t i = sf_hash_bytes(t->text[id - 1], t->len[id - 1]);

		while (slot[i & (size - 1)])
			i++;
		slot[i & (size - 1)] = id;
	}
	free(t->slot);
	t->slot = slot;
	t->size = size;
	return 0;
}

/* The id of a text, or 0 and *free_slot, where it would go. There is a free slot. */
static uint32_t look_up(const struct sf_strtab *t, const char *s, size_t len, size_t *free_slot)
{
	for (size_t i = sf_hash_bytes(s, len);; i++) {
		uint32_t id = t->slot[i & (t->size - 1)];

		if (!id) {
			*free_slot = i & (t->size - 1);
			return 0;
		}
		if (t->len[id - 1] == len && !memcmp(t->text[id - 1], s, len))
			return id;
	}
}

uint32_t sf_strtab_find(const struct sf_strtab *t, const char *s, size_t len)
{
	size_t unused;

	return t->size ? look_up(t, s, len, &unused) : 0;
}

uint32_t sf_strtab_idn(struct sf_strtab *t, const char *s, size_t len)
{
	uint32_t id;
	size_t slot;
	char *copy;

	if (len >= UINT32_MAX || t->nr >= UINT32_MAX - 1)
		return 0;
	if (t->nr * 3 >= t->size * 2 && strtab_grow(t))
		return 0;
	id = look_up(t, s, len, &slot);
	if (id)
		return id;
	if (SF_GROW(t->text, t->nr + 1, t->alloc) || SF_GROW(t->len, t->nr + 1, t->len_alloc))
		return 0;
	copy = sf_arena_strndup(&t->arena, s, len);
	if (!copy)
		return 0;
	t->text[t->nr] = copy;
	t->len[t->nr] = (uint32_t)len;
	t->nr++;
	t->slot[slot] = (uint32_t)t->nr;
	return (uint32_t)t->nr;
}

uint32_t sf_strtab_id(struct sf_strtab *t, const char *s)
{
	return sf_strtab_idn(t, s, strlen(s));
}

const char *sf_strtab_text(const struct sf_strtab *t, uint32_t id)
{
	return id && id <= t->nr ? t->text[id - 1] : "";
}

size_t sf_strtab_len(const struct sf_strtab *t, uint32_t id)
{
	return id && id <= t->nr ? t->len[id - 1] : 0;
}

void sf_strtab_release(struct sf_strtab *t)
{
	sf_arena_release(&t->arena);
	free(t->text);
	free(t->len);
	free(t->slot);
	memset(t, 0, sizeof(*t));
}
