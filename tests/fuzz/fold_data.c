/* SPDX-License-Identifier: GPL-2.0-only */
/* Any bytes as a perf.data whose samples are folded: with all options, and the weights are kept. */
#define _GNU_SOURCE /* memfd_create */
#include <stdio.h>

#include <snapflame/reader.h>
#include <snapflame/symbol.h>

#include "fold_holds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fold(int fd, const struct sf_fold_opts *opts, bool inlines)
{
	struct sf_symbols_opts names = { .no_local = true, .inlines = inlines };
	const struct sf_fold_stats *st;
	struct sf_symbols *symbols;
	struct sf_reader *r;
	struct sf_fold *f;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (sf_reader_open(&r, path, NULL, NULL))
		return;
	if (sf_fold_new(&f, opts, NULL) || sf_symbols_new(&symbols, &names, NULL))
		abort();
	sf_fold_perf_data(f, r, symbols, NULL);
	st = sf_fold_stats(f);
	if (st->samples + st->other_event + st->filtered + st->no_stack > sf_reader_stats(r)->samples)
		abort();
	if (opts->weight == SF_FOLD_COUNT && st->weight != st->samples)
		abort();
	check_fold(f);
	sf_fold_free(f);
	sf_symbols_free(symbols);
	sf_reader_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const threads[] = { "[a-m]*" };
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	fold(fd, &(struct sf_fold_opts){ 0 }, false);
	fold(fd, &(struct sf_fold_opts){ .tid = true, .kernel = true, .jit = true }, true);
	fold(fd, &(struct sf_fold_opts){ .addrs = true, .weight = SF_FOLD_COUNT }, false);
	fold(fd, &(struct sf_fold_opts){ .pid = true, .threads = threads, .nr_threads = 1 }, false);
	close(fd);
	return 0;
}
