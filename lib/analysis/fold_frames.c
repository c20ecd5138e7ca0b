/* SPDX-License-Identifier: GPL-2.0-only */
#include "analysis/fold_frames.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/array.h>

#define CACHE_BITS 13

/*
 * The function at some of the 64 bytes that the tag is of; tags are hashes: see fold_samples.c. The
 * addresses of samples lie close together.
 */
#define BLOCK_BITS 6

struct sf_frame_cached {
	uint64_t tag, start, end;
	struct sf_name_span names;
};

int sf_fold_frames_init(struct sf_fold_frames *ff, struct sf_fold *f, struct sf_symbols *symbols)
{
	*ff = (struct sf_fold_frames){.f = f, .symbols = symbols};
	ff->cache = calloc(1u << CACHE_BITS, sizeof(*ff->cache));
	return ff->cache ? 0 : -ENOMEM;
}

void sf_fold_frames_release(struct sf_fold_frames *ff)
{
	free(ff->cache);
	free(ff->span);
	free(ff->pool.id);
	sf_map64_release(&ff->known);
	memset(ff, 0, sizeof(*ff));
}

static struct sf_text text(const char *p)
{
	return (struct sf_text){p, strlen(p)};
}

int sf_fold_frame_names(struct sf_fold_namer *n, bool java, const struct sf_frame *frame,
			uint64_t pc, struct sf_name_list *out)
{
	bool known = frame->name[0] && !(frame->flags & SF_FRAME_UNKNOWN);
	struct sf_printed_frame printed = {
		.symbol = text(known ? frame->name : "[unknown]"),
		.dso = text(frame->dso[0] ? frame->dso : "[unknown]"),
		.inlined = frame->flags & SF_FRAME_INLINED,
	};
	char hex[20];

	if (n->opts->addrs) {
		snprintf(hex, sizeof(hex), "%" PRIx64, pc);
		printed.pc = text(hex);
	}
	return sf_fold_namer_frame(n, java, &printed, out);
}

/* The names of a function are always the same; with addrs those of no function are the address's.
 */
static uint64_t key_of(const struct sf_fold_frames *ff, const struct sf_frame *frame,
		       const struct sf_fold_place *p)
{
	uint64_t k = sf_mix64((uintptr_t)frame->dso, p->java);

	if (!(frame->flags & SF_FRAME_UNKNOWN))
		return sf_mix64(k, (uintptr_t)frame->name);
	return ff->f->opts.addrs ? sf_mix64(k + 1, p->ip) : k;
}

static int look_up(struct sf_fold_frames *ff, const struct sf_fold_place *p,
		   struct sf_frame_cached *c)
{
	uint32_t *at, start = (uint32_t)ff->pool.nr;
	struct sf_frame frame;
	uint64_t key;

	sf_symbols_frame_now(ff->symbols, p->pid, p->ip, p->mode, p->caller, &frame, &c->start,
			     &c->end);
	key = key_of(ff, &frame, p);
	if (ff->has_last && key == ff->last_key) {
		c->names = ff->last;
		return 0;
	}
	at = sf_map64_at(&ff->known, key, NULL);
	if (!at)
		return -ENOMEM;
	if (!*at) {
		if (SF_GROW(ff->span, ff->nr_spans + 1, ff->spans_alloc) ||
		    sf_fold_frame_names(&ff->f->namer, p->java, &frame, p->ip, &ff->pool))
			return -ENOMEM;
		ff->span[ff->nr_spans++] =
			(struct sf_name_span){start, (uint32_t)ff->pool.nr - start};
		*at = (uint32_t)ff->nr_spans;
	}
	c->names = ff->last = ff->span[*at - 1];
	ff->last_key = key;
	ff->has_last = true;
	return 0;
}

int sf_fold_frames_at(struct sf_fold_frames *ff, const struct sf_fold_place *p, const uint32_t **id,
		      size_t *nr)
{
	uint64_t tag = sf_mix64(p->space + p->mode * 2 + p->java, p->ip >> BLOCK_BITS);
	struct sf_frame_cached *c = &ff->cache[tag >> (64 - CACHE_BITS)];

	if (c->tag != tag || p->ip < c->start || p->ip >= c->end) {
		c->tag = tag;
		if (look_up(ff, p, c))
			return -ENOMEM;
	}
	*id = ff->pool.id + c->names.start;
	*nr = c->names.nr;
	return 0;
}
