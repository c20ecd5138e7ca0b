/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A saved copy of /proc/kallsyms, searched where it lies in the file. The kernel's own part of the
 * list is sorted, so that an address takes some twenty lines; reading all 5 to 15 MB of them into a
 * table took a fifth of the time of fold for 100 MB of stack dumps, which asked for a hundred.
 */
#ifndef SNAPFLAME_SYMBOL_KIMAGE_H
#define SNAPFLAME_SYMBOL_KIMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <snapflame/array.h>

#include "symbol/ksyms.h"

struct sf_kimage {
	const char *text; /* mapped; not terminated */
	size_t len;
	struct sf_kimage_found { /* what was asked for, sorted: some hundreds of symbols */
		uint64_t start, end;
		const char *name;
	} *found;
	size_t nr, alloc;
	struct sf_arena names;
};

/* -errno where path cannot be mapped; -ENODATA where it is empty. */
int sf_kimage_open(struct sf_kimage *k, const char *path);

/*
 * The symbol that covers addr, as sf_ksyms_find() has it, where it is between two symbols of the
 * kernel's image: no module, nothing guessed. sym->name lives as long as k.
 */
bool sf_kimage_find(struct sf_kimage *k, uint64_t addr, struct sf_ksym *sym);

void sf_kimage_release(struct sf_kimage *k);

#endif
