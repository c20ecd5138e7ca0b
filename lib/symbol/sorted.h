/* SPDX-License-Identifier: GPL-2.0-only */
/* Where an address belongs in an array of anything that is sorted by one. */
#ifndef SF_SYMBOL_SORTED_H
#define SF_SYMBOL_SORTED_H

#include <stddef.h>
#include <stdint.h>

/*
 * The number of items whose member, an address, is addr or before it; it is known to lie between lo and hi,
 * which are 0 and the number of items where nothing is known.
 */
#define SF_UP_TO(item, lo, hi, member, addr) \
	sf_up_to((item), sizeof(*(item)), offsetof(__typeof__(*(item)), member), (lo), (hi), (addr))

static inline size_t sf_up_to(const void *item, size_t size, size_t offset, size_t lo, size_t hi, uint64_t addr)
{
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (*(const uint64_t *)((const char *)item + mid * size + offset) <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

#endif
