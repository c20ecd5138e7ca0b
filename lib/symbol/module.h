/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What addresses belong to: binaries, the kernel and its modules, the vdso, JIT code. Modules are
 * interned: two mappings of one file, in whatever processes, have the same module.
 */
#ifndef SNAPFLAME_SYMBOL_MODULE_H
#define SNAPFLAME_SYMBOL_MODULE_H

#include <stdbool.h>
#include <stdint.h>

#include <snapflame/symbol.h>
#include <snapflame/table.h>

#include "symbol/symtab.h"

#define SF_BUILD_ID_MAX 20

enum sf_module_kind {
	SF_MODULE_FILE, /* an ELF file, or what looks like one */
	SF_MODULE_VDSO,
	SF_MODULE_JIT,	  /* executable anonymous memory: addresses are virtual */
	SF_MODULE_DATA,	  /* anonymous memory that is not executable */
	SF_MODULE_KERNEL, /* the kernel image: addresses are as recorded */
	SF_MODULE_KMOD,	  /* a loadable module: addresses count from base */
	SF_MODULE_KSYM,	  /* one symbol that PERF_RECORD_KSYMBOL announced (BPF, trampolines) */
};

struct sf_build_id {
	uint8_t size; /* 0: not known */
	uint8_t data[SF_BUILD_ID_MAX];
};

struct sf_mod {
	struct sf_module pub; /* path and short_name as perf would print them */
	struct sf_build_id build_id;
	enum sf_module_kind kind;
	bool guest;
	bool header_id; /* the build-id came from the recording's table of files */
	uint32_t maj, min;
	uint64_t ino, ino_generation;
	uint64_t base;		    /* KMOD and KSYM: where it was loaded */
	uint64_t len;		    /* KSYM */
	uint32_t pid;		    /* of the last process seen with it */
	const char *file;	    /* where to look for it; differs from pub.path for KMOD */
	struct sf_build_id file_id; /* of the file that was found, when build_id is not known */
	bool tried, tried_inlines;  /* its symbols, its DWARF have been looked for */
	struct sf_symtab syms;
	struct sf_inlines *inlines; /* NULL: none, or not asked for */
};

/* Names that the recording itself brought for a file. */
struct sf_import {
	const char *path;
	struct sf_build_id build_id; /* size 0: not known */
	struct sf_symtab syms;
	bool settled;
};

/* What identifies a module; see sf_modules_get(). */
struct sf_module_key {
	enum sf_module_kind kind;
	bool guest;
	const char *path;
	struct sf_build_id build_id;
	uint32_t maj, min;
	uint64_t ino, ino_generation;
	uint64_t base, len;
	uint32_t pid;
};

struct sf_modules {
	struct sf_mod **mod; /* by id - 1; pointers, so that they stay where they are */
	size_t nr, alloc;
	struct sf_map64 by_key; /* hash of the key -> first id; chain in next */
	uint32_t *next;
	size_t next_alloc;
	struct sf_strtab strings;
	struct sf_map64 header_ids; /* string id of the path -> index in ids, plus 1 */
	struct sf_build_id *ids;
	size_t nr_ids, ids_alloc;
	struct sf_import **import;
	size_t nr_imports, imports_alloc;
	const char *kernel_name; /* as the recording's table of build-ids calls it, or NULL */
	struct sf_map64
		kmod_path; /* string id of "[ext4]" -> string id of its path in that table */
};

/* Id of the module, from 1; 0 without memory. */
uint32_t sf_modules_get(struct sf_modules *m, const struct sf_module_key *key);
struct sf_mod *sf_modules_at(const struct sf_modules *m, uint32_t id); /* NULL for 0 */

/* An entry of the recording's table of build-ids: it holds for files mapped without one. */
int sf_modules_header_id(struct sf_modules *m, const char *path, const struct sf_build_id *id,
			 bool kernel);

/* Where the recording's names for path go; made when there is none. NULL without memory. */
struct sf_import *sf_modules_import(struct sf_modules *m, const char *path,
				    const struct sf_build_id *id);
/*
 * The recording's names for mod, NULL where it brought none. A module without build-id takes over
 * that of the import: from then on files have to match it.
 */
struct sf_import *sf_modules_imported(struct sf_modules *m, struct sf_mod *mod);

void sf_build_id_set(struct sf_build_id *id, const uint8_t *data, size_t size);
bool sf_build_id_equal(const struct sf_build_id *a, const struct sf_build_id *b);
/* Hex digits and terminator. */
void sf_build_id_hex(const struct sf_build_id *id, char hex[2 * SF_BUILD_ID_MAX + 1]);

/* "[ext4]" for /lib/modules/…/ext4.ko.xz and for "[ext4]"; false where path is no module. */
bool sf_kmod_name(const char *path, char *name, size_t size);
const char *sf_base_name(const char *path);

void sf_modules_release(struct sf_modules *m);

#endif
