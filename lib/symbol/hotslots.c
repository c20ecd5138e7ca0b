/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/hotslots.h"

#include <string.h>

/*
 * Walks through a page until what none of them found is forgotten. Of a recursion of 40 depths 4 to
 * 16 do as well; without end it would ask for seven times as many places as are read.
 */
#define MAX_USES 8

/* Pages that are looked up for one dump: the kernel's limit is 64 kB, hostile ones have no more. */
#define MAX_PAGES 17

static struct sf_hotslots_page *entry_of(struct sf_hotslots *h, uint64_t page)
{
	return &h->entry[page % SF_HOT_ENTRIES];
}

void sf_hotslots_note(struct sf_hotslots *h, uint64_t addr)
{
	uint64_t page = addr >> SF_HOT_PAGE_BITS;
	struct sf_hotslots_page *e = entry_of(h, page);

	if (e->page != page) {
		memset(e, 0, sizeof(*e));
		e->page = page;
	}
	e->now[addr >> 9 & (SF_HOT_WORDS - 1)] |= 1ULL << (addr >> 3 & 63);
}

/* Inline, because to gcc 12 a function that only prefetches does nothing, and its calls go. */
static inline __attribute__((always_inline)) void fetch_page(const struct sf_hotslots_page *e,
							      uint64_t addr, const uint8_t *stack,
							      uint64_t size)
{
	for (uint64_t w = 0; w < SF_HOT_WORDS; w++)
		for (uint64_t bits = e->now[w] | e->before[w]; bits; bits &= bits - 1) {
			uint64_t slot = w << 9 | (uint64_t)__builtin_ctzll(bits) << 3;
			uint64_t at = (e->page << SF_HOT_PAGE_BITS | slot) - addr;

			if (at < size)
				__builtin_prefetch(stack + at);
		}
}

void sf_hotslots_fetch(struct sf_hotslots *h, uint64_t addr, const uint8_t *stack, uint64_t size)
{
	uint64_t page = addr >> SF_HOT_PAGE_BITS, left = (addr + size - 1) >> SF_HOT_PAGE_BITS;

	left = left - page < MAX_PAGES ? left - page + 1 : MAX_PAGES;
	for (; left; left--, page++) {
		struct sf_hotslots_page *e = entry_of(h, page);

		if (e->page != page)
			continue;
		fetch_page(e, addr, stack, size);
		if (++e->uses < MAX_USES)
			continue;
		e->uses = 0;
		memcpy(e->before, e->now, sizeof(e->now));
		memset(e->now, 0, sizeof(e->now));
	}
}
