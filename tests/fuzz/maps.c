/* SPDX-License-Identifier: GPL-2.0-only */
/* Any text as /proc/PID/maps: each address has a place, and one name from there on. */
#include <stdint.h>

#include "output_holds.h"
#include "symbol/symbols.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_place(struct sf_symbols *s, uint64_t addr)
{
	uint32_t loc = sf_symbols_locate(s, 1, addr, PERF_RECORD_MISC_USER, false);
	const struct sf_frame *f;

	MUST(loc != SF_LOC_NONE);
	MUST(sf_symbols_frames(s, loc, &f) == 1 && f->name && f->dso && f->dso_short);
	MUST(sf_symbols_locate(s, 1, addr, PERF_RECORD_MISC_USER, false) == loc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sf_symbols_opts opts = { .no_local = true };
	char *text = malloc(size + 1), *copy = malloc(size + 1);
	struct sf_symbols *s;

	MUST(text && copy && !sf_symbols_new(&s, &opts, NULL));
	memcpy(text, data, size);
	text[size] = '\0';
	memcpy(copy, text, size + 1);
	MUST(!sf_symbols_feed_maps(s, 1, copy));
	for (const char *line = text; line; line = strchr(line, '\n')) {
		char *end;
		uint64_t lo, hi;

		line += *line == '\n';
		lo = strtoull(line, &end, 16);
		hi = *end == '-' ? strtoull(end + 1, NULL, 16) : lo;
		check_place(s, lo);
		check_place(s, hi);
		check_place(s, lo + (hi - lo) / 2);
	}
	check_place(s, UINT64_MAX);
	sf_symbols_free(s);
	free(text);
	free(copy);
	return 0;
}
