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

/* One line, as it is in the text. */
struct sf_ksyms_text {
	uint64_t start;
	const char *name;
	size_t len; /* of name */
	bool in_module;
	bool wanted; /* of a type that perf takes for symbols */
};

/* The line of [p, end), without its end of line. False where it is none of kallsyms. */
bool sf_ksyms_line(const char *p, const char *end, struct sf_ksyms_text *line);

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

/* The address that the first line with this name has, whatever its type; 0 without. */
uint64_t sf_ksyms_address(const char *text, size_t len, const char *name);

void sf_ksyms_release(struct sf_ksyms *k);

#endif
