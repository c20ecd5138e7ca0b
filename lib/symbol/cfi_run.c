/* SPDX-License-Identifier: GPL-2.0-only */
/* The programs of call frame information: what a caller's registers are, from one address to the next. */
#include "symbol/cfi.h"

#include <errno.h>
#include <string.h>

#ifdef SF_HAVE_DWARF

#include <dwarf.h>
#include <elf.h>

enum {
	REMEMBERED = 16, /* states at a time; compilers nest two */
	CFA = SF_CFI_REGS, /* where its expression is kept */
	X86_64_RSP = 7,
	X86_64_RA = 16,
	AARCH64_SP = 31,
};

struct rules {
	struct sf_cfi_rule cfa, reg[SF_CFI_REGS]; /* those of expressions have no value yet */
	struct sf_cfi_bytes expr[SF_CFI_REGS + 1];
};

struct machine {
	const struct sf_cfi_section *s;
	const struct sf_cfi_cie *cie;
	struct sf_cfi_bytes b;
	uint64_t loc, until;
	struct rules now, initial, stack[REMEMBERED];
	unsigned depth;
	bool bad;
};

static int32_t fit(struct machine *m, int64_t v)
{
	m->bad |= v < INT32_MIN || v > INT32_MAX;
	return (int32_t)v;
}

/* Rules of registers that nobody asks for are read, and forgotten. */
static void set(struct machine *m, uint64_t reg, enum sf_cfi_kind kind, int64_t value)
{
	if (reg < SF_CFI_REGS)
		m->now.reg[reg] = (struct sf_cfi_rule){ .kind = (uint8_t)kind, .value = fit(m, value) };
}

static void set_expr(struct machine *m, uint64_t reg, enum sf_cfi_kind kind)
{
	struct sf_cfi_bytes block = sf_cfi_block(&m->b, sf_cfi_uleb(&m->b));

	set(m, reg, kind, 0);
	if (reg < SF_CFI_REGS)
		m->now.expr[reg] = block;
}

static void restore(struct machine *m, uint64_t reg)
{
	if (reg >= SF_CFI_REGS)
		return;
	m->now.reg[reg] = m->initial.reg[reg];
	m->now.expr[reg] = m->initial.expr[reg];
}

static void set_cfa(struct machine *m, uint64_t reg, int64_t offset)
{
	m->bad |= reg >= SF_CFI_REGS;
	m->now.cfa = (struct sf_cfi_rule){
		.kind = SF_CFI_REG, .base = (uint16_t)reg, .value = fit(m, offset),
	};
}

/* Only what is a register and an offset can have one of them changed. */
static void change_cfa(struct machine *m, uint64_t reg, int64_t offset)
{
	m->bad |= m->now.cfa.kind != SF_CFI_REG;
	set_cfa(m, reg, offset);
}

static void advance(struct machine *m, uint64_t delta)
{
	m->loc += delta * m->cie->code_align;
}

/* Offsets are multiples of a factor that the CIE has; one that overflows is none. */
static int64_t factored(struct machine *m, int64_t v)
{
	int64_t offset = 0;

	m->bad |= __builtin_mul_overflow(v, m->cie->data_align, &offset);
	return offset;
}

static void remember(struct machine *m)
{
	if (m->depth < REMEMBERED)
		m->stack[m->depth++] = m->now;
	else
		m->bad = true;
}

static void recall(struct machine *m)
{
	if (m->depth)
		m->now = m->stack[--m->depth];
	else
		m->bad = true;
}

static void extended(struct machine *m, uint8_t op)
{
	struct sf_cfi_bytes *b = &m->b;
	uint64_t reg;

	switch (op) {
	case DW_CFA_nop:
	case DW_CFA_GNU_window_save: /* on aarch64: return addresses are signed, or no longer */
		break;
	case DW_CFA_set_loc:
		m->bad |= !sf_cfi_address(m->s, b, m->cie->encoding, m->cie->addr_size, &m->loc);
		break;
	case DW_CFA_advance_loc1:
	case DW_CFA_advance_loc2:
	case DW_CFA_advance_loc4:
		advance(m, sf_cfi_uint(b, 1U << (op - DW_CFA_advance_loc1)));
		break;
	case DW_CFA_MIPS_advance_loc8:
		advance(m, sf_cfi_uint(b, 8));
		break;
	case DW_CFA_remember_state:
		remember(m);
		break;
	case DW_CFA_restore_state:
		recall(m);
		break;
	case DW_CFA_restore_extended:
		restore(m, sf_cfi_uleb(b));
		break;
	case DW_CFA_undefined:
		set(m, sf_cfi_uleb(b), SF_CFI_UNDEFINED, 0);
		break;
	case DW_CFA_same_value:
		set(m, sf_cfi_uleb(b), SF_CFI_SAME, 0);
		break;
	case DW_CFA_register:
		reg = sf_cfi_uleb(b);
		set(m, reg, SF_CFI_REG, (int64_t)(sf_cfi_uleb(b) % UINT32_MAX));
		m->bad |= reg < SF_CFI_REGS && m->now.reg[reg].value >= SF_CFI_REGS;
		break;
	case DW_CFA_offset_extended:
		reg = sf_cfi_uleb(b);
		set(m, reg, SF_CFI_AT_CFA, factored(m, (int64_t)sf_cfi_uleb(b)));
		break;
	case DW_CFA_offset_extended_sf:
		reg = sf_cfi_uleb(b);
		set(m, reg, SF_CFI_AT_CFA, factored(m, sf_cfi_sleb(b)));
		break;
	case DW_CFA_GNU_negative_offset_extended:
		reg = sf_cfi_uleb(b);
		set(m, reg, SF_CFI_AT_CFA, factored(m, (int64_t)(0 - sf_cfi_uleb(b))));
		break;
	case DW_CFA_val_offset:
		reg = sf_cfi_uleb(b);
		set(m, reg, SF_CFI_IS_CFA, factored(m, (int64_t)sf_cfi_uleb(b)));
		break;
	case DW_CFA_val_offset_sf:
		reg = sf_cfi_uleb(b);
		set(m, reg, SF_CFI_IS_CFA, factored(m, sf_cfi_sleb(b)));
		break;
	case DW_CFA_expression:
		set_expr(m, sf_cfi_uleb(b), SF_CFI_AT_EXPR);
		break;
	case DW_CFA_val_expression:
		set_expr(m, sf_cfi_uleb(b), SF_CFI_IS_EXPR);
		break;
	case DW_CFA_def_cfa:
		reg = sf_cfi_uleb(b);
		set_cfa(m, reg, (int64_t)sf_cfi_uleb(b));
		break;
	case DW_CFA_def_cfa_sf:
		reg = sf_cfi_uleb(b);
		set_cfa(m, reg, factored(m, sf_cfi_sleb(b)));
		break;
	case DW_CFA_def_cfa_register:
		change_cfa(m, sf_cfi_uleb(b), m->now.cfa.value);
		break;
	case DW_CFA_def_cfa_offset:
		change_cfa(m, m->now.cfa.base, (int64_t)sf_cfi_uleb(b));
		break;
	case DW_CFA_def_cfa_offset_sf:
		change_cfa(m, m->now.cfa.base, factored(m, sf_cfi_sleb(b)));
		break;
	case DW_CFA_def_cfa_expression:
		m->now.cfa = (struct sf_cfi_rule){ .kind = SF_CFI_IS_EXPR };
		m->now.expr[CFA] = sf_cfi_block(b, sf_cfi_uleb(b));
		break;
	case DW_CFA_GNU_args_size:
		sf_cfi_uleb(b);
		break;
	default:
		m->bad = true;
	}
}

