/* SPDX-License-Identifier: GPL-2.0-only */
/* Inlined calls and source lines of one ELF file, from its DWARF. */
#ifndef SNAPFLAME_SYMBOL_INLINES_H
#define SNAPFLAME_SYMBOL_INLINES_H

#include <stddef.h>
#include <stdint.h>

#include "symbol/files.h"

struct sf_inlines;

/* One level of the nest of calls at an address. Strings live as long as the struct sf_inlines. */
struct sf_source {
	const char *name; /* demangled; NULL where DWARF has none */
	const char *file; /* NULL unknown */
	unsigned line;	  /* in this function: of the address, or of the call that was inlined */
};

/* Takes the files over, also on failure. -ENODATA without DWARF, -ENOSYS without libdw. */
int sf_inlines_open(struct sf_inlines **out, struct sf_symbols *s, struct sf_files *files);
void sf_inlines_free(struct sf_inlines *x);

/*
 * The nest at a file offset, innermost first, the function that holds it all last; at most max.
 * 0 where DWARF says nothing.
 */
size_t sf_inlines_at(struct sf_inlines *x, uint64_t offset, struct sf_source *out, size_t max);

#endif
