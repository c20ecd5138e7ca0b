/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rules of call frames: ours against those of libdw, for what this program has mapped or the files that
 * are its arguments; and programs of rules that no compiler writes.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "symbol/cfi.h"

#ifdef SF_HAVE_DWARF

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "symbol/elfpriv.h"

/* ------------------------------------------------------------------ as libdw has it */

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


/* cfi: of .eh_frame, of .debug_frame; NULL: none. */
static int libdw_row(Dwarf_CFI *const cfi[2], struct sf_cfi_exprs *x, uint64_t vaddr, struct sf_cfi_row *row)
{
	Dwarf_Frame *frame;
	int ret = -ENOENT;

	for (int i = 0; i < 2 && ret; i++)
		if (cfi[i] && !dwarf_cfi_addrframe(cfi[i], vaddr, &frame)) {
			ret = fill_row(x, frame, row);
			free(frame);
		}
	return ret;
}

static bool same_rule(const struct sf_cfi_exprs *xa, const struct sf_cfi_rule *a, const struct sf_cfi_exprs *xb,
		      const struct sf_cfi_rule *b)
{
	const struct sf_cfi_expr *ea, *eb;

	if (a->kind != b->kind || a->reg != b->reg || a->base != b->base)
		return false;
	if (a->kind != SF_CFI_AT_EXPR && a->kind != SF_CFI_IS_EXPR)
		return a->value == b->value;
	ea = &xa->expr[a->value];
	eb = &xb->expr[b->value];
	for (size_t i = 0; i < ea->nr && ea->nr == eb->nr; i++)
		if (ea->op[i].atom != eb->op[i].atom || ea->op[i].number != eb->op[i].number ||
		    ea->op[i].number2 != eb->op[i].number2 || ea->op[i].offset != eb->op[i].offset)
			return false;
	return ea->nr == eb->nr;
}

/* libdw writes down that the stack pointer is the CFA. */
static void without_sp(struct sf_cfi_row *row, unsigned sp)
{
	unsigned n = 0;

	for (unsigned i = 0; i < row->nr; i++)
		if (row->rule[i].reg != sp || row->rule[i].kind != SF_CFI_IS_CFA || row->rule[i].value)
			row->rule[n++] = row->rule[i];
	row->nr = (uint8_t)n;
}

static bool same_row(const struct sf_cfi_exprs *xa, const struct sf_cfi_row *a, const struct sf_cfi_exprs *xb,
		     const struct sf_cfi_row *b)
{
	if (a->ra != b->ra || a->signal != b->signal || a->nr != b->nr || !same_rule(xa, &a->cfa, xb, &b->cfa))
		return false;
	for (unsigned i = 0; i < a->nr; i++)
		if (!same_rule(xa, &a->rule[i], xb, &b->rule[i]))
			return false;
	return true;
}

enum { POINTS = 20000 };

static void compare(const char *path)
{
	unsigned sp = 7;
	struct sf_cfi_exprs mine = {0}, theirs = {0};
	size_t rows = 0, guesses = 0;
	struct sf_files files = {0};
	struct sf_elf *e;
	struct sf_cfi *c;
	Dwarf_CFI *dw[2] = {0};
	Dwarf *dwarf;

	if (sf_elf_open(&e, path, NULL))
		return;
	if (e->ehdr.e_machine == EM_AARCH64)
		sp = 31;
	assert_int_equal(sf_elf_open(&files.run, path, NULL), 0);
	files.syms = files.run;
	dw[0] = dwarf_getcfi_elf(e->elf);
	dwarf = dwarf_begin_elf(e->elf, DWARF_C_READ, NULL);
	dw[1] = dwarf ? dwarf_getcfi(dwarf) : NULL;
	if (sf_cfi_open(&c, &files)) {
		dwarf_end(dwarf);
		dwarf_cfi_end(dw[0]);
		sf_elf_free(e);
		return;
	}
	for (size_t i = 0; i < e->nr_sec; i++) {
		const GElf_Shdr *h = &e->sec[i].hdr;
		uint64_t step = h->sh_size / POINTS + 1;

		if (!(h->sh_flags & SHF_EXECINSTR))
			continue;
		for (uint64_t at = 0; at < h->sh_size; at += step) {
			struct sf_cfi_row a = {0}, b = {0};
			int want = libdw_row(dw, &theirs, h->sh_addr + at, &b);
			int got = sf_cfi_row(c, &mine, h->sh_offset + at, &a);

			if (want == -ENOENT) {
				guesses++;
				assert_int_equal(got, 0);
				assert_int_equal(a.cfa.kind, SF_CFI_GUESS);
				continue;
			}
			without_sp(&b, sp);
			if (got != want || (!got && !same_row(&mine, &a, &theirs, &b)))
				fail_msg("%s: 0x%llx: %d and %d, %u and %u rules", path,
					 (unsigned long long)(h->sh_addr + at), got, want, a.nr, b.nr);
			rows++;
		}
	}
	print_message("%s: %zu rows, %zu places without\n", path, rows, guesses);
	assert_true(rows > 0);
	dwarf_end(dwarf);
	dwarf_cfi_end(dw[0]);
	sf_cfi_free(c);
	sf_cfi_exprs_release(&mine);
	sf_cfi_exprs_release(&theirs);
	sf_elf_free(e);
}

