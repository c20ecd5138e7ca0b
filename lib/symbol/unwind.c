/* SPDX-License-Identifier: GPL-2.0-only */
#include <snapflame/unwind.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "symbol/cfi.h"
#include "symbol/hotslots.h"
#include "symbol/symbols.h"
#include "symbol/unwind_rows.h"

#ifdef SF_HAVE_DWARF

/* How one architecture names its registers: perf's numbers by DWARF's. */
struct arch {
	const char *name;
	uint8_t nr, sp, fp;
	uint8_t pc;	  /* perf's number of the program counter */
	uint64_t address; /* bits of an address: above them are signatures (aarch64) */
	uint8_t perf[SF_CFI_REGS];
};

static const struct arch archs[] = {
	{
		.name = "x86_64",
		.nr = 17,
		.sp = 7,
		.fp = 6,
		.pc = 8,
		.address = UINT64_MAX,
		.perf = {0, 3, 2, 1, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23, 8},
	},
	{
		.name = "aarch64",
		.nr = 32,
		.sp = 31,
		.fp = 29,
		.pc = 32,
		/* Programs get addresses of 52 bits only if they ask for them. */
		.address = (1ULL << 48) - 1,
		.perf = {0,  1,	 2,  3,	 4,  5,	 6,  7,	 8,  9,	 10, 11, 12, 13, 14, 15,
			 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31},
	},
};

#define MAX_GUESS 0x4000 /* bytes of a frame that a frame pointer is believed in */

struct sf_unwind {
	struct sf_symbols *s;
	const struct arch *arch;
	struct sf_unwind_opts opts;
	struct sf_unwind_stats stats;
	struct sf_unwind_rows rows;
	struct sf_hotslots hot;
	uint64_t mask;		   /* the sample's set of registers that place is for */
	int8_t place[SF_CFI_REGS]; /* by DWARF register: where it is in the sample, or -1 */
	int8_t pc_place;
};

/* Where the walk stands. */
struct cursor {
	const struct arch *arch;
	uint64_t reg[SF_CFI_REGS];
	uint64_t known;
	uint64_t pc;
	const uint8_t *stack;
	uint64_t base, size; /* of the piece of stack */
	bool cut;
};

int sf_unwind_new(struct sf_unwind **out, struct sf_symbols *s, const struct sf_unwind_opts *opts,
		  struct sf_error *err)
{
#if defined(__aarch64__)
	const char *name = "aarch64";
#else
	const char *name = "x86_64";
#endif
	struct sf_unwind *u = calloc(1, sizeof(*u));

	*out = NULL;
	if (!u)
		return sf_error_set(err, -ENOMEM, "no memory for unwinding");
	u->s = s;
	if (opts)
		u->opts = *opts;
	if (u->opts.arch)
		name = u->opts.arch;
	u->opts.arch = NULL; /* the caller's */
	for (size_t i = 0; i < SF_ARRAY_SIZE(archs); i++)
		if (!strcmp(archs[i].name, name))
			u->arch = &archs[i];
	if (!u->arch) {
		sf_unwind_free(u);
		return sf_error_set(err, -ENOTSUP, "cannot unwind stacks of %s", name);
	}
	if (sf_unwind_rows_init(&u->rows, s, u->arch->sp, u->arch->fp)) {
		sf_unwind_free(u);
		return sf_error_set(err, -ENOMEM, "no memory for unwinding");
	}
	*out = u;
	return 0;
}

void sf_unwind_free(struct sf_unwind *u)
{
	if (!u)
		return;
	sf_unwind_rows_release(&u->rows);
	free(u);
}

const struct sf_unwind_stats *sf_unwind_stats(const struct sf_unwind *u)
{
	return &u->stats;
}

/*
 * perf does not read the last word of the piece (it takes the end for one too far), so neither does
 * this: the same stacks must be cut at the same frame.
 */
static bool read_stack(void *arg, uint64_t addr, unsigned size, uint64_t *value)
{
	struct cursor *c = arg;
	uint64_t at = addr - c->base;

	if (size > 8 || c->size < 8 || at >= c->size - 8)
		return false;
	*value = 0;
	memcpy(value, c->stack + at, size); /* both are little-endian */
	return true;
}

static bool known(const struct cursor *c, unsigned reg)
{
	return reg < SF_CFI_REGS && c->known >> reg & 1;
}

static bool eval(struct sf_unwind *u, struct cursor *c, int32_t id, uint64_t cfa, uint64_t *value)
{
	struct sf_cfi_context ctx = {
		.regs = c->reg, .known = c->known, .cfa = cfa, .read = read_stack, .arg = c};

	return id >= 0 && (size_t)id < u->rows.exprs.nr &&
	       sf_cfi_eval(&u->rows.exprs.expr[id], &ctx, value);
}

