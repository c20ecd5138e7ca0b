/* SPDX-License-Identifier: GPL-2.0-only */
/* DWARF expressions, as rules of call frames use them: signal trampolines, stubs of the linker. */
#include "symbol/cfi.h"

#include <string.h>

#ifdef SF_HAVE_DWARF

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>

enum { MOST_OPS = 1000 };

/* The operands; false for what no rule of a frame needs. */
static bool operands(struct sf_cfi_bytes *b, uint8_t addr_size, struct sf_cfi_op *op)
{
	uint8_t a = op->atom;

	if ((a >= DW_OP_lit0 && a <= DW_OP_lit31) || (a >= DW_OP_reg0 && a <= DW_OP_reg31))
		return true;
	if (a >= DW_OP_breg0 && a <= DW_OP_breg31) {
		op->number = (uint64_t)sf_cfi_sleb(b);
		return true;
	}
	switch (a) {
	case DW_OP_addr:
		op->number = sf_cfi_uint(b, addr_size);
		return true;
	case DW_OP_const1u:
	case DW_OP_const2u:
	case DW_OP_const4u:
	case DW_OP_const8u:
		op->number = sf_cfi_uint(b, 1U << (a - DW_OP_const1u) / 2);
		return true;
	case DW_OP_const1s:
	case DW_OP_const2s:
	case DW_OP_const4s:
	case DW_OP_const8s:
		op->number = (uint64_t)sf_cfi_int(b, 1U << (a - DW_OP_const1s) / 2);
		return true;
	case DW_OP_constu:
	case DW_OP_plus_uconst:
	case DW_OP_regx:
		op->number = sf_cfi_uleb(b);
		return true;
	case DW_OP_consts:
		op->number = (uint64_t)sf_cfi_sleb(b);
		return true;
	case DW_OP_pick:
	case DW_OP_deref_size:
		op->number = sf_cfi_uint(b, 1);
		return true;
	case DW_OP_bregx:
		op->number = sf_cfi_uleb(b);
		op->number2 = (uint64_t)sf_cfi_sleb(b);
		return true;
	case DW_OP_skip:
	case DW_OP_bra:
		op->number = (uint64_t)sf_cfi_int(b, 2);
		return true;
	default:
		return a == DW_OP_deref || (a >= DW_OP_dup && a <= DW_OP_over) ||
		       (a >= DW_OP_swap && a <= DW_OP_rot) || (a >= DW_OP_abs && a <= DW_OP_ne) ||
		       a == DW_OP_nop || a == DW_OP_call_frame_cfa;
	}
}

int sf_cfi_decode(struct sf_cfi_exprs *x, struct sf_cfi_bytes b, uint8_t addr_size, bool on_cfa)
{
	const uint8_t *start = b.p;
	struct sf_cfi_op *op;
	size_t nr = 0, room = (size_t)(b.end - b.p) + on_cfa;

	if (room > MOST_OPS)
		return -ENOTSUP;
	op = calloc(room ? room : 1, sizeof(*op));
	if (!op)
		return -ENOMEM;
	if (on_cfa)
		op[nr++] = (struct sf_cfi_op){ .atom = DW_OP_call_frame_cfa, .offset = UINT32_MAX };
	while (b.p < b.end) {
		op[nr].offset = (uint32_t)(b.p - start);
		op[nr].atom = (uint8_t)sf_cfi_uint(&b, 1);
		if (!operands(&b, addr_size, &op[nr++]) || b.bad) {
			free(op);
			return -ENOTSUP;
		}
	}
	if (x->nr >= INT32_MAX || SF_GROW(x->expr, x->nr + 1, x->alloc)) {
		free(op);
		return -ENOMEM;
	}
	x->expr[x->nr] = (struct sf_cfi_expr){op, nr};
	return (int)x->nr++;
}

/* Operations on the two topmost values: b was on top. */
static bool binary(uint8_t atom, uint64_t a, uint64_t b, uint64_t *r)
{
	int64_t sa = (int64_t)a, sb = (int64_t)b;

	switch (atom) {
	case DW_OP_and:
		*r = a & b;
		return true;
	case DW_OP_or:
		*r = a | b;
		return true;
	case DW_OP_xor:
		*r = a ^ b;
		return true;
	case DW_OP_plus:
		*r = a + b;
		return true;
	case DW_OP_minus:
		*r = a - b;
		return true;
	case DW_OP_mul:
		*r = a * b;
		return true;
	case DW_OP_div:
		*r = !b ? 0 : sb == -1 ? 0 - a : (uint64_t)(sa / sb);
		return b != 0;
	case DW_OP_mod:
		*r = b ? a % b : 0;
		return b != 0;
	case DW_OP_shl:
		*r = b < 64 ? a << b : 0;
		return true;
	case DW_OP_shr:
		*r = b < 64 ? a >> b : 0;
		return true;
	case DW_OP_shra:
		*r = (uint64_t)(sa >> (b < 63 ? b : 63));
		return true;
	case DW_OP_eq:
		*r = sa == sb;
		return true;
	case DW_OP_ne:
		*r = sa != sb;
		return true;
	case DW_OP_lt:
		*r = sa < sb;
		return true;
	case DW_OP_le:
		*r = sa <= sb;
		return true;
	case DW_OP_gt:
		*r = sa > sb;
		return true;
	case DW_OP_ge:
		*r = sa >= sb;
		return true;
	}
	return false;
}

