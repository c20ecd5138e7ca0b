/* SPDX-License-Identifier: GPL-2.0-only */
/* Any text as a table of pauses: what is read is sane, and reads the same when it is written again. */
#define _GNU_SOURCE /* memfd_create */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/str.h>
#include <snapflame/render_sweepdiff.h>

#include "../unit/near_text.h"
#include "output_holds.h"

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

/* Against another table, or split; what comes of it is printed. */
static void check_diff(const struct sf_sweep *s, const struct sf_sweep *slow)
{
	const struct sf_sweepdiff_table a = { s, "a.csv" }, b = { slow, "b.csv" };
	struct sf_sweepdiff_input in = { .table = { &a, &b }, .nr = { 1, slow != NULL } };
	struct sf_error err = SF_ERROR_INIT;
	struct sf_str out = SF_STR_INIT;
	struct sf_sweepdiff *d;
	size_t n = 0;

	if (sf_sweepdiff_make(&d, &in, &err)) {
		MUST(err.what[0]);
		return;
	}
	for (size_t i = 0; i < d->nr_rows; i++)
		n += d->row[i].side >= 0;
	MUST(n == d->nr[SF_FAST] + d->nr[SF_SLOW]);
	MUST(!slow || (!d->grows && n == d->nr_rows)); /* the same on both sides */
	sf_text_sweepdiff(&out, d, &(struct sf_text_opts){ 0 });
	check_text(&out);
	sf_str_reset(&out);
	MUST(!sf_json_sweepdiff(&out, d));
	check_json(out.buf, out.len, false);
	sf_str_release(&out);
	sf_sweepdiff_free(d);
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
	check_diff(&s, &s);
	check_diff(&s, NULL);
	sf_sweep_skip(&s, 1);
	check_diff(&s, NULL);
	sf_sweep_release(&s);
	return 0;
}