static bool find_cfa(struct sf_unwind *u, struct cursor *c, const struct sf_cfi_row *row,
		     uint64_t *cfa)
{
	if (row->cfa.kind != SF_CFI_REG)
		return eval(u, c, row->cfa.value, 0, cfa);
	if (!known(c, row->cfa.base))
		return false;
	*cfa = c->reg[row->cfa.base] + (uint64_t)(int64_t)row->cfa.value;
	return true;
}

/* What the rule says that the caller has in its register; false when that cannot be known. */
static bool apply(struct sf_unwind *u, struct cursor *c, const struct sf_cfi_rule *r, uint64_t cfa,
		  uint64_t *value)
{
	switch (r->kind) {
	case SF_CFI_AT_CFA:
		return read_stack(c, cfa + (uint64_t)(int64_t)r->value, 8, value);
	case SF_CFI_IS_CFA:
		*value = cfa + (uint64_t)(int64_t)r->value;
		return true;
	case SF_CFI_REG:
		*value = known(c, (unsigned)r->value) ? c->reg[r->value] : 0;
		return known(c, (unsigned)r->value);
	case SF_CFI_AT_EXPR:
		return eval(u, c, r->value, cfa, value) && read_stack(c, *value, 8, value);
	case SF_CFI_IS_EXPR:
		return eval(u, c, r->value, cfa, value);
	}
	return false;
}

static void set(struct cursor *c, unsigned reg, bool is_known, uint64_t value)
{
	c->reg[reg] = value;
	c->known = (c->known & ~(1ULL << reg)) | (uint64_t)is_known << reg;
}

/* The return address was on the stack, but not on the piece that we have. */
static bool was_cut(const struct cursor *c, const struct sf_cfi_row *row, uint64_t cfa)
{
	for (unsigned i = 0; i < row->nr; i++)
		if (row->rule[i].reg == row->ra)
			return row->rule[i].kind == SF_CFI_AT_CFA && cfa > c->base;
	return false;
}

/* What was saved at fixed places under the CFA: nearly every row of a compiler. */
static void apply_simple(struct cursor *c, const struct sf_cfi_row *row, uint64_t cfa)
{
	for (unsigned i = 0; i < row->nr; i++) {
		const struct sf_cfi_rule *r = &row->rule[i];
		uint64_t value = 0;
		bool got = read_stack(c, cfa + (uint64_t)(int64_t)r->value, 8, &value);

		set(c, r->reg, got, value);
	}
}

static void apply_all(struct sf_unwind *u, struct cursor *c, const struct sf_cfi_row *row,
		      uint64_t cfa)
{
	uint64_t value[SF_CFI_REGS];
	bool good[SF_CFI_REGS];

	/* All rules are about the registers as they were: none may see another's result. */
	for (unsigned i = 0; i < row->nr; i++) {
		value[i] = 0;
		good[i] = apply(u, c, &row->rule[i], cfa, &value[i]);
	}
	set(c, c->arch->sp, true, cfa);
	for (unsigned i = 0; i < row->nr; i++)
		set(c, row->rule[i].reg, good[i], value[i]);
}

/* One frame up by its rules. False at the end, and where it cannot go on. */
static bool step(struct sf_unwind *u, struct cursor *c, const struct sf_cfi_row *row)
{
	uint64_t cfa, pc = c->pc, sp = c->reg[c->arch->sp];

	if (!find_cfa(u, c, row, &cfa))
		return false;
	if (row->simple) {
		set(c, c->arch->sp, true, cfa);
		apply_simple(c, row, cfa);
	} else {
		apply_all(u, c, row, cfa);
	}
	if (!known(c, row->ra)) {
		c->cut = was_cut(c, row, cfa);
		return false;
	}
	c->pc = c->reg[row->ra] & c->arch->address;
	return c->pc && (c->pc != pc || c->reg[c->arch->sp] != sp);
}

/* The same without rules, for code that keeps a frame pointer. */
static bool step_by_frame_pointer(struct cursor *c)
{
	uint64_t fp = c->reg[c->arch->fp], sp = c->reg[c->arch->sp], pc, up;

	if (!known(c, c->arch->fp) || fp < sp || fp - sp > MAX_GUESS ||
	    !read_stack(c, fp, 8, &up) || !read_stack(c, fp + 8, 8, &pc))
		return false;
	set(c, c->arch->sp, true, fp + 16);
	set(c, c->arch->fp, true, up);
	c->pc = pc & c->arch->address;
	return c->pc != 0;
}

static bool go_up(struct sf_unwind *u, struct cursor *c, const struct sf_cfi_row *row)
{
	if (row && row->cfa.kind != SF_CFI_GUESS)
		return step(u, c, row);
	return (row || u->opts.frame_pointers) && step_by_frame_pointer(c);
}

/* A sample holds the registers of its mask, in the order of perf's numbers. */
static int8_t place_of(uint64_t mask, unsigned perf_reg)
{
	uint64_t bit = 1ULL << perf_reg;

	return mask & bit ? (int8_t)__builtin_popcountll(mask & (bit - 1)) : -1;
}

