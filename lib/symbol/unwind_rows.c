/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/unwind_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifdef SF_HAVE_DWARF

#define CACHE_BITS 14
#define NO_ROW	   0 /* a row of sf_strtab has an id from 1 */

struct sf_unwind_file {
	bool tried;
	struct sf_cfi *cfi;
	struct sf_map64 rows; /* file offset -> id of the whole row */
};

struct sf_unwind_cached {
	uint64_t pc;
	const struct sf_cfi_row *row;
	uint32_t gen; /* of the mappings; 0: empty */
};

int sf_unwind_rows_init(struct sf_unwind_rows *r, struct sf_symbols *s, unsigned sp, unsigned fp)
{
	*r = (struct sf_unwind_rows){.s = s, .sp = sp, .needed = 1ULL << sp | 1ULL << fp};
	r->cache = calloc((size_t)1 << CACHE_BITS, sizeof(*r->cache));
	return r->cache ? 0 : -ENOMEM;
}

void sf_unwind_rows_release(struct sf_unwind_rows *r)
{
	for (size_t i = 0; i < r->nr_files; i++) {
		if (!r->file[i])
			continue;
		sf_cfi_free(r->file[i]->cfi);
		sf_map64_release(&r->file[i]->rows);
		free(r->file[i]);
	}
	free(r->file);
	free(r->cache);
	sf_strtab_release(&r->rows);
	sf_cfi_exprs_release(&r->exprs);
}

static struct sf_unwind_file *file_of(struct sf_unwind_rows *r, uint32_t module)
{
	if (SF_GROW(r->file, module, r->alloc))
		return NULL;
	while (r->nr_files < module)
		r->file[r->nr_files++] = NULL;
	if (!r->file[module - 1])
		r->file[module - 1] = calloc(1, sizeof(**r->file));
	return r->file[module - 1];
}

static void open_cfi(struct sf_unwind_rows *r, struct sf_unwind_file *f, uint32_t module)
{
	struct sf_mod *mod = sf_modules_at(&r->s->modules, module);
	struct sf_files files;

	f->tried = true;
	if (r->s->opts.no_local || sf_files_open(r->s, mod, &files))
		return;
	if (sf_cfi_open(&f->cfi, &files))
		sf_symbols_note(r->s, "%s: no call frame information: stacks end there",
				mod->pub.path);
}

static uint32_t keep(struct sf_unwind_rows *r, const struct sf_cfi_row *row)
{
	return sf_strtab_idn(&r->rows, (const char *)row, sf_cfi_row_size(row));
}

/* Id of the whole row for offset in a module, NO_ROW where there is none. */
static uint32_t find_whole(struct sf_unwind_rows *r, uint32_t module, uint64_t offset)
{
	struct sf_unwind_file *f = file_of(r, module);
	struct sf_cfi_row row;
	uint32_t *slot;
	bool made;

	if (!f)
		return NO_ROW;
	if (!f->tried)
		open_cfi(r, f, module);
	if (!f->cfi)
		return NO_ROW;
	slot = sf_map64_at(&f->rows, offset, &made);
	if (!slot)
		return NO_ROW;
	if (made) {
		r->looked_up++;
		if (!sf_cfi_row(f->cfi, &r->exprs, offset, &row))
			*slot = keep(r, &row);
	}
	return *slot;
}

static uint64_t expr_looks_at(const struct sf_unwind_rows *r, int32_t id)
{
	return id >= 0 && (size_t)id < r->exprs.nr ? sf_cfi_expr_regs(&r->exprs.expr[id]) : 0;
}

/* A bit for each register whose value the row takes. */
static uint64_t looks_at(const struct sf_unwind_rows *r, const struct sf_cfi_row *row)
{
	uint64_t regs = 1ULL << row->ra;

	if (row->cfa.kind == SF_CFI_REG)
		regs |= 1ULL << row->cfa.base;
	else if (row->cfa.kind != SF_CFI_GUESS)
		regs |= expr_looks_at(r, row->cfa.value);
	for (unsigned i = 0; i < row->nr; i++) {
		const struct sf_cfi_rule *rule = &row->rule[i];

		if (rule->kind == SF_CFI_REG)
			regs |= 1ULL << rule->value;
		else if (rule->kind == SF_CFI_AT_EXPR || rule->kind == SF_CFI_IS_EXPR)
			regs |= expr_looks_at(r, rule->value);
	}
	return regs;
}

static const struct sf_cfi_row *thin_out(struct sf_unwind_rows *r, const struct sf_cfi_row *whole)
{
	struct sf_cfi_row row = {
		.cfa = whole->cfa,
		.ra = whole->ra,
		.signal = whole->signal,
		.simple = whole->cfa.kind == SF_CFI_REG,
	};
	uint32_t id;

	for (unsigned i = 0; i < whole->nr; i++) {
		const struct sf_cfi_rule *rule = &whole->rule[i];

		if (!(r->needed >> rule->reg & 1))
			continue;
		/* libdw writes down what goes without saying, too. */
		if (rule->reg == r->sp && rule->kind == SF_CFI_IS_CFA && !rule->value)
			continue;
		row.rule[row.nr++] = *rule;
		row.simple &= rule->kind == SF_CFI_AT_CFA;
	}
	id = keep(r, &row);
	return id ? (const struct sf_cfi_row *)sf_strtab_text(&r->rows, id) : NULL;
}

static const struct sf_cfi_row *find_thin(struct sf_unwind_rows *r, const struct sf_mapping *m,
					  uint64_t pc)
{
	uint32_t id = find_whole(r, m->module, pc - m->start + m->pgoff);
	const struct sf_cfi_row *whole;
	uint64_t regs;

	if (id == NO_ROW)
		return NULL;
	whole = (const struct sf_cfi_row *)sf_strtab_text(&r->rows, id);
	regs = looks_at(r, whole);
	if (regs & ~r->needed) {
		r->needed |= regs;
		memset(r->cache, 0, sizeof(*r->cache) << CACHE_BITS);
	}
	return thin_out(r, whole);
}

const struct sf_cfi_row *sf_unwind_rows_find(struct sf_unwind_rows *r, const struct sf_maps *maps,
					     uint64_t pc)
{
	struct sf_unwind_cached *c;
	const struct sf_cfi_row *row;
	const struct sf_mapping *m;

	if (!maps)
		return NULL;
	c = &r->cache[((pc ^ (uint64_t)maps->gen << 32) * 0x9e3779b97f4a7c15ULL) >>
		      (64 - CACHE_BITS)];
	if (c->pc == pc && c->gen == maps->gen)
		return c->row;
	m = sf_maps_find(maps, pc);
	row = m && !m->identity ? find_thin(r, m, pc) : NULL;
	*c = (struct sf_unwind_cached){.pc = pc, .gen = maps->gen, .row = row};
	return row;
}

#endif
