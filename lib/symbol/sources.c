/* SPDX-License-Identifier: GPL-2.0-only */
/* Which files the symbols of a module come from, and whether they may. */
#include "symbol/symbols.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/elffile.h"
#include "symbol/files.h"
#include "symbol/inlines.h"
#include "symbol/jit.h"

static int load_file(struct sf_symbols *s, struct sf_mod *mod)
{
	struct sf_files f;
	int ret;

	ret = sf_files_open(s, mod, &f);
	if (!ret && !mod->build_id.size)
		mod->file_id = *sf_elf_build_id(f.run);
	if (!ret)
		ret = sf_elf_symbols(f.syms, f.run,
				     mod->kind == SF_MODULE_KMOD ? SF_ELF_MODULE_TEXT
								 : SF_ELF_OFFSETS,
				     &mod->syms);
	if (!ret && !sf_elf_has_symtab(f.syms) && sf_elf_has_section(f.run, ".gnu_debugdata"))
		sf_minidebug_symbols(f.run_path, f.run, &mod->syms);
	if (!ret && !mod->syms.nr)
		ret = -ENODATA;
	sf_files_release(&f);
	return ret;
}

static const char *reason(int ret)
{
	switch (ret) {
	case -ESTALE:
		return "the file there now has another build-id";
	case -ENODATA:
		return "it has no symbols";
	case -ENOSYS:
		return "built without libelf";
	}
	return strerror(-ret);
}

void sf_sources_load(struct sf_symbols *s, struct sf_mod *mod)
{
	int ret = 0;

	if (mod->tried)
		return;
	mod->tried = true;
	if (s->opts.no_local)
		return;
	mod->syms.demangle = !mod->pub.kernel;
	switch (mod->kind) {
	case SF_MODULE_FILE:
	case SF_MODULE_VDSO:
		ret = load_file(s, mod);
		break;
	case SF_MODULE_KMOD:
		if (!mod->guest)
			ret = load_file(s, mod);
		break;
	case SF_MODULE_JIT:
		ret = sf_jit_load(s, mod);
		break;
	default:
		break;
	}
	if (ret && mod->file[0] == '/')
		sf_symbols_note(s, "%s: %s", mod->pub.path, reason(ret));
}

struct sf_inlines *sf_sources_inlines(struct sf_symbols *s, struct sf_mod *mod)
{
	struct sf_files f;

	if (mod->tried_inlines || mod->kind != SF_MODULE_FILE || s->opts.no_local)
		return mod->inlines;
	mod->tried_inlines = true;
	if (!sf_files_open(s, mod, &f) && sf_inlines_open(&mod->inlines, s, &f))
		sf_symbols_note(s,
				"%s: no debug information: inlined calls and lines are not known",
				mod->pub.path);
	return mod->inlines;
}