#define MAX_DEPTH 64
#define MAX_STEPS 1000

struct machine {
	const struct sf_cfi_context *ctx;
	uint64_t stack[MAX_DEPTH];
	size_t depth;
};

static bool push(struct machine *m, uint64_t v)
{
	if (m->depth == MAX_DEPTH)
		return false;
	m->stack[m->depth++] = v;
	return true;
}

static bool push_reg(struct machine *m, uint64_t reg, uint64_t offset)
{
	return reg < SF_CFI_REGS && m->ctx->known >> reg & 1 && push(m, m->ctx->regs[reg] + offset);
}

static bool push_copy(struct machine *m, uint64_t below)
{
	return below < m->depth && push(m, m->stack[m->depth - 1 - below]);
}

static bool is_constant(uint8_t atom)
{
	return (atom >= DW_OP_const1u && atom <= DW_OP_consts) || atom == DW_OP_addr;
}

static bool deref(struct machine *m, unsigned size)
{
	uint64_t *top;

	if (!m->depth)
		return false;
	top = &m->stack[m->depth - 1];
	return m->ctx->read(m->ctx->arg, *top, size, top);
}

static bool shuffle(struct machine *m, uint8_t atom)
{
	size_t n = atom == DW_OP_rot ? 3 : 2;
	uint64_t *s, top;

	if (m->depth < n)
		return false;
	s = &m->stack[m->depth - n];
	top = s[n - 1];
	memmove(s + 1, s, (n - 1) * sizeof(*s));
	s[0] = top;
	return true;
}

static bool unary(struct machine *m, const struct sf_cfi_op *op)
{
	uint64_t *top;

	if (!m->depth)
		return false;
	top = &m->stack[m->depth - 1];
	switch (op->atom) {
	case DW_OP_drop:
		m->depth--;
		return true;
	case DW_OP_abs:
		*top = (int64_t)*top < 0 ? 0 - *top : *top;
		return true;
	case DW_OP_neg:
		*top = 0 - *top;
		return true;
	case DW_OP_not:
		*top = ~*top;
		return true;
	case DW_OP_plus_uconst:
		*top += op->number;
		return true;
	}
	return false;
}

static bool step(struct machine *m, const struct sf_cfi_op *op)
{
	uint8_t a = op->atom;

	if (a >= DW_OP_lit0 && a <= DW_OP_lit31)
		return push(m, a - DW_OP_lit0);
	if (a >= DW_OP_breg0 && a <= DW_OP_breg31)
		return push_reg(m, a - DW_OP_breg0, op->number);
	if (is_constant(a))
		return push(m, op->number);
	switch (a) {
	case DW_OP_nop:
		return true;
	case DW_OP_bregx:
		return push_reg(m, op->number, op->number2);
	case DW_OP_call_frame_cfa:
		return push(m, m->ctx->cfa);
	case DW_OP_dup:
		return push_copy(m, 0);
	case DW_OP_over:
		return push_copy(m, 1);
	case DW_OP_pick:
		return push_copy(m, op->number);
	case DW_OP_swap:
	case DW_OP_rot:
		return shuffle(m, a);
	case DW_OP_deref:
		return deref(m, 8);
	case DW_OP_deref_size:
		return deref(m, (unsigned)op->number);
	case DW_OP_drop:
	case DW_OP_abs:
	case DW_OP_neg:
	case DW_OP_not:
	case DW_OP_plus_uconst:
		return unary(m, op);
	}
	if (m->depth < 2)
		return false;
	m->depth--;
	return binary(a, m->stack[m->depth - 1], m->stack[m->depth], &m->stack[m->depth - 1]);
}

/* Index of the operation that a jump of op goes to; nr is the end. */
static bool jump(const struct sf_cfi_expr *x, const struct sf_cfi_op *op, size_t *to)
{
	uint64_t target = op->offset + 3 + (uint64_t)(int64_t)(int16_t)op->number;

	for (*to = 0; *to < x->nr; ++*to)
		if (x->op[*to].offset == target)
			return true;
	return false;
}

uint64_t sf_cfi_expr_regs(const struct sf_cfi_expr *x)
{
	uint64_t regs = 0;

	for (size_t i = 0; i < x->nr; i++) {
		uint8_t a = x->op[i].atom;

		if (a >= DW_OP_breg0 && a <= DW_OP_breg31)
			regs |= 1ULL << (a - DW_OP_breg0);
		else if (a == DW_OP_bregx && x->op[i].number < SF_CFI_REGS)
			regs |= 1ULL << x->op[i].number;
	}
	return regs;
}

bool sf_cfi_eval(const struct sf_cfi_expr *x, const struct sf_cfi_context *ctx, uint64_t *value)
{
	struct machine m = {.ctx = ctx};
	size_t i = 0;

	for (unsigned steps = 0; i < x->nr; steps++) {
		const struct sf_cfi_op *op = &x->op[i++];

		if (steps == MAX_STEPS)
			return false;
		if (op->atom == DW_OP_skip || op->atom == DW_OP_bra) {
			if (op->atom == DW_OP_bra && (!m.depth || !m.stack[--m.depth]))
				continue;
			if (!jump(x, op, &i))
				return false;
		} else if (!step(&m, op)) {
			return false;
		}
	}
	*value = m.depth ? m.stack[m.depth - 1] : 0;
	return m.depth > 0;
}

#endif
