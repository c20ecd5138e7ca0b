/* SPDX-License-Identifier: GPL-2.0-only */
/* Any text as names of symbols, one a line: a name, or none, in bounded time. */
#include <stdint.h>

#include <snapflame/symbol.h>

#include "output_holds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *save = NULL;

	MUST(text);
	memcpy(text, data, size);
	text[size] = '\0';
	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		char *plain = sf_demangle(l);

		MUST(!plain || strlen(plain) < SIZE_MAX);
		free(plain);
	}
	free(text);
	return 0;
}