static void set_mask(struct sf_unwind *u, uint64_t mask)
{
	for (unsigned i = 0; i < u->arch->nr; i++)
		u->place[i] = place_of(mask, u->arch->perf[i]);
	u->pc_place = place_of(mask, u->arch->pc);
	u->mask = mask;
}

static bool start(struct sf_unwind *u, struct cursor *c, const struct sf_sample *x)
{
	if (!x->user_regs || x->user_abi != PERF_SAMPLE_REGS_ABI_64)
		return false;
	if (x->user_regs_mask != u->mask)
		set_mask(u, x->user_regs_mask);
	/* Registers that are not known are not read: to clear them all is more work than a frame. */
	c->arch = u->arch;
	c->known = 0;
	c->cut = false;
	for (unsigned i = 0; i < u->arch->nr; i++)
		if (u->place[i] >= 0)
			set(c, i, true, x->user_regs[u->place[i]]);
	if (u->pc_place < 0 || !known(c, u->arch->sp))
		return false;
	c->pc = x->user_regs[u->pc_place];
	c->base = c->reg[u->arch->sp];
	c->stack = x->user_stack;
	c->size = x->user_stack ? x->user_stack_size : 0;
	return true;
}

/* From the registers on, as far as it goes. *row: what it ended with. */
static size_t walk(struct sf_unwind *u, struct cursor *c, const struct sf_maps *maps, uint64_t *ips,
		   size_t max, const struct sf_cfi_row **row)
{
	size_t n = 0;
	bool called; /* pc is a return address */

	ips[n++] = c->pc;
	*row = sf_unwind_rows_find(&u->rows, maps, c->pc);
	while (n < max && go_up(u, c, *row)) {
		/* What a signal interrupted did not call: its pc is where it will go on. */
		called = !*row || !(*row)->signal;
		sf_hotslots_note(&u->hot, c->reg[c->arch->sp] - 8);
		ips[n++] = c->pc - called;
		*row = sf_unwind_rows_find(&u->rows, maps, c->pc - called);
	}
	return n;
}

size_t sf_unwind_sample(struct sf_unwind *u, uint32_t pid, const struct sf_sample *sample,
			uint64_t *ips, size_t max)
{
	const struct sf_maps *maps = sf_spaces_maps(&u->s->spaces, pid);
	const struct sf_cfi_row *row;
	struct cursor c;
	uint64_t needed;
	size_t n;

	if (!max || !start(u, &c, sample) || !c.size)
		return 0;
	u->stats.samples++;
	sf_hotslots_fetch(&u->hot, c.base, c.stack, c.size);
	needed = u->rows.needed;
	n = walk(u, &c, maps, ips, max, &row);
	/* A row that it met looks at a register that those before it left out. */
	while (u->rows.needed != needed) {
		needed = u->rows.needed;
		start(u, &c, sample);
		n = walk(u, &c, maps, ips, max, &row);
	}
	u->stats.rules = u->rows.looked_up;
	u->stats.no_rules += !row;
	u->stats.cut += c.cut;
	if (c.cut && u->opts.mark_cut && n < max)
		ips[n++] = UINT64_MAX;
	u->stats.frames += n - 1;
	return n;
}

size_t sf_unwind_chain(struct sf_unwind *u, uint32_t pid, const struct sf_sample *sample,
		       uint64_t *ips, size_t max)
{
	size_t n = 0, user;

	for (uint64_t i = 0; i < sample->nr_chain && n < max; i++) {
		if (sample->chain[i] == (uint64_t)PERF_CONTEXT_USER)
			break;
		ips[n++] = sample->chain[i];
	}
	if (n + 1 >= max)
		return 0;
	user = sf_unwind_sample(u, pid, sample, ips + n + 1, max - n - 1);
	if (!user)
		return 0;
	ips[n] = PERF_CONTEXT_USER;
	return n + 1 + user;
}

#else

int sf_unwind_new(struct sf_unwind **u, struct sf_symbols *s, const struct sf_unwind_opts *opts,
		  struct sf_error *err)
{
	*u = NULL;
	return sf_error_set(err, -ENOSYS, "built without libdw: cannot unwind stack dumps");
}

void sf_unwind_free(struct sf_unwind *u)
{
}

const struct sf_unwind_stats *sf_unwind_stats(const struct sf_unwind *u)
{
	return NULL;
}

size_t sf_unwind_sample(struct sf_unwind *u, uint32_t pid, const struct sf_sample *sample,
			uint64_t *ips, size_t max)
{
	return 0;
}

size_t sf_unwind_chain(struct sf_unwind *u, uint32_t pid, const struct sf_sample *sample,
		       uint64_t *ips, size_t max)
{
	return 0;
}

#endif
