/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Symbols of one module, sorted by address, and the rules by which perf chooses one of them:
 * whoever compares with perf's output must end up with the same name of the same alias.
 */
#ifndef SNAPFLAME_SYMBOL_SYMTAB_H
#define SNAPFLAME_SYMBOL_SYMTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <snapflame/array.h>

struct sf_sym {
	uint64_t start, end; /* [start, end); equal: only start itself */
	uint64_t reach;	     /* the largest end up to here: how far back a search has to look */
	const char *name;
	uint32_t seq;	   /* order of arrival */
	uint8_t binding;   /* STB_* */
	uint8_t demangled; /* name has been through sf_demangle */
	uint8_t sized : 1; /* the table said how large it is */
	uint8_t alone : 1; /* shares none of its addresses with another one */
	uint8_t rival : 1; /* of several names of one address, which have not been compared yet */
	uint8_t loser : 1; /* of several names of one address, not the one that is shown */
};

#define SF_SYMTAB_STEP 16

struct sf_symtab {
	struct sf_sym *sym;
	size_t nr, alloc;
	uint64_t *step; /* start of every SF_SYMTAB_STEP'th: a search begins in a few pages */
	size_t nr_steps, steps_alloc;
	uint32_t next_seq;
	bool demangle;	       /* names are to be demangled when they are looked at */
	bool latest;	       /* where symbols overlap the last one added counts, not the inner */
	struct sf_arena names; /* for names that nobody else keeps */
	struct sf_symtab_text {
		void *map;
		size_t size;
	} text[2]; /* mapped tables of strings that names point into */
};

/* Room for nr more symbols: what is known to be large is not grown step by step. 0 or -ENOMEM. */
int sf_symtab_reserve(struct sf_symtab *t, size_t nr);
/* name is borrowed: it lives as long as t, for instance in t->names. 0 or -ENOMEM. */
int sf_symtab_add(struct sf_symtab *t, uint64_t start, uint64_t size, uint8_t binding,
		  const char *name);

/*
 * Sort what was added. PLAIN keeps every symbol as it is. With ELF each address shows one symbol,
 * and symbols of size 0 reach to the next one. Which of several names of an address it is takes demangling them: that waits
 * until the address is asked for, because few of them ever are.
 */
enum sf_symtab_kind { SF_SYMTAB_PLAIN, SF_SYMTAB_ELF };
void sf_symtab_settle(struct sf_symtab *t, enum sf_symtab_kind kind);

/* symsort.c: by start, and where starts are equal by seq. */
void sf_symtab_sort(struct sf_symtab *t);

/* The symbol that covers addr, NULL where none does. */
struct sf_sym *sf_symtab_find(struct sf_symtab *t, uint64_t addr);

/* The name as it is to be shown. Memory belongs to t. */
const char *sf_symtab_name(struct sf_symtab *t, struct sf_sym *sym);

void sf_symtab_release(struct sf_symtab *t);

#endif
