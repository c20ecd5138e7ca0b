/* SPDX-License-Identifier: GPL-2.0-only */
/* Any text as that of perf script: folds with all options, keeps every weight, can be read back. */
#define _GNU_SOURCE /* memfd_create */
#include <snapflame/script.h>

#include "fold_holds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fold(const uint8_t *data, size_t size, const struct sf_fold_opts *opts, bool stream)
{
	struct sf_input *in = stream && size < 60000 ? open_pipe((const char *)data, size)
						     : open_text((const char *)data, size);
	struct sf_script *s;
	struct sf_fold *f;
	const struct sf_fold_stats *st;

	if (!in)
		return; /* gzip or zstd in name only */
	sf_input_type(in);
	if (sf_script_new(&s, in, "text", NULL) || sf_fold_new(&f, opts, NULL))
		abort();
	sf_fold_script(f, s, NULL);
	st = sf_fold_stats(f);
	if (st->samples + st->other_event + st->filtered + st->no_stack !=
	    sf_script_stats(s)->samples)
		abort();
	if (opts->weight == SF_FOLD_COUNT && st->weight != st->samples)
		abort();
	check_fold(f);
	sf_fold_free(f);
	sf_script_free(s);
	sf_input_free(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const threads[] = { "[a-m]*" };

	fold(data, size, &(struct sf_fold_opts){ 0 }, false);
	fold(data, size, &(struct sf_fold_opts){ .tid = true, .kernel = true, .jit = true }, true);
	fold(data, size, &(struct sf_fold_opts){ .addrs = true, .weight = SF_FOLD_COUNT }, false);
	fold(data, size, &(struct sf_fold_opts){ .pid = true, .threads = threads, .nr_threads = 1 },
	     false);
	return 0;
}
