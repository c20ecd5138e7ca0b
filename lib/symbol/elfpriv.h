/* SPDX-License-Identifier: GPL-2.0-only */
/* What elffile.c and elfsyms.c share about an open ELF file. */
#ifndef SNAPFLAME_SYMBOL_ELFPRIV_H
#define SNAPFLAME_SYMBOL_ELFPRIV_H

#include <elf.h>
#include <gelf.h>
#include <libelf.h>

#include "symbol/elffile.h"

struct sf_elf_section {
	GElf_Shdr hdr;
	const char *name; /* "" without */
};

struct sf_elf_segment {
	uint64_t vaddr, offset, size; /* size: the larger of memory and file, as perf takes it */
	uint64_t file_size;
};

struct sf_elf {
	int fd;
	Elf *elf;
	GElf_Ehdr ehdr;
	struct sf_elf_section *sec;
	size_t nr_sec;
	struct sf_elf_segment *seg;
	size_t nr_seg;
	struct sf_build_id build_id;
	size_t symtab, dynsym; /* section numbers, 0 for none */
	const char *debuglink;
	uint32_t debuglink_crc;
};

size_t sf_elf_section(const struct sf_elf *e, const char *name);      /* its number, 0 for none */
Elf_Data *sf_elf_section_data(const struct sf_elf *e, size_t number); /* NULL where it is empty */
/* The data of a section by either name, decompressed; NULL: none, or none that could be so much. */
Elf_Data *sf_elf_unpacked(const struct sf_elf *e, const char *name, const char *gnu_name);

#endif
