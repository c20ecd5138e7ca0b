/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hash tables for the hot paths: 64-bit keys to 32-bit values, and interned strings. Off the hot
 * path the project uses uthash.
 */
#ifndef SNAPFLAME_TABLE_H
#define SNAPFLAME_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <snapflame/array.h>

/* Mix of the 64-bit finaliser of MurmurHash3 (public domain, Austin Appleby). */
static inline uint64_t sf_hash64(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ULL;
	return x ^ (x >> 33);
}

uint64_t sf_hash_bytes(const void *data, size_t len);

/* 64-bit key -> 32-bit value, open addressing. All zeroes is an empty table. */
struct sf_map64 {
	struct sf_map64_slot {
		uint64_t key;
		uint32_t value;
		uint32_t used;
	} *slot;
	size_t nr, size; /* entries; slots, a power of two */
};

/* The value, or def where the key is not in the table. */
uint32_t sf_map64_get(const struct sf_map64 *m, uint64_t key, uint32_t def);
/* Pointer to the value of key, made with value 0 where it was not there; NULL without memory. */
uint32_t *sf_map64_at(struct sf_map64 *m, uint64_t key, bool *made);
void sf_map64_release(struct sf_map64 *m);

/*
 * Interned strings: equal strings have equal ids, ids count from 1, and 0 is no string (text "").
 * The text lives as long as the table.
 */
struct sf_strtab {
	struct sf_arena arena;
	const char **text; /* by id - 1 */
	uint32_t *len;
	size_t nr, alloc, len_alloc;
	uint32_t *slot; /* ids, open addressing */
	size_t size;
};

uint32_t sf_strtab_id(struct sf_strtab *t, const char *s); /* 0 without memory */
uint32_t sf_strtab_idn(struct sf_strtab *t, const char *s, size_t len);
uint32_t sf_strtab_find(const struct sf_strtab *t, const char *s, size_t len); /* 0: not there */
const char *sf_strtab_text(const struct sf_strtab *t, uint32_t id);
size_t sf_strtab_len(const struct sf_strtab *t, uint32_t id);
void sf_strtab_release(struct sf_strtab *t);

#endif
