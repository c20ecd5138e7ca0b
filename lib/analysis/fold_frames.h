/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From an address to the names of its frame, while reading: a cache by address, and behind it the
 * names of each function once, however many addresses it has.
 */
#ifndef ANALYSIS_FOLD_FRAMES_H
#define ANALYSIS_FOLD_FRAMES_H

#include <snapflame/symbol.h>

#include "analysis/fold_impl.h"

/* Names in pool; kept by index, because pool moves. */
struct sf_name_span {
	uint32_t start, nr;
};

struct sf_fold_frames {
	struct sf_fold *f;
	struct sf_symbols *symbols;
	struct sf_frame_cached *cache;
	struct sf_map64 known; /* hash of what the names depend on -> index in span + 1 */
	struct sf_name_span *span;
	size_t nr_spans, spans_alloc;
	struct sf_name_list pool;
	bool has_last; /* the names that were looked up last: [unknown] often comes many times */
	uint64_t last_key;
	struct sf_name_span last;
};

int sf_fold_frames_init(struct sf_fold_frames *ff, struct sf_fold *f, struct sf_symbols *symbols);
void sf_fold_frames_release(struct sf_fold_frames *ff);

/* An address as a thread sees it. */
struct sf_fold_place {
	uint32_t pid;
	uint64_t space; /* changes whenever what is at ip may change */
	unsigned mode;	/* PERF_RECORD_MISC_* */
	uint64_t ip;
	bool caller, java;
};

/* Names from the root on, valid until the next call; 0 or -ENOMEM. */
int sf_fold_frames_at(struct sf_fold_frames *ff, const struct sf_fold_place *p, const uint32_t **id,
		      size_t *nr);

/* Names of a frame into out. pc is its address, shown for opts.addrs. */
int sf_fold_frame_names(struct sf_fold_namer *n, bool java, const struct sf_frame *frame,
			uint64_t pc, struct sf_name_list *out);

#endif
