/* SPDX-License-Identifier: GPL-2.0-only */
/* Any text as folded stacks: what it weighs is kept, and the result folds to itself. */
#define _GNU_SOURCE /* memfd_create */
#include "fold_holds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Sum of the weights of one-column lines up to the first with two. */
static uint64_t weigh(const uint8_t *data, size_t size)
{
	struct sf_input *in = open_text((const char *)data, size);
	const struct sf_folded_line *l;
	struct sf_folded *f;
	uint64_t sum = 0;

	if (!in || sf_folded_new(&f, in, "text", NULL))
		abort();
	while (sf_folded_next(f, &l, NULL) > 0 && l->columns == 1)
		if (__builtin_add_overflow(sum, l->weight[0], &sum))
			sum = UINT64_MAX;
	sf_folded_free(f);
	sf_input_free(in);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sf_input *in = open_text((const char *)data, size);
	struct sf_folded *folded;
	struct sf_fold *f;

	if (!in)
		return 0; /* gzip or zstd in name only */
	if (sf_folded_new(&folded, in, "text", NULL) || sf_fold_new(&f, NULL, NULL))
		abort();
	sf_fold_folded(f, folded, "text", NULL);
	if (sf_fold_stats(f)->weight != weigh(data, size))
		abort();
	check_fold(f);
	sf_fold_free(f);
	sf_folded_free(folded);
	sf_input_free(in);
	return 0;
}
