/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stacks of locations, which are named when the whole recording was read: where names, build-ids or
 * the kernel's release may come behind the samples, and where a location is several frames.
 */
#ifndef ANALYSIS_FOLD_LATER_H
#define ANALYSIS_FOLD_LATER_H

#include <snapflame/symbol.h>

#include "analysis/fold_frames.h"

struct sf_fold_later {
	struct sf_fold *f;
	struct sf_symbols *symbols;
	struct sf_trie raw; /* keys: name of the root, then locations (with addrs: of places) */
	struct sf_strtab places;      /* with addrs: location and address */
	struct sf_name_span *span[2]; /* by key: not java, java; start + 1, 0: not looked up */
	size_t nr_spans;
	struct sf_name_list pool;
};

void sf_fold_later_release(struct sf_fold_later *l);

/* The child of a stack for an address; 0 without memory. */
uint32_t sf_fold_later_child(struct sf_fold_later *l, uint32_t node, const struct sf_fold_place *p);

/* Into stacks of names, in f. 0 or -ENOMEM. */
int sf_fold_later_name(struct sf_fold_later *l);

#endif
