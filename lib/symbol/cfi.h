/* SPDX-License-Identifier: GPL-2.0-only */
/* Call frame information of one ELF file: how to get from a function to its caller, by address. */
#ifndef SNAPFLAME_SYMBOL_CFI_H
#define SNAPFLAME_SYMBOL_CFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <snapflame/table.h>

#include "symbol/cfi_entry.h"
#include "symbol/files.h"

#define SF_CFI_REGS 34 /* DWARF numbers: 17 are used on x86-64, 33 on aarch64 */

enum sf_cfi_kind {
	SF_CFI_SAME,	  /* the caller has what we have */
	SF_CFI_UNDEFINED, /* lost; of the return address: there is no caller */
	SF_CFI_AT_CFA,	  /* saved at CFA + value */
	SF_CFI_IS_CFA,	  /* is CFA + value */
	SF_CFI_REG,	  /* in register value; as the rule of the CFA: reg + value */
	SF_CFI_AT_EXPR,	  /* saved where expression number value says */
	SF_CFI_IS_EXPR,	  /* is what expression number value says */
	SF_CFI_GUESS,	  /* of the CFA: no rules for this code, but for other code of the file */
};

struct sf_cfi_rule {
	uint8_t reg, kind;
	uint16_t base; /* REG as the rule of the CFA: which register */
	int32_t value;
};

/* Registers without a rule: SAME. The stack pointer of the caller is the CFA unless it has one. */
struct sf_cfi_row {
	struct sf_cfi_rule cfa;
	uint8_t ra;	/* register with the return address */
	uint8_t signal; /* a signal handler's caller: was interrupted, did not call */
	uint8_t simple; /* the CFA is a register and an offset, and all rules are AT_CFA */
	uint8_t nr;
	struct sf_cfi_rule rule[SF_CFI_REGS];
};

size_t sf_cfi_row_size(const struct sf_cfi_row *row); /* bytes that count */

/* One operation of a DWARF expression. */
struct sf_cfi_op {
	uint64_t number, number2;
	uint32_t offset; /* in the expression, for jumps */
	uint8_t atom;
};

struct sf_cfi;

/* Expressions are kept in a table that rows of all files share. */
struct sf_cfi_exprs {
	struct sf_cfi_expr {
		struct sf_cfi_op *op;
		size_t nr;
	} *expr;
	size_t nr, alloc;
};

void sf_cfi_exprs_release(struct sf_cfi_exprs *x);
/* The expression in b; on_cfa: the CFA is on the stack when it begins. Its number, -ENOTSUP, -ENOMEM. */
int sf_cfi_decode(struct sf_cfi_exprs *x, struct sf_cfi_bytes b, uint8_t addr_size, bool on_cfa);

/*
 * The rules at vaddr, by running the program of the FDE that has it (DWARF 5, 6.4.2 and 6.4.3). -ENOTSUP for
 * what is damaged or not understood, -ENOMEM.
 */
int sf_cfi_run(const struct sf_cfi_section *s, const struct sf_cfi_fde *fde, uint16_t machine, uint64_t vaddr,
	       struct sf_cfi_exprs *exprs, struct sf_cfi_row *row);

/* Takes the files over, also on failure. -ENODATA without any information. */
int sf_cfi_open(struct sf_cfi **c, struct sf_files *files);
void sf_cfi_free(struct sf_cfi *c);

/*
 * The row for a file offset. What is written by hand in a file that otherwise has rules is left to
 * the frame pointer: cfa.kind is SF_CFI_GUESS, and there is nothing else in the row. -ENOENT where
 * no file has the offset, -ENOTSUP for what is not understood.
 */
int sf_cfi_row(struct sf_cfi *c, struct sf_cfi_exprs *exprs, uint64_t offset,
	       struct sf_cfi_row *row);

/* What an expression is evaluated in. read gives the word of size bytes at addr. */
struct sf_cfi_context {
	const uint64_t *regs;
	uint64_t known; /* bit for each register whose value is known */
	uint64_t cfa;
	bool (*read)(void *arg, uint64_t addr, unsigned size, uint64_t *value);
	void *arg;
};

/* A bit for each register whose value an expression takes. */
uint64_t sf_cfi_expr_regs(const struct sf_cfi_expr *x);

bool sf_cfi_eval(const struct sf_cfi_expr *x, const struct sf_cfi_context *ctx, uint64_t *value);

#endif
