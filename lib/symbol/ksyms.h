/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The text of /proc/kallsyms as a table. It has a hundred thousand lines and more, of which a
 * recording asks for some dozens: only the addresses are taken out of it, names stay where they are.
 */
#ifndef SNAPFLAME_SYMBOL_KSYMS_H
#define SNAPFLAME_SYMBOL_KSYMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sf_ksyms {
	char *text; /* owned; names that were asked for are terminated in it */
	size_t len;
	struct sf_ksym_line {
		uint64_t start;
		uint32_t name; /* offset in text */
		uint32_t in_module;
	} *line; /* sorted by start, then by name */
	size_t nr, alloc;
};

struct sf_ksym {
	const char *name, *module; /* "[ext4]", or NULL for the kernel itself */
	uint64_t start, end;
	bool alone; /* all of [start, end) is called so */
};

/*
 * text[len] is the terminator. Takes text over, also on failure: -ENOMEM, or -ENODATA where no line
 * is one of kallsyms.
 */
int sf_ksyms_parse(struct sf_ksyms *k, char *text, size_t len);

/*
 * The symbol that covers addr. As in perf a symbol reaches to the next one, the last of the kernel
 * and of its modules to the end of the page behind its own, and of several names of an address the
 * last one counts. The texts live as long as k.
 */
bool sf_ksyms_find(struct sf_ksyms *k, uint64_t addr, struct sf_ksym *sym);

/* The same between the first and the last symbol of the kernel's image: no module, nothing guessed. */
bool sf_ksyms_find_image(struct sf_ksyms *k, uint64_t addr, struct sf_ksym *sym);

/* The address that the first line with this name has, whatever its type; 0 without. */
uint64_t sf_ksyms_address(const struct sf_ksyms *k, const char *name);

void sf_ksyms_release(struct sf_ksyms *k);

#endif
