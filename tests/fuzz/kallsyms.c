/* SPDX-License-Identifier: GPL-2.0-only */
/* Any text as /proc/kallsyms: the table is sorted, has no overlaps, and names are parts of the
 * text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/kernel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct sf_symtab *t, const char *text, size_t size)
{
	for (size_t i = 0; i < t->nr; i++) {
		const struct sf_sym *s = &t->sym[i];

		if (s->end < s->start || (i && t->sym[i - 1].start > s->start))
			abort();
		if (s->name < text || s->name + strlen(s->name) > text + size)
			abort();
		/* What a page of slack behind the last symbol of a module covers may be another's.
		 */
		if (sf_symtab_find(t, s->start)->start != s->start)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sf_kernel k = {0};
	const char *module;
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (!sf_kallsyms_parse(text, size, &k.syms)) {
		check(&k.syms, text, size);
		for (size_t i = 0; i < k.syms.nr; i++) {
			struct sf_sym *s = sf_kernel_find(&k, k.syms.sym[i].start, &module);

			if (s && module && module + strlen(module) > text + size)
				abort();
		}
	}
	k.text = text;
	sf_kernel_release(&k);
	return 0;
}
