/* SPDX-License-Identifier: GPL-2.0-only */
/* Any text as a table of pauses: what is read is sane, and reads the same when it is written again. */
#define _GNU_SOURCE /* memfd_create */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/str.h>
#include <snapflame/sweep.h>

#include "../unit/near_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_text(struct sf_sweep *s, const void *text, size_t len)
{
	struct sf_input *in = open_text(text, len);
	int ret;

	if (!in)
		return -1; /* gzip or zstd in name only */
	ret = sf_sweep_read(s, in, "text", NULL);
	sf_input_free(in);
	return ret;
}

static void add(struct sf_str *out, double v)
{
	if (isnan(v))
		sf_str_add(out, ",null");
	else
		sf_str_addf(out, ",%.17g", v);
}

static int same(double a, double b)
{
	return (isnan(a) && isnan(b)) || a == b;
}

static void check_again(const struct sf_sweep *s)
{
	struct sf_str text = SF_STR_INIT;
	struct sf_sweep again;

	sf_str_add(&text, "trial,branch_idx,pause_ms,diff_ms,diff_physical_bytes\n");
	for (size_t i = 0; i < s->nr; i++) {
		sf_str_addf(&text, "%u,%u", s->row[i].trial, s->row[i].branch);
		add(&text, s->row[i].pause_ms);
		add(&text, s->row[i].diff_ms);
		add(&text, s->row[i].bytes);
		sf_str_addch(&text, '\n');
	}
	if (read_text(&again, text.buf, text.len) || again.nr != s->nr)
		abort();
	for (size_t i = 0; i < s->nr; i++) {
		const struct sf_sweep_row *a = &s->row[i], *b = &again.row[i];

		if (a->trial != b->trial || a->branch != b->branch ||
		    !same(a->pause_ms, b->pause_ms) || !same(a->diff_ms, b->diff_ms) ||
		    !same(a->bytes, b->bytes))
			abort();
	}
	sf_sweep_release(&again);
	sf_str_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sf_sweep s;

	if (read_text(&s, data, size))
		return 0;
	if (!s.nr)
		abort();
	for (size_t i = 0; i < s.nr; i++)
		if (!(s.row[i].pause_ms >= 0) || s.row[i].bytes < 0 || isinf(s.row[i].diff_ms))
			abort();
	check_again(&s);
	sf_sweep_release(&s);
	return 0;
}
