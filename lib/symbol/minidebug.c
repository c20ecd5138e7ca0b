/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * .gnu_debugdata: an xz-compressed ELF file inside a stripped one, with the names of its functions.
 * libdwfl unpacks it; it is not allowed to look for anything else.
 */
#include "symbol/elffile.h"

#include <errno.h>
#include <stddef.h>

#ifdef SF_HAVE_DWARF

#include <elfutils/libdwfl.h>
#include <string.h>

#include "symbol/elfpriv.h"

static int find_nothing(Dwfl_Module *mod, void **userdata, const char *name, Dwarf_Addr base,
			const char *file, const char *link, GElf_Word crc, char **path)
{
	return -1;
}

static int find_no_elf(Dwfl_Module *mod, void **userdata, const char *name, Dwarf_Addr base,
		       char **file, Elf **elf)
{
	return -1;
}

static const Dwfl_Callbacks callbacks = {
	.find_elf = find_no_elf,
	.find_debuginfo = find_nothing,
	.section_address = dwfl_offline_section_address,
};

static int add(Dwfl_Module *mod, int i, const struct sf_elf *run, GElf_Addr bias,
	       struct sf_symtab *t)
{
	uint64_t offset;
	GElf_Addr addr;
	GElf_Word section;
	GElf_Sym sym;
	const char *name = dwfl_module_getsym_info(mod, i, &sym, &addr, &section, NULL, NULL);
	char *copy;

	if (!name || !name[0] || section == SHN_UNDEF || section == SHN_ABS ||
	    (GELF_ST_TYPE(sym.st_info) != STT_FUNC && GELF_ST_TYPE(sym.st_info) != STT_GNU_IFUNC) ||
	    !sf_elf_offset(run, addr - bias, &offset))
		return 0;
	copy = sf_arena_strndup(&t->names, name, strlen(name));
	if (!copy)
		return -ENOMEM;
	return sf_symtab_add(t, offset, sym.st_size, GELF_ST_BIND(sym.st_info), copy);
}

int sf_minidebug_symbols(const char *path, const struct sf_elf *run, struct sf_symtab *t)
{
	Dwfl *dwfl = dwfl_begin(&callbacks);
	Dwfl_Module *mod = NULL;
	GElf_Addr bias = 0;
	int nr = -1, ret = 0;

	if (!dwfl)
		return -ENOMEM;
	dwfl_report_begin(dwfl);
	mod = dwfl_report_offline(dwfl, "", path, -1);
	dwfl_report_end(dwfl, NULL, NULL);
	if (mod && dwfl_module_getelf(mod, &bias))
		nr = dwfl_module_getsymtab(mod);
	for (int i = 0; i < nr && !ret; i++)
		ret = add(mod, i, run, bias, t);
	dwfl_end(dwfl);
	if (nr > 0)
		sf_symtab_settle(t, SF_SYMTAB_ELF);
	return nr < 0 ? -ENODATA : ret;
}

#else

int sf_minidebug_symbols(const char *path, const struct sf_elf *run, struct sf_symtab *t)
{
	return -ENOSYS;
}

#endif
