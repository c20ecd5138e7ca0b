/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any text as the names in a recording. What was taken in is given out again, and taken in once
 * more it says the same about the same places.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <snapflame/symbol.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PLACES 64

static void map(struct sf_symbols *s)
{
	struct sf_record r = {.type = PERF_RECORD_MMAP2, .misc = PERF_RECORD_MISC_USER};
	struct sf_record k = {.type = PERF_RECORD_MMAP, .misc = PERF_RECORD_MISC_KERNEL};

	r.u.mmap.pid = 1;
	r.u.mmap.len = 1 << 20;
	r.u.mmap.prot = PROT_EXEC;
	r.u.mmap.filename = "/bin/a";
	k.u.mmap.addr = 1ULL << 63;
	k.u.mmap.len = 1ULL << 62;
	k.u.mmap.filename = "[kernel.kallsyms]_text";
	if (sf_symbols_feed(s, &r) || sf_symbols_feed(s, &k))
		abort();
}

static const char *name(struct sf_symbols *s, unsigned place)
{
	bool kernel = place & 1;
	uint64_t ip = kernel ? 0xffffffff81000000 + place * 8 : place * 8;
	const struct sf_frame *f;
	uint32_t loc = sf_symbols_locate(
		s, 1, ip, kernel ? PERF_RECORD_MISC_KERNEL : PERF_RECORD_MISC_USER, false);

	if (sf_symbols_frames(s, loc, &f) != 1)
		abort();
	return f->name;
}

static int take(void *arg, const char *json, size_t len)
{
	/* Has to fit a mark. */
	if (len >= 60 * 1024 || sf_symbols_import(arg, json, len))
		abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sf_symbols_opts opts = {.no_local = true};
	struct sf_symbols *a, *b;

	if (sf_symbols_new(&a, &opts, NULL) || sf_symbols_new(&b, &opts, NULL))
		abort();
	map(a);
	map(b);
	sf_symbols_import(a, (const char *)data, size);
	for (unsigned i = 0; i < PLACES; i++)
		name(a, i);
	if (sf_symbols_export(a, take, b))
		abort();
	for (unsigned i = 0; i < PLACES; i++)
		if (strlen(name(a, i)) < 10000 && strcmp(name(a, i), name(b, i)))
			abort();
	sf_symbols_free(a);
	sf_symbols_free(b);
	return 0;
}
