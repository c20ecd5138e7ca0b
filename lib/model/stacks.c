/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Callchains become ids: a tree whose root is the outermost caller, one node for each (parent,
 * location). Most chains repeat, so a table from the hash of the raw addresses to the id comes
 * first; it forgets a process's chains when its mappings change, by a generation in the key.
 */
#include <errno.h>
#include <string.h>

#include "model/loader.h"

static int push(struct sf_recording *rec, uint32_t parent, uint32_t loc, uint32_t *id)
{
	bool made;
	uint32_t *v = sf_map64_at(&rec->node_of, (uint64_t)parent << 32 | loc, &made);

	if (!v)
		return -ENOMEM;
	if (made) {
		if (SF_GROW(rec->node, rec->nr_nodes + 1, rec->node_alloc))
			return -ENOMEM;
		rec->node[rec->nr_nodes] = (struct sf_stack_node){ parent, loc };
		*v = (uint32_t)rec->nr_nodes++;
	}
	*id = *v;
	return 0;
}

/* A chain is in parts, each behind a marker that says in which mode its addresses are. */
static unsigned context_mode(uint64_t marker, unsigned before)
{
	switch (marker) {
	case PERF_CONTEXT_KERNEL:
		return PERF_RECORD_MISC_KERNEL;
	case PERF_CONTEXT_USER:
		return PERF_RECORD_MISC_USER;
	case PERF_CONTEXT_GUEST_KERNEL:
		return PERF_RECORD_MISC_GUEST_KERNEL;
	case PERF_CONTEXT_GUEST_USER:
		return PERF_RECORD_MISC_GUEST_USER;
	default:
		return before;
	}
}

enum { MAX_CHAIN = 1024 };

static int build(struct sf_recording *rec, uint32_t pid, const uint64_t *chain, size_t nr,
		 unsigned mode, uint32_t *stack)
{
	uint32_t loc[MAX_CHAIN], id = SF_NO_STACK;
	size_t n = 0;

	for (size_t i = 0; i < nr && n < MAX_CHAIN; i++) {
		if (chain[i] >= PERF_CONTEXT_MAX) {
			mode = context_mode(chain[i], mode);
			continue;
		}
		loc[n] = sf_symbols_locate(rec->symbols, pid, chain[i], mode, n > 0);
		if (loc[n] == SF_LOC_NONE)
			return -ENOMEM;
		n++;
	}
	while (n-- > 0) {
		int err = push(rec, id, loc[n], &id);

		if (err)
			return err;
	}
	*stack = id;
	return 0;
}

static int init_nodes(struct sf_recording *rec)
{
	if (rec->nr_nodes)
		return 0;
	if (SF_GROW(rec->node, 1, rec->node_alloc))
		return -ENOMEM;
	rec->node[rec->nr_nodes++] = (struct sf_stack_node){ 0, SF_LOC_NONE };
	return 0;
}

int sf_load_kernel_stack(struct sf_recording *rec, const uint64_t *ip, size_t nr, uint32_t *stack)
{
	if (init_nodes(rec))
		return -ENOMEM;
	return build(rec, 0, ip, nr, PERF_RECORD_MISC_KERNEL, stack);
}

int sf_load_stack(struct sf_loader *ld, const struct sf_record *r, uint32_t *stack, bool *kernel)
{
	struct sf_recording *rec = ld->rec;
	const struct sf_sample *s = &r->u.sample;
	unsigned mode = r->misc & PERF_RECORD_MISC_CPUMODE_MASK;
	const uint64_t *chain = s->chain;
	uint64_t unwound[MAX_CHAIN], key;
	size_t nr = s->nr_chain;
	uint32_t *v;
	bool made;
	int err;

	*kernel = mode == PERF_RECORD_MISC_KERNEL;
	*stack = SF_NO_STACK;
	if (ld->unwind && s->user_stack_size) {
		size_t n = sf_unwind_chain(ld->unwind, r->pid, s, unwound, MAX_CHAIN);

		chain = n ? unwound : chain;
		nr = n ? n : nr;
	}
	if (!nr || (chain != unwound && !(s->has & PERF_SAMPLE_CALLCHAIN))) {
		if (!(s->has & PERF_SAMPLE_IP) || !s->ip)
			return 0;
		chain = &s->ip;
		nr = 1;
	}
	if (init_nodes(rec))
		return -ENOMEM;
	key = sf_hash_bytes(chain, nr * sizeof(*chain));
	key ^= sf_hash64((uint64_t)r->pid << 32 | sf_map64_get(&ld->space_gen, r->pid, 0));
	key += (uint64_t)ld->kernel_gen << 8 | mode;
	v = sf_map64_at(&rec->chain_cache, key, &made);
	if (!v)
		return -ENOMEM;
	if (!made) {
		*stack = *v;
		return 0;
	}
	err = build(rec, r->pid, chain, nr, mode, stack);
	if (!err)
		*v = *stack;
	return err;
}
