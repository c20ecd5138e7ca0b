/* SPDX-License-Identifier: GPL-2.0-only */
/* Any text as /proc/kallsyms: the table is sorted, and names are parts of the text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/ksyms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const struct sf_ksyms *k, const char *text)
{
	if (text && (text < k->text || text + strlen(text) > k->text + k->len))
		abort();
}

static void look_up(struct sf_ksyms *k, uint64_t addr)
{
	struct sf_ksym sym, image;

	if (!sf_ksyms_find(k, addr, &sym)) {
		if (sf_ksyms_find_image(k, addr, &image))
			abort();
		return;
	}
	check_text(k, sym.name);
	check_text(k, sym.module);
	if (sym.start > addr || (sym.end <= addr && sym.start != addr))
		abort();
	if (sf_ksyms_find_image(k, addr, &image) && image.name != sym.name)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct sf_ksyms k;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (!sf_ksyms_parse(&k, text, size)) {
		sf_ksyms_address(&k, "_stext");
		for (size_t i = 0; i < k.nr; i++) {
			if (i && k.line[i - 1].start > k.line[i].start)
				abort();
			/* Twice: the first time terminates the name. */
			look_up(&k, k.line[i].start);
			look_up(&k, k.line[i].start);
			look_up(&k, k.line[i].start + 1);
			look_up(&k, k.line[i].start - 1);
		}
	}
	sf_ksyms_release(&k);
	return 0;
}