/* Each file that this program has mapped: itself, the C library, the loader, libdw and what that needs. */
static void rules_as_libdw_has_them(void **state)
{
	char line[4096], last[4096] = "";
	FILE *f = fopen("/proc/self/maps", "re");

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		char *path = strchr(line, '/');

		if (!path || !strstr(line, " r-xp "))
			continue;
		path[strcspn(path, "\n")] = '\0';
		if (strcmp(path, last))
			compare(path);
		snprintf(last, sizeof(last), "%s", path);
	}
	fclose(f);
}

/* ------------------------------------------------------------------ what no compiler writes */

/* A CIE of .debug_frame with that program, for code and data alignments of 1 and -8, and an FDE from 0x1000 to
 * 0x1100. */
static int row_of(const uint8_t *program, size_t size, uint64_t vaddr, struct sf_cfi_exprs *x,
		  struct sf_cfi_row *row)
{
	static const uint8_t cie[] = { 0xff, 0xff, 0xff, 0xff, 1, 0, 1, 0x78, 16, DW_CFA_def_cfa, 7, 8 };
	uint8_t *data = calloc(1, size + 64);
	struct sf_cfi_section s = { .data = data, .size = size + 4 + sizeof(cie) + 24, .addr_size = 8 };
	struct sf_cfi_fde fde;
	uint8_t *p = data;
	int ret = -ENOENT;

	assert_non_null(data);
	*p = sizeof(cie);
	memcpy(p + 4, cie, sizeof(cie));
	p += 4 + sizeof(cie);
	p[0] = (uint8_t)(size + 20);
	p[1] = (uint8_t)((size + 20) >> 8);
	p[2] = (uint8_t)((size + 20) >> 16);
	p[9] = 0x10; /* from 0x1000 */
	p[17] = 1;   /* 0x100 bytes */
	memcpy(p + 24, program, size);
	assert_int_equal(sf_cfi_index(&s), 0);
	assert_int_equal(s.nr_ranges, 1);
	if (sf_cfi_find(&s, vaddr, &fde))
		ret = sf_cfi_run(&s, &fde, EM_X86_64, vaddr, x, row);
	sf_cfi_section_release(&s);
	free(data);
	return ret;
}

static void a_register_of_a_huge_number(void **state)
{
	static const uint8_t program[] = {
		DW_CFA_offset_extended, 0xff, 0xff, 0xff, 0x7f, 2, /* 268 million */
		DW_CFA_offset | 6, 2,
	};
	static const uint8_t cfa[] = { DW_CFA_def_cfa_register, 0xff, 0xff, 0xff, 0x7f };
	struct sf_cfi_exprs x = {0};
	struct sf_cfi_row row;

	assert_int_equal(row_of(program, sizeof(program), 0x1080, &x, &row), 0);
	assert_int_equal(row.nr, 2);
	assert_int_equal(row.rule[0].reg, 6);
	assert_int_equal(row.rule[0].kind, SF_CFI_AT_CFA);
	assert_int_equal(row.rule[0].value, -16);
	assert_int_equal(row.rule[1].reg, 16);
	assert_int_equal(row_of(cfa, sizeof(cfa), 0x1080, &x, &row), -ENOTSUP);
	assert_int_equal(row_of(program, sizeof(program), 0x1100, &x, &row), -ENOENT);
	assert_int_equal(row_of(program, sizeof(program), 0xfff, &x, &row), -ENOENT);
}

static void states_without_end(void **state)
{
	enum { MANY = 100000 };
	uint8_t *program = malloc(MANY);
	struct sf_cfi_exprs x = {0};
	struct sf_cfi_row row;

	assert_non_null(program);
	memset(program, DW_CFA_remember_state, MANY);
	assert_int_equal(row_of(program, MANY, 0x1080, &x, &row), -ENOTSUP);
	program[0] = DW_CFA_restore_state;
	assert_int_equal(row_of(program, MANY, 0x1080, &x, &row), -ENOTSUP);
	/* What comes after the address that is asked for is not run. */
	program[0] = DW_CFA_advance_loc | 4;
	assert_int_equal(row_of(program, MANY, 0x1003, &x, &row), 0);
	assert_int_equal(row_of(program, MANY, 0x1004, &x, &row), -ENOTSUP);
	free(program);
}

static void programs_that_end_too_early(void **state)
{
	static const uint8_t cut[][4] = {
		{ DW_CFA_def_cfa, 7 }, { DW_CFA_advance_loc4, 0, 0, 0 }, { DW_CFA_offset | 3, 0x80 },
		{ DW_CFA_def_cfa_expression, 9, DW_OP_lit0, DW_OP_lit1 },
		{ DW_CFA_expression, 3, 1, DW_OP_breg7 }, { 0x3f },
	};
	static const uint8_t size[] = { 2, 4, 2, 4, 4, 1 };
	struct sf_cfi_exprs x = {0};
	struct sf_cfi_row row;

	for (size_t i = 0; i < sizeof(size); i++)
		assert_int_equal(row_of(cut[i], size[i], 0x1080, &x, &row), -ENOTSUP);
	sf_cfi_exprs_release(&x);
}

#endif

int main(int argc, char **argv)
{
#ifdef SF_HAVE_DWARF
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_as_libdw_has_them),
		cmocka_unit_test(a_register_of_a_huge_number),
		cmocka_unit_test(states_without_end),
		cmocka_unit_test(programs_that_end_too_early),
	};

	for (int i = 1; i < argc; i++)
		compare(argv[i]);
	return argc > 1 ? 0 : cmocka_run_group_tests(tests, NULL, NULL);
#else
	return 0;
#endif
}
