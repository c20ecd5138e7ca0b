/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables (tables.h) as text for people, as CSV (RFC 4180, with a header) and as a JSON array. */
#ifndef SNAPFLAME_RENDER_TABLE_H
#define SNAPFLAME_RENDER_TABLE_H

#include <snapflame/render_text.h>
#include <snapflame/tables.h>

/* Columns without a single value are left out; notes stand below. */
void sf_text_table(struct sf_str *out, const struct sf_table *t, const struct sf_text_opts *opts);

/* All columns for programs. An unknown value is empty, null. 0 or -ENOMEM. */
int sf_csv_table(struct sf_str *out, const struct sf_table *t);
int sf_json_table(struct sf_str *out, const struct sf_table *t);

#endif
