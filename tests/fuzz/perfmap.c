/* SPDX-License-Identifier: GPL-2.0-only */
/* Any text as a perf-PID.map: every address found lies in what was found, the latest that covers
 * it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/jit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct sf_symtab *t, uint64_t addr)
{
	const struct sf_sym *s = sf_symtab_find(t, addr);

	if (s && (addr < s->start || (addr >= s->end && addr != s->start)))
		abort();
	for (size_t i = 0; i < t->nr && t->nr < 200; i++) {
		const struct sf_sym *o = &t->sym[i];

		if (addr >= o->start && addr < o->end && (!s || o->seq > s->seq))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sf_symtab t = {0};
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (!sf_jit_parse_map(text, size, &t)) {
		for (size_t i = 0; i < t.nr; i++) {
			check(&t, t.sym[i].start);
			check(&t, t.sym[i].end);
			check(&t, t.sym[i].end - 1);
		}
	}
	sf_symtab_release(&t);
	free(text);
	return 0;
}
