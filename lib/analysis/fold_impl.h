/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of folding share. */
#ifndef ANALYSIS_FOLD_IMPL_H
#define ANALYSIS_FOLD_IMPL_H

#include <snapflame/fold.h>

#include "analysis/fold_names.h"
#include "analysis/fold_trie.h"

struct sf_fold {
	struct sf_fold_opts opts;
	struct sf_fold_namer namer;
	struct sf_trie stacks; /* keys: names */
	struct sf_fold_stats stats;
	const char *event;	  /* folded: of opts, or of met */
	struct sf_strtab met;	  /* names of events */
	struct sf_name_list list; /* scratch */
};

/*
 * Whether samples of this event are folded. The first one met is, unless opts name one; only
 * samples that perf script prints with a stack count as met.
 */
enum sf_fold_verdict { SF_FOLD_NO_MEMORY, SF_FOLD_SKIP, SF_FOLD_TAKE };
enum sf_fold_verdict sf_fold_meet(struct sf_fold *f, const char *event, size_t len);

/* Whether the thread's name and the time pass the filters of opts. */
bool sf_fold_wants_thread(const struct sf_fold *f, const char *comm, size_t len);
static inline bool sf_fold_wants_time(const struct sf_fold *f, bool has_time, uint64_t time)
{
	return !f->opts.span || (has_time && time >= f->opts.begin && time <= f->opts.end);
}

/* weight for the stack of names, counted as one sample. */
static inline void sf_fold_count(struct sf_fold *f, uint64_t weight)
{
	f->stats.samples++;
	if (__builtin_add_overflow(f->stats.weight, weight, &f->stats.weight))
		f->stats.weight = UINT64_MAX;
}

/* A hash of two words, for tags that are compared as a whole. */
static inline uint64_t sf_mix64(uint64_t a, uint64_t b)
{
	__uint128_t m = (__uint128_t)(a ^ 0xa0761d6478bd642fULL) * (b ^ 0xe7037ed1a0b428dbULL);

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* What a sample weighs: perf prints a period of 0 as none, and the script takes that for 1. */
static inline uint64_t sf_fold_weight_of(const struct sf_fold *f, uint64_t period)
{
	return f->opts.weight == SF_FOLD_COUNT || !period ? 1 : period;
}

#endif
