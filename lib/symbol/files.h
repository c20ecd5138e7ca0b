/* SPDX-License-Identifier: GPL-2.0-only */
/* Finding the file that a process had mapped, and the separate file with its symbols. */
#ifndef SNAPFLAME_SYMBOL_FILES_H
#define SNAPFLAME_SYMBOL_FILES_H

#include "symbol/elffile.h"
#include "symbol/symbols.h"

struct sf_files {
	struct sf_elf *run;  /* what was mapped */
	struct sf_elf *syms; /* what has the symbols: run itself, or its debug file */
	char run_path[4096], syms_path[4096];
};

/* 0 with both set, or -errno: -ESTALE where the only candidates had another build-id. */
int sf_files_open(struct sf_symbols *s, const struct sf_mod *mod, struct sf_files *f);
void sf_files_release(struct sf_files *f);

/* perf's cache: opts->buildid_dir, else ~/.debug unless symfs is set; false where there is none. */
bool sf_files_cache_dir(const struct sf_symbols_opts *opts, char *path, size_t size);

#endif
