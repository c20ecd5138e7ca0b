/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ELF files: build-ids, program headers, symbols. What is not large is read by offset, not mapped:
 * a file that shrinks while it is read must not kill the reader.
 */
#ifndef SNAPFLAME_SYMBOL_ELFFILE_H
#define SNAPFLAME_SYMBOL_ELFFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbol/module.h"
#include "symbol/symtab.h"

/* libdw works on what libelf opened. */
#if defined(HAVE_DW) && defined(HAVE_ELF)
#define SF_HAVE_DWARF 1
#endif

struct sf_elf;

/*
 * Open path, or image when path is NULL (borrowed until sf_elf_free). -ENOENT and other errors of
 * open(), -EINVAL for what is no ELF file, -ESTALE where want is given and the file's build-id is
 * another or missing, -ENOSYS without libelf.
 */
int sf_elf_open(struct sf_elf **e, const char *path, const struct sf_build_id *want);
int sf_elf_open_memory(struct sf_elf **e, const void *image, size_t size,
		       const struct sf_build_id *want);
void sf_elf_free(struct sf_elf *e);

/*
 * Close the descriptor; what has been looked at stays readable. For files that are kept: a
 * recording of a whole machine has more of them than a process may have open.
 */
void sf_elf_detach(struct sf_elf *e);

const struct sf_build_id *sf_elf_build_id(const struct sf_elf *e);
bool sf_elf_has_symtab(const struct sf_elf *e); /* .symtab: the full table */
bool sf_elf_has_dynsym(const struct sf_elf *e); /* .dynsym with contents: a file that can run */
/* Name and checksum of .gnu_debuglink; NULL where there is none. Lives as long as e. */
const char *sf_elf_debuglink(const struct sf_elf *e, uint32_t *crc);
bool sf_elf_has_section(const struct sf_elf *e, const char *name);

/* Address in the ELF's own terms (p_vaddr) of a file offset, and back; false outside. */
bool sf_elf_vaddr(const struct sf_elf *e, uint64_t offset, uint64_t *vaddr);
bool sf_elf_offset(const struct sf_elf *e, uint64_t vaddr, uint64_t *offset);

/*
 * Add the symbols of syms to t, by file offset in run (the same file, or the one that ran when syms
 * is a separate debug file), and entries of the procedure linkage table as name@plt. relocatable
 * (kernel modules): offsets in .text instead; by_vaddr (vmlinux): virtual addresses.
 */
enum sf_elf_layout { SF_ELF_OFFSETS, SF_ELF_MODULE_TEXT, SF_ELF_VADDR };
int sf_elf_symbols(struct sf_elf *syms, struct sf_elf *run, enum sf_elf_layout layout,
		   struct sf_symtab *t);

/*
 * minidebug.c: the symbols that the file itself carries in .gnu_debugdata, added to t. run is that
 * file, opened; path where it is. -ENODATA without any.
 */
int sf_minidebug_symbols(const char *path, const struct sf_elf *run, struct sf_symtab *t);

/* st_value of the symbol of .symtab with this name; false where there is none. */
bool sf_elf_symbol_value(const struct sf_elf *e, const char *name, uint64_t *value);

#endif
