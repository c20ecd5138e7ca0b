/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/cfi.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

size_t sf_cfi_row_size(const struct sf_cfi_row *row)
{
	return offsetof(struct sf_cfi_row, rule) + row->nr * sizeof(row->rule[0]);
}

void sf_cfi_exprs_release(struct sf_cfi_exprs *x)
{
	for (size_t i = 0; i < x->nr; i++)
		free(x->expr[i].op);
	free(x->expr);
	memset(x, 0, sizeof(*x));
}

#ifdef SF_HAVE_DWARF

#include <dwarf.h>
#include <elfutils/libdw.h>

#include "symbol/elfpriv.h"

struct sf_cfi {
	struct sf_files files;
	Dwarf_CFI *eh;	  /* .eh_frame of the file that ran */
	Dwarf *dwarf;	  /* of what has .debug_frame */
	Dwarf_CFI *debug; /* belongs to dwarf */
};

int sf_cfi_open(struct sf_cfi **out, struct sf_files *files)
{
	struct sf_cfi *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (!c) {
		sf_files_release(files);
		return -ENOMEM;
	}
	c->files = *files;
	memset(files, 0, sizeof(*files));
	c->eh = dwarf_getcfi_elf(c->files.run->elf);
	if (sf_elf_has_section(c->files.syms, ".debug_frame") ||
	    sf_elf_has_section(c->files.syms, ".zdebug_frame")) {
		c->dwarf = dwarf_begin_elf(c->files.syms->elf, DWARF_C_READ, NULL);
		c->debug = c->dwarf ? dwarf_getcfi(c->dwarf) : NULL;
	}
	if (!c->eh && !c->debug) {
		sf_cfi_free(c);
		return -ENODATA;
	}
	sf_elf_detach(c->files.run);
	sf_elf_detach(c->files.syms);
	*out = c;
	return 0;
}

void sf_cfi_free(struct sf_cfi *c)
{
	if (!c)
		return;
	if (c->eh)
		dwarf_cfi_end(c->eh);
	if (c->dwarf)
		dwarf_end(c->dwarf);
	sf_files_release(&c->files);
	free(c);
}

static int keep_expr(struct sf_cfi_exprs *x, const Dwarf_Op *ops, size_t nr)
{
	struct sf_cfi_op *copy;

	if (x->nr >= INT32_MAX || SF_GROW(x->expr, x->nr + 1, x->alloc))
		return -ENOMEM;
	copy = calloc(nr ? nr : 1, sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++)
		copy[i] = (struct sf_cfi_op){
			.atom = ops[i].atom,
			.number = ops[i].number,
			.number2 = ops[i].number2,
			.offset = (uint32_t)ops[i].offset,
		};
	x->expr[x->nr] = (struct sf_cfi_expr){copy, nr};
	return (int)x->nr++;
}

static bool fits(int64_t v)
{
	return v >= INT32_MIN && v <= INT32_MAX;
}

static int take_expr(struct sf_cfi_exprs *x, const Dwarf_Op *ops, size_t nr, bool is_value,
		     struct sf_cfi_rule *r)
{
	int id = keep_expr(x, ops, nr);

	r->kind = is_value ? SF_CFI_IS_EXPR : SF_CFI_AT_EXPR;
	r->value = id;
	return id < 0 ? id : 0;
}

static int cfa_rule(struct sf_cfi_exprs *x, Dwarf_Frame *f, struct sf_cfi_rule *r)
{
	Dwarf_Op *ops;
	size_t nr;
	int64_t value;

	if (dwarf_frame_cfa(f, &ops, &nr) || !nr)
		return -ENOTSUP;
	r->kind = SF_CFI_REG;
	if (nr == 1 && ops[0].atom >= DW_OP_breg0 && ops[0].atom <= DW_OP_breg31) {
		r->base = ops[0].atom - DW_OP_breg0;
		value = (int64_t)ops[0].number;
	} else if (nr == 1 && ops[0].atom == DW_OP_bregx && ops[0].number < SF_CFI_REGS) {
		r->base = (uint16_t)ops[0].number;
		value = (int64_t)ops[0].number2;
	} else {
		return take_expr(x, ops, nr, true, r);
	}
	r->value = (int32_t)value;
	return fits(value) ? 0 : -ENOTSUP;
}

