/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rules for an address, thinned out: to follow a chain takes the return address, the stack
 * pointer, and seldom another register. A row of a compiler restores up to six more, which nobody
 * looks at; without them a frame is one load instead of seven.
 *
 * Which registers matter is found on the way, from the rows that were met: needed grows, and what
 * was walked with fewer has to be walked again.
 */
#ifndef SNAPFLAME_SYMBOL_UNWIND_ROWS_H
#define SNAPFLAME_SYMBOL_UNWIND_ROWS_H

#include <stdint.h>

#include "symbol/cfi.h"
#include "symbol/symbols.h"

struct sf_unwind_file;

struct sf_unwind_rows {
	struct sf_symbols *s; /* borrowed */
	unsigned sp;	      /* the stack pointer */
	uint64_t needed;      /* registers that some row, or the walk itself, looks at */
	uint64_t looked_up;   /* addresses whose rules were looked up in their file */
	struct sf_cfi_exprs exprs;
	struct sf_unwind_file **file; /* by module id - 1 */
	size_t nr_files, alloc;
	struct sf_strtab rows; /* equal rows are one: thousands for millions of addresses */
	struct sf_unwind_cached *cache;
};

/* sp and fp: the registers that the walk looks at on its own. 0 or -ENOMEM. */
int sf_unwind_rows_init(struct sf_unwind_rows *r, struct sf_symbols *s, unsigned sp, unsigned fp);
void sf_unwind_rows_release(struct sf_unwind_rows *r);

/* The row for pc, NULL where there is none. It lives as long as r. */
const struct sf_cfi_row *sf_unwind_rows_find(struct sf_unwind_rows *r, const struct sf_maps *maps,
					     uint64_t pc);

#endif
