/* SPDX-License-Identifier: GPL-2.0-only */
#include "analysis/fold_chain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/array.h>

#define X86_REG_IP 8 /* PERF_REG_X86_IP of the kernel's asm/perf_regs.h */

/* The kernel's default for kernel.perf_event_max_stack, and what perf script shows of any chain. */
#define MAX_ADDRESSES 127

unsigned sf_fold_chain_mode(uint64_t context)
{
	switch (context) {
	case (uint64_t)PERF_CONTEXT_HV:
		return PERF_RECORD_MISC_HYPERVISOR;
	case (uint64_t)PERF_CONTEXT_KERNEL:
		return PERF_RECORD_MISC_KERNEL;
	case (uint64_t)PERF_CONTEXT_USER:
		return PERF_RECORD_MISC_USER;
	case (uint64_t)PERF_CONTEXT_GUEST:
	case (uint64_t)PERF_CONTEXT_GUEST_USER:
		return PERF_RECORD_MISC_GUEST_USER;
	case (uint64_t)PERF_CONTEXT_GUEST_KERNEL:
		return PERF_RECORD_MISC_GUEST_KERNEL;
	default:
		return 0;
	}
}

static uint64_t context_of(uint16_t misc)
{
	switch (misc & PERF_RECORD_MISC_CPUMODE_MASK) {
	case PERF_RECORD_MISC_KERNEL:
		return PERF_CONTEXT_KERNEL;
	case PERF_RECORD_MISC_HYPERVISOR:
		return PERF_CONTEXT_HV;
	case PERF_RECORD_MISC_GUEST_KERNEL:
		return PERF_CONTEXT_GUEST_KERNEL;
	case PERF_RECORD_MISC_GUEST_USER:
		return PERF_CONTEXT_GUEST_USER;
	default:
		return PERF_CONTEXT_USER;
	}
}

/* Entries up to the last that perf script shows. */
static size_t shown(const struct sf_sample *s)
{
	size_t n = 0;

	if (s->nr_chain <= MAX_ADDRESSES)
		return s->nr_chain;
	for (size_t i = 0; i < s->nr_chain; i++)
		if (!sf_fold_chain_is_context(s->chain[i]) && ++n > MAX_ADDRESSES)
			return i;
	return s->nr_chain;
}

static int own(struct sf_fold_chain *c, size_t nr)
{
	if (SF_GROW(c->own, nr, c->alloc))
		return -ENOMEM;
	c->ip = c->own;
	c->nr = 0;
	return 0;
}

static void push(struct sf_fold_chain *c, uint64_t ip)
{
	c->own[c->nr++] = ip;
}

static int address_alone(struct sf_fold_chain *c, const struct sf_record *rec)
{
	if (own(c, 2))
		return -ENOMEM;
	push(c, context_of(rec->misc));
	push(c, rec->u.sample.ip);
	return 0;
}

/* The user's part of the chain as the CPU kept it: where it is, and who called, one after another.
 */
static int from_branches(struct sf_fold_chain *c, const struct sf_sample *s, size_t kernel)
{
	if (own(c, kernel + s->nr_branch + 2))
		return -ENOMEM;
	memcpy(c->own, s->chain, kernel * sizeof(*s->chain));
	c->nr = kernel;
	push(c, PERF_CONTEXT_USER);
	push(c, s->branch[0].to);
	for (size_t i = 0; i < s->nr_branch; i++)
		push(c, s->branch[i].from);
	return 0;
}

static size_t user_addresses(struct sf_fold_chain *c, const struct sf_record *rec, uint64_t *ip)
{
	const struct sf_sample *s = &rec->u.sample;
	uint64_t below = s->user_regs_mask & ((1ULL << X86_REG_IP) - 1);
	size_t n = c->unwind ? sf_unwind_sample(c->unwind, rec->pid, s, ip, MAX_ADDRESSES) : 0;

	if (!n && s->user_regs_mask >> X86_REG_IP & 1)
		ip[n++] = s->user_regs[__builtin_popcountll(below)];
	/* Where the dump is too short: an address that is in no mapping, and no context either. */
	if (n && ip[n - 1] == UINT64_MAX)
		ip[n - 1] = 0;
	return n;
}

/* perf record --call-graph dwarf: the kernel's chain ends before the user's part. */
static int with_user_stack(struct sf_fold_chain *c, const struct sf_record *rec)
{
	const struct sf_sample *s = &rec->u.sample;

	if (own(c, s->nr_chain + 1 + MAX_ADDRESSES))
		return -ENOMEM;
	if (s->nr_chain)
		memcpy(c->own, s->chain, s->nr_chain * sizeof(*s->chain));
	c->nr = s->nr_chain;
	push(c, PERF_CONTEXT_USER);
	c->nr += user_addresses(c, rec, c->own + c->nr);
	return 0;
}

static size_t find_user(const struct sf_sample *s)
{
	size_t i = 0;

	while (i < s->nr_chain && s->chain[i] != (uint64_t)PERF_CONTEXT_USER)
		i++;
	return i;
}

int sf_fold_chain_get(struct sf_fold_chain *c, const struct sf_record *rec)
{
	const struct perf_event_attr *attr = &rec->event->attr;
	const struct sf_sample *s = &rec->u.sample;

	if (!(s->has & PERF_SAMPLE_CALLCHAIN))
		return address_alone(c, rec);
	if (attr->branch_sample_type & PERF_SAMPLE_BRANCH_CALL_STACK && s->nr_branch) {
		size_t user = find_user(s);

		if (user < s->nr_chain)
			return from_branches(c, s, user);
	}
	if (s->user_abi && s->user_stack_size && s->user_regs)
		return with_user_stack(c, rec);
	c->ip = s->chain;
	c->nr = shown(s);
	return 0;
}

void sf_fold_chain_release(struct sf_fold_chain *c)
{
	sf_unwind_free(c->unwind);
	free(c->own);
	memset(c, 0, sizeof(*c));
}