/*
 * libdw writes a rule as a location: nothing, with ops NULL for "same value" and not NULL for
 * undefined; a register; or an address, on a stack that begins with the CFA, or a value where
 * DW_OP_stack_value is last.
 */
static int register_rule(struct sf_cfi_exprs *x, const Dwarf_Op *ops, size_t nr,
			 struct sf_cfi_rule *r)
{
	bool is_value = nr && ops[nr - 1].atom == DW_OP_stack_value;
	int64_t value = 0;

	if (!nr) {
		r->kind = ops ? SF_CFI_UNDEFINED : SF_CFI_SAME;
		return 0;
	}
	if (nr == 1 && ops[0].atom >= DW_OP_reg0 && ops[0].atom <= DW_OP_reg31) {
		r->kind = SF_CFI_REG;
		r->value = ops[0].atom - DW_OP_reg0;
		return 0;
	}
	if (nr == 1 && ops[0].atom == DW_OP_regx && ops[0].number < SF_CFI_REGS) {
		r->kind = SF_CFI_REG;
		r->value = (int32_t)ops[0].number;
		return 0;
	}
	nr -= is_value;
	if (nr && nr <= 2 && ops[0].atom == DW_OP_call_frame_cfa &&
	    (nr == 1 || ops[1].atom == DW_OP_plus_uconst)) {
		value = nr == 2 ? (int64_t)ops[1].number : 0;
		if (fits(value)) {
			r->kind = is_value ? SF_CFI_IS_CFA : SF_CFI_AT_CFA;
			r->value = (int32_t)value;
			return 0;
		}
	}
	return take_expr(x, ops, nr, is_value, r);
}

static int fill_row(struct sf_cfi_exprs *x, Dwarf_Frame *f, struct sf_cfi_row *row)
{
	bool signal = false;
	int ra, ret;

	memset(row, 0, sizeof(*row));
	ra = dwarf_frame_info(f, NULL, NULL, &signal);
	if (ra < 0 || ra >= SF_CFI_REGS)
		return -ENOTSUP;
	row->ra = (uint8_t)ra;
	row->signal = signal;
	ret = cfa_rule(x, f, &row->cfa);
	for (uint8_t reg = 0; reg < SF_CFI_REGS && !ret; reg++) {
		struct sf_cfi_rule *r = &row->rule[row->nr];
		Dwarf_Op mem[3], *ops;
		size_t nr;

		*r = (struct sf_cfi_rule){.reg = reg};
		if (dwarf_frame_register(f, reg, mem, &ops, &nr))
			continue;
		ret = register_rule(x, ops, nr, r);
		/* Values that the ABI lets a callee destroy are kept: a wrong one is seldom used.
		 */
		if (r->kind != SF_CFI_SAME && (r->kind != SF_CFI_UNDEFINED || reg == ra))
			row->nr++;
	}
	row->simple = row->cfa.kind == SF_CFI_REG;
	for (unsigned i = 0; i < row->nr; i++)
		row->simple &= row->rule[i].kind == SF_CFI_AT_CFA;
	return ret;
}

int sf_cfi_row(struct sf_cfi *c, struct sf_cfi_exprs *exprs, uint64_t offset,
	       struct sf_cfi_row *row)
{
	Dwarf_CFI *const table[] = {c->eh, c->debug};
	Dwarf_Frame *frame;
	uint64_t vaddr;
	int ret = -ENOENT;

	if (!sf_elf_vaddr(c->files.run, offset, &vaddr))
		return -ENOENT;
	for (size_t i = 0; i < SF_ARRAY_SIZE(table) && ret; i++) {
		if (!table[i] || dwarf_cfi_addrframe(table[i], vaddr, &frame))
			continue;
		ret = fill_row(exprs, frame, row);
		free(frame);
	}
	if (ret != -ENOENT)
		return ret;
	memset(row, 0, sizeof(*row));
	row->cfa.kind = SF_CFI_GUESS;
	return 0;
}

#endif
