/* SPDX-License-Identifier: GPL-2.0-only */
/* Any bytes as a file with DWARF: the functions, inlined calls and lines of its code. */
#include <stdint.h>

#include "output_holds.h"
#include "symbol/inlines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sf_symbols_opts opts = { .no_local = true, .inlines = true, .symfs = "/nowhere" };
	struct sf_files files = { 0 };
	struct sf_symbols *s;
	struct sf_inlines *x;

	MUST(!sf_symbols_new(&s, &opts, NULL));
	if (!sf_elf_open_memory(&files.run, data, size, NULL)) {
		files.syms = files.run;
		if (!sf_inlines_open(&x, s, &files)) {
			for (uint64_t at = 0; at < size; at += 1 + size / 100) {
				struct sf_source out[MOST];
				size_t n = sf_inlines_at(x, at, out, MOST);

				MUST(n <= MOST);
				for (size_t i = 0; i < n; i++) {
					MUST(!out[i].name || strlen(out[i].name) < SIZE_MAX);
					MUST(!out[i].file || strlen(out[i].file) < SIZE_MAX);
				}
			}
			sf_inlines_free(x);
		}
	}
	sf_symbols_free(s);
	return 0;
}
