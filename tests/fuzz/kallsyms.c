/* SPDX-License-Identifier: GPL-2.0-only */
/* Any text as /proc/kallsyms: as a table, which is sorted, and where it lies. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/kimage.h"
#include "symbol/ksyms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const struct sf_ksyms *k, const char *text)
{
	if (text && (text < k->text || text + strlen(text) > k->text + k->len))
		abort();
}

static void look_up(struct sf_ksyms *k, uint64_t addr)
{
	struct sf_ksym sym;

	if (!sf_ksyms_find(k, addr, &sym))
		return;
	check_text(k, sym.name);
	check_text(k, sym.module);
	if (sym.start > addr || (sym.end <= addr && sym.start != addr))
		abort();
}

static void look_up_image(struct sf_kimage *k, uint64_t addr)
{
	struct sf_ksym sym;

	if (!sf_kimage_find(k, addr, &sym))
		return;
	if (sym.start > addr || sym.end <= addr || strchr(sym.name, '\n') || sym.module)
		abort();
}

/* The same text as a file that is searched where it lies, without a terminator. */
static void search_image(const uint8_t *data, size_t size, const struct sf_ksyms *table)
{
	char *text = malloc(size);
	struct sf_kimage k = {.text = text, .len = size};

	if (!text)
		return;
	memcpy(text, data, size);
	for (size_t i = 0; i < table->nr && i < 64; i++) {
		look_up_image(&k, table->line[i].start);
		look_up_image(&k, table->line[i].start - 1);
	}
	k.text = NULL; /* it was not mapped */
	sf_kimage_release(&k);
	free(text);
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
		sf_ksyms_address(text, size, "_stext");
		search_image(data, size, &k);
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
