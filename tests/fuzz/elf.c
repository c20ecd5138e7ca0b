/* SPDX-License-Identifier: GPL-2.0-only */
/* Any bytes as an ELF file: its symbols, and the rules for the callers of its code. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/cfi.h"
#include "symbol/elffile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void symbols(struct sf_elf *e, enum sf_elf_layout layout)
{
	struct sf_symtab t = {.demangle = true};

	if (!sf_elf_symbols(e, e, layout, &t)) {
		for (size_t i = 0; i < t.nr && i < 1000; i++) {
			struct sf_sym *s = sf_symtab_find(&t, t.sym[i].start);

			if (s && strlen(sf_symtab_name(&t, s)) == SIZE_MAX)
				abort();
		}
	}
	sf_symtab_release(&t);
}

#ifdef SF_HAVE_DWARF

static bool no_memory(void *arg, uint64_t addr, unsigned size, uint64_t *value)
{
	*value = addr * 31;
	return size <= 8;
}

static void rules(const uint8_t *data, size_t size)
{
	struct sf_files files = {0};
	struct sf_cfi_exprs exprs = {0};
	struct sf_cfi *cfi;

	if (sf_elf_open_memory(&files.run, data, size, NULL))
		return;
	files.syms = files.run;
	if (sf_cfi_open(&cfi, &files))
		return;
	for (uint64_t offset = 0; offset < size; offset += 1 + size / 50) {
		struct sf_cfi_row row;

		if (!sf_cfi_row(cfi, &exprs, offset, &row) && row.nr > SF_CFI_REGS)
			abort();
	}
	for (size_t i = 0; i < exprs.nr; i++) {
		uint64_t regs[SF_CFI_REGS] = {1, 2, 3}, value;
		struct sf_cfi_context ctx = {.regs = regs, .known = 0x1ffff, .read = no_memory};

		sf_cfi_eval(&exprs.expr[i], &ctx, &value);
	}
	sf_cfi_exprs_release(&exprs);
	sf_cfi_free(cfi);
}

#else

static void rules(const uint8_t *data, size_t size)
{
}

#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sf_elf *e;

	if (sf_elf_open_memory(&e, data, size, NULL))
		return 0;
	symbols(e, SF_ELF_OFFSETS);
	symbols(e, SF_ELF_VADDR);
	symbols(e, SF_ELF_MODULE_TEXT);
	sf_elf_debuglink(e, NULL);
	sf_elf_free(e);
	rules(data, size);
	return 0;
}
