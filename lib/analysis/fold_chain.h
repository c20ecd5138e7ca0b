/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The call chain of a sample as perf script prints it: leaf first, with PERF_CONTEXT_* before each
 * part. Mostly what the kernel wrote; else put together from the last branch record, or from the
 * user's registers and stack, or from the sample's address alone.
 */
#ifndef ANALYSIS_FOLD_CHAIN_H
#define ANALYSIS_FOLD_CHAIN_H

#include <snapflame/reader.h>
#include <snapflame/unwind.h>

struct sf_fold_chain {
	struct sf_unwind *unwind; /* NULL: of a stack dump only the leaf is known */
	const uint64_t *ip;
	size_t nr;
	uint64_t *own; /* where ip had to be put together */
	size_t alloc;
};

/* Whether the sample has anything that could be a stack. */
static inline bool sf_fold_chain_is_there(const struct sf_record *rec)
{
	uint64_t has = rec->u.sample.has;

	return has & PERF_SAMPLE_CALLCHAIN ||
	       (has & PERF_SAMPLE_IP && rec->event->attr.type != PERF_TYPE_TRACEPOINT);
}

/* Of a sample that has one; 0 or -ENOMEM. */
int sf_fold_chain_get(struct sf_fold_chain *c, const struct sf_record *rec);
void sf_fold_chain_release(struct sf_fold_chain *c);

/* PERF_RECORD_MISC_* that a PERF_CONTEXT_* entry switches to; 0 for what perf does not know. */
unsigned sf_fold_chain_mode(uint64_t context);

static inline int sf_fold_chain_is_context(uint64_t ip)
{
	return ip >= (uint64_t)PERF_CONTEXT_MAX;
}

#endif
