/* SPDX-License-Identifier: GPL-2.0-only */
/* Any bytes as a jitdump file: names lie inside of it and end there. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/jit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct sf_symtab t = {0};

	if (!sf_jit_parse_dump(text, size, &t)) {
		for (size_t i = 0; i < t.nr; i++) {
			const struct sf_sym *s = &t.sym[i];

			if (s->name < text || s->name + strlen(s->name) >= text + size)
				abort();
			if (!sf_symtab_find(&t, s->start))
				abort();
		}
	}
	sf_symtab_release(&t);
	return 0;
}