/* Until the program ends, or goes on behind the address that is asked for. */
static bool run(struct machine *m, struct sf_cfi_bytes code)
{
	m->b = code;
	while (!m->bad && !m->b.bad && m->b.p < m->b.end && m->loc <= m->until) {
		uint8_t op = (uint8_t)sf_cfi_uint(&m->b, 1), low = op & 0x3f;

		switch (op & 0xc0) {
		case DW_CFA_advance_loc:
			advance(m, low);
			break;
		case DW_CFA_offset:
			set(m, low, SF_CFI_AT_CFA, factored(m, (int64_t)sf_cfi_uleb(&m->b)));
			break;
		case DW_CFA_restore:
			restore(m, low);
			break;
		default:
			extended(m, op);
		}
	}
	return !m->bad && !m->b.bad;
}

/* What the ABI says where no program does. */
static void begin(struct machine *m, uint16_t machine)
{
	if (machine == EM_X86_64) {
		set_cfa(m, X86_64_RSP, 8);
		set(m, X86_64_RA, SF_CFI_AT_CFA, -8);
	} else if (machine == EM_AARCH64) {
		set_cfa(m, AARCH64_SP, 0);
	}
}

static int expression(const struct machine *m, struct sf_cfi_exprs *exprs, unsigned reg, struct sf_cfi_rule *r)
{
	if (r->kind != SF_CFI_AT_EXPR && r->kind != SF_CFI_IS_EXPR)
		return 0;
	r->value = sf_cfi_decode(exprs, m->now.expr[reg], m->cie->addr_size, reg != CFA);
	return r->value < 0 ? r->value : 0;
}

static int fill(const struct machine *m, struct sf_cfi_exprs *exprs, struct sf_cfi_row *row)
{
	int ret;

	row->ra = (uint8_t)m->cie->ra;
	row->signal = m->cie->signal;
	row->cfa = m->now.cfa;
	ret = expression(m, exprs, CFA, &row->cfa);
	row->simple = row->cfa.kind == SF_CFI_REG;
	for (uint8_t reg = 0; reg < SF_CFI_REGS && !ret; reg++) {
		struct sf_cfi_rule r = m->now.reg[reg];

		/* Values that the ABI lets a callee destroy are kept: a wrong one is seldom used. */
		if (r.kind == SF_CFI_SAME || (r.kind == SF_CFI_UNDEFINED && reg != row->ra))
			continue;
		r.reg = reg;
		ret = expression(m, exprs, reg, &r);
		row->simple &= r.kind == SF_CFI_AT_CFA;
		row->rule[row->nr++] = r;
	}
	return ret;
}

int sf_cfi_run(const struct sf_cfi_section *s, const struct sf_cfi_fde *fde, uint16_t machine, uint64_t vaddr,
	       struct sf_cfi_exprs *exprs, struct sf_cfi_row *row)
{
	struct machine m = { .s = s, .cie = &fde->cie, .loc = fde->lo, .until = vaddr };

	memset(row, 0, sizeof(*row));
	if (fde->cie.ra >= SF_CFI_REGS)
		return -ENOTSUP;
	begin(&m, machine);
	if (!run(&m, fde->cie.code))
		return -ENOTSUP;
	m.loc = fde->lo;
	m.initial = m.now;
	if (!run(&m, fde->code) || (m.now.cfa.kind != SF_CFI_REG && m.now.cfa.kind != SF_CFI_IS_EXPR))
		return -ENOTSUP;
	return fill(&m, exprs, row);
}

#endif
