/* SPDX-License-Identifier: GPL-2.0-only */
/* A location becomes frames. */
#include "symbol/symbols.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "symbol/inlines.h"

#define MAX_LEVELS 64 /* of inlined calls in one place */

/* What finding a name yields: the text, and the module where that is known better than by maps. */
struct name {
	const char *text, *module;
	uint64_t start, end;
	bool alone; /* all of [start, end) has this name */
};

static void take(struct name *n, struct sf_symtab *t, struct sf_sym *sym)
{
	n->text = sf_symtab_name(t, sym);
	n->start = sym->start;
	n->end = sym->end;
	n->alone = sym->alone;
}

/*
 * Names that the recording brought come first. Where it brought some and nothing tells that a file
 * here is the one that ran, they are all there is.
 */
static bool find_imported(struct sf_symbols *s, struct sf_mod *mod, uint64_t addr, struct name *n,
			  bool *only)
{
	struct sf_import *im = s->modules.nr_imports ? sf_modules_imported(&s->modules, mod) : NULL;
	struct sf_sym *sym = im ? sf_symtab_find(&im->syms, addr) : NULL;

	*only = im && !mod->build_id.size;
	if (sym)
		take(n, &im->syms, sym);
	return sym;
}

/* addr is one of the recording's kernel; base what to take away for the module's own addresses. */
static bool find_kernel(struct sf_symbols *s, uint64_t addr, uint64_t base, struct name *n)
{
	struct sf_ksym sym;

	if (!sf_sources_kernel(s) || !sf_kernel_find(&s->kernel, addr, &sym))
		return false;
	*n = (struct name){
		.text = sym.name,
		.module = sym.module,
		.start = sym.start - base,
		.end = sym.end - base,
		.alone = sym.alone,
	};
	return true;
}

static bool find_in_module(struct sf_symbols *s, struct sf_mod *mod, uint64_t addr, struct name *n)
{
	struct sf_sym *sym;
	bool only;

	if (find_imported(s, mod, addr, n, &only))
		return true;
	if (only)
		return false;
	switch (mod->kind) {
	case SF_MODULE_KSYM:
		*n = (struct name){.text = mod->file, .end = mod->len};
		return true;
	case SF_MODULE_DATA:
		return false;
	case SF_MODULE_KERNEL:
	case SF_MODULE_KMOD:
		if (!mod->guest && find_kernel(s, mod->base + addr, mod->base, n))
			return true;
		break;
	default:
		break;
	}
	sf_sources_load(s, mod);
	sym = sf_symtab_find(&mod->syms, addr);
	if (sym)
		take(n, &mod->syms, sym);
	return sym;
}

const char *sf_symbols_find(struct sf_symbols *s, struct sf_mod *mod, uint64_t addr,
			    uint64_t *start, uint64_t *end)
{
	struct name n = {0};

	if (!find_in_module(s, mod, addr, &n))
		return NULL;
	*start = n.start;
	*end = n.end;
	return n.text;
}

/* Kernel memory that no record covers: init code, or modules loaded while recording. */
static void find_unmapped(struct sf_symbols *s, const struct sf_location *loc, struct name *n)
{
	struct sf_mod *kernel;
	bool only = false;

	if (loc->flags != SF_FRAME_KERNEL)
		return;
	kernel = sf_symbols_kernel(s);
	if (!(kernel && find_imported(s, kernel, loc->addr, n, &only)) &&
	    (only || !find_kernel(s, loc->addr, 0, n)))
		return;
	if (!n->module)
		n->module = "[kernel.kallsyms]";
}

/* What one location becomes before its frames are made. */
struct nest {
	struct name name; /* of the function itself */
	struct sf_source level[MAX_LEVELS];
	size_t nr; /* 0: DWARF says nothing */
};

static void find_nest(struct sf_symbols *s, struct sf_mod *mod, uint64_t addr, struct nest *n)
{
	struct sf_inlines *x = NULL;

	if (s->opts.inlines || s->opts.lines)
		x = sf_sources_inlines(s, mod);
	if (x)
		n->nr = sf_inlines_at(x, addr, n->level, MAX_LEVELS);
	if (!n->nr)
		return;
	/* A stripped file can have a debug file that names what its own tables do not. */
	if (!n->name.text)
		n->name.text = n->level[n->nr - 1].name;
	if (!s->opts.inlines)
		n->nr = 1;
}

static void fill(struct sf_frame *f, const struct sf_location *loc, const struct sf_mod *mod,
		 const char *name, const char *module)
{
	f->name = name ? name : "";
	f->dso = mod ? mod->pub.path : "";
	f->dso_short = mod ? mod->pub.short_name : "";
	if (module && (!mod || mod->kind == SF_MODULE_KERNEL))
		f->dso = f->dso_short = module;
	f->addr = loc->ip;
	f->flags = loc->flags;
	if (mod && mod->kind == SF_MODULE_JIT)
		f->flags |= SF_FRAME_JIT;
	if (!f->name[0])
		f->flags |= SF_FRAME_UNKNOWN;
}

void sf_symbols_name_outer(struct sf_symbols *s, const struct sf_location *loc, struct sf_frame *f,
			   uint64_t *start, uint64_t *end)
{
	struct sf_mod *mod = sf_modules_at(&s->modules, loc->module);
	struct name n = {0};

	*f = (struct sf_frame){.name = ""};
	if (mod)
		find_in_module(s, mod, loc->addr, &n);
	else
		find_unmapped(s, loc, &n);
	fill(f, loc, mod, n.text, n.module);
	*start = loc->addr;
	*end = loc->addr + 1;
	if (mod && n.alone && n.start <= loc->addr && n.end > loc->addr) {
		*start = n.start;
		*end = n.end;
	}
}

int sf_symbols_name(struct sf_symbols *s, struct sf_location *loc)
{
	struct sf_mod *mod = sf_modules_at(&s->modules, loc->module);
	struct nest n = {.nr = 0};
	struct sf_frame *f;
	size_t nr;

	if (mod) {
		find_in_module(s, mod, loc->addr, &n.name);
		find_nest(s, mod, loc->addr, &n);
	} else {
		find_unmapped(s, loc, &n.name);
	}
	nr = n.nr ? n.nr : 1;
	f = sf_arena_alloc(&s->frames, nr * sizeof(*f));
	if (!f)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		bool inlined = i + 1 < nr;

		fill(&f[i], loc, mod, inlined ? n.level[i].name : n.name.text, n.name.module);
		if (inlined)
			f[i].flags |= SF_FRAME_INLINED;
		if (n.nr && s->opts.lines) {
			f[i].file = n.level[i].file;
			f[i].line = n.level[i].line;
		}
	}
	loc->frames = f;
	loc->nr_frames = (uint32_t)nr;
	return 0;
}
