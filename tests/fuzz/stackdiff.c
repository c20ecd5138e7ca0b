/* SPDX-License-Identifier: GPL-2.0-only */
/* Any two texts of folded stacks, with a line of --- between them, compared. */
#define _GNU_SOURCE /* memfd_create */
#include <stdint.h>

#include <snapflame/folded.h>
#include <snapflame/render_stackdiff.h>

#include "../unit/near_text.h"
#include "output_holds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sf_fold *fold(const char *text, size_t len)
{
	struct sf_input *in = open_text(text, len);
	struct sf_folded *folded;
	struct sf_fold *f;

	MUST(!sf_fold_new(&f, NULL, NULL));
	if (!in) /* gzip or zstd in name only */
		return f;
	MUST(!sf_folded_new(&folded, in, "text", NULL));
	sf_fold_folded(f, folded, "text", NULL);
	sf_folded_free(folded);
	sf_input_free(in);
	return f;
}

static void check(const struct sf_stackdiff *d)
{
	struct sf_str out = SF_STR_INIT;

	for (size_t i = 0; i < d->nr_rows; i++) {
		MUST(d->row[i].nr_frames);
		MUST(d->row[i].delta_pct >= -100.001 && d->row[i].delta_pct <= 100.001);
	}
	sf_text_stackdiff(&out, d, &(struct sf_text_opts){ 0 });
	check_text(&out);
	sf_str_reset(&out);
	MUST(!sf_json_stackdiff(&out, d));
	check_json(out.buf, out.len, false);
	sf_str_reset(&out);
	MUST(!sf_folded_stackdiff(&out, d));
	check_text(&out);
	sf_str_release(&out);
}

/* The first text, as often as there are to be files on the fast side, against the second. */
static void compare(struct sf_fold *fast, size_t nr, struct sf_fold *slow)
{
	struct sf_error err = SF_ERROR_INIT;
	struct sf_stackdiff *d;
	int ret = sf_stackdiff_new(&d, nr, 1, &err);

	for (size_t i = 0; !ret && i < nr; i++)
		ret = sf_stackdiff_add(d, SF_FAST, fast, &err);
	if (!ret)
		ret = sf_stackdiff_add(d, SF_SLOW, slow, &err);
	if (!ret)
		ret = sf_stackdiff_finish(d, &err);
	if (!ret)
		check(d);
	else
		MUST(err.what[0]);
	sf_stackdiff_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *cut = memmem(text, size, "\n---\n", 5);
	size_t first = cut ? (size_t)(cut + 1 - text) : size, rest = cut ? first + 4 : size;
	struct sf_fold *fast = fold(text, first), *slow = fold(text + rest, size - rest);

	compare(fast, 1, slow);
	compare(fast, 3, slow);
	sf_fold_free(fast);
	sf_fold_free(slow);
	return 0;
}
