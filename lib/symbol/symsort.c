/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tables of programs have hundreds of thousands of symbols in the order of nothing; most of what
 * naming a short recording costs is putting them in order.
 */
#include <stdlib.h>
#include <string.h>

#include "symbol/symtab.h"

static int by_start(const void *a, const void *b)
{
	const struct sf_sym *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

#define DIGIT_BITS 11
#define DIGITS	   (1u << DIGIT_BITS)
#define AHEAD	   12 /* symbols that the processor is told of before they are read */

/* One pass of a radix sort. */
static void sort_by_digit(uint64_t *to, const uint64_t *from, size_t nr, unsigned shift)
{
	uint32_t at[DIGITS] = {0}, sum = 0;

	for (size_t i = 0; i < nr; i++)
		at[from[i] >> shift & (DIGITS - 1)]++;
	for (size_t d = 0; d < DIGITS; d++) {
		uint32_t n = at[d];

		at[d] = sum;
		sum += n;
	}
	for (size_t i = 0; i < nr; i++)
		to[at[from[i] >> shift & (DIGITS - 1)]++] = from[i];
}

static unsigned bits_of(uint64_t n)
{
	return n ? 64 - (unsigned)__builtin_clzll(n) : 0;
}

/*
 * Sort keys, not symbols: (start, index) in one word each, by start alone, which keeps the order of
 * arrival where starts are equal. False where they do not fit, or without memory: to be sorted
 * otherwise.
 */
static bool sort_large(struct sf_sym *sym, size_t nr)
{
	uint64_t low = UINT64_MAX, high = 0, *key, *from, *to;
	unsigned index_bits = bits_of(nr - 1), bits;
	struct sf_sym *copy;

	for (size_t i = 0; i < nr; i++) {
		low = sym[i].start < low ? sym[i].start : low;
		high = sym[i].start > high ? sym[i].start : high;
	}
	bits = bits_of(high - low) + index_bits;
	key = bits <= 64 ? calloc(nr, 2 * sizeof(*key)) : NULL;
	copy = key ? calloc(nr, sizeof(*copy)) : NULL;
	if (!copy) {
		free(key);
		return false;
	}
	from = key;
	to = key + nr;
	for (size_t i = 0; i < nr; i++)
		from[i] = (sym[i].start - low) << index_bits | i;
	for (unsigned shift = index_bits; shift < bits; shift += DIGIT_BITS) {
		uint64_t *swap = from;

		sort_by_digit(to, from, nr, shift);
		from = to;
		to = swap;
	}
	for (size_t i = 0, mask = ((size_t)1 << index_bits) - 1; i < nr; i++) {
		__builtin_prefetch(&sym[from[i + AHEAD < nr ? i + AHEAD : i] & mask]);
		copy[i] = sym[from[i] & mask];
	}
	memcpy(sym, copy, nr * sizeof(*sym));
	free(copy);
	free(key);
	return true;
}

/* sym[0 … mid) and sym[mid … nr), each sorted, become one. False without memory. */
static bool join(struct sf_sym *sym, size_t mid, size_t nr)
{
	size_t a = mid, b = nr - mid, to = nr;
	struct sf_sym *tail = calloc(b, sizeof(*tail));

	if (!tail)
		return false;
	memcpy(tail, sym + mid, b * sizeof(*tail));
	while (b) {
		bool left = a && by_start(&sym[a - 1], &tail[b - 1]) > 0;

		sym[--to] = left ? sym[a - 1] : tail[b - 1];
		a -= left;
		b -= !left;
	}
	free(tail);
	return true;
}

static void sort_some(struct sf_sym *sym, size_t nr)
{
	if (nr > 1 && (nr < DIGITS || !sort_large(sym, nr)))
		qsort(sym, nr, sizeof(*sym), by_start);
}

void sf_symtab_sort(struct sf_symtab *t)
{
	size_t sorted = t->nr ? 1 : 0;

	/* kallsyms is sorted; of a table that was added to, the old part is. */
	while (sorted < t->nr && by_start(&t->sym[sorted - 1], &t->sym[sorted]) < 0)
		sorted++;
	if (sorted == t->nr)
		return;
	if (sorted < t->nr / 2) {
		sort_some(t->sym, t->nr);
		return;
	}
	sort_some(t->sym + sorted, t->nr - sorted);
	if (!join(t->sym, sorted, t->nr))
		qsort(t->sym, t->nr, sizeof(*t->sym), by_start);
}
