/* SPDX-License-Identifier: GPL-2.0-only */
#include <snapflame/render_stackdiff.h>

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "render/json_value.h"
#include "render/layout.h"

enum { LABEL = 9, INDENT = 30, MIN_WIDTH = 72, HEAD_LINES = 8 };

/* ------------------------------------------------------------------------------- text */

static void section(struct sf_str *out, const char *label, const char *text, unsigned width,
		    bool color, enum sf_style style)
{
	struct sf_str safe = SF_STR_INIT;

	sf_put_name(&safe, text);
	sf_style(out, color, style);
	sf_put_left(out, label, LABEL);
	sf_style(out, color, SF_PLAIN);
	sf_put_wrapped(out, safe.buf, LABEL, LABEL, width);
	sf_str_addch(out, '\n');
	sf_str_release(&safe);
}

static void put_event(struct sf_str *s, const struct sf_stackdiff *d, enum sf_side side)
{
	sf_str_addf(s, " %" PRIu64, d->total[side]);
	if (d->event[side])
		sf_str_addf(s, " of %s", d->event[side]);
}

/* What is behind the numbers, where it is not growth; "" for nothing. */
static void put_note(struct sf_str *s, const struct sf_stackdiff *d,
		     const struct sf_stackdiff_row *r)
{
	static const char *const text[] = {
		[SF_STACKDIFF_PLAIN] = "", [SF_STACKDIFF_NEW] = "new",
		[SF_STACKDIFF_VANISHED] = "gone",
	};

	if (r->note == SF_STACKDIFF_RENAMED) {
		bool new = r->delta_pct > 0;

		sf_str_add(s, new ? "for " : "now ");
		sf_put_name(s, d->row[r->partner].frame[0]);
		sf_str_add(s, ": another name, or in its place");
		return;
	}
	sf_str_add(s, text[r->note]);
	if (r->shift)
		sf_str_addf(s, "%sits caller kept its share: a shift", s->len ? "; " : "");
}

static void put_row(struct sf_str *out, const struct sf_stackdiff *d,
		    const struct sf_stackdiff_row *r, unsigned width, bool color)
{
	struct sf_str more = SF_STR_INIT;
	bool sure = !d->tested || r->significant;

	sf_style(out, color, !sure ? SF_DIM : r->delta_pct > 0 ? SF_RED : SF_GREEN);
	sf_str_addf(out, "%+8.1f", r->delta_pct);
	sf_style(out, color, SF_PLAIN);
	sf_str_addf(out, "  %5.1f → %5.1f %%     ", fabs(r->pct[SF_FAST]), fabs(r->pct[SF_SLOW]));
	sf_text_frames(out, r->frame, r->nr_frames, width - INDENT);
	sf_str_addch(out, '\n');
	/* An interval is of one path; there are many, and some of them look sure by chance. */
	if (r->interval.known)
		sf_str_addf(&more, "95 %% %+.1f to %+.1f%s", r->interval.lo, r->interval.hi,
			    sure ? "" : r->interval.lo > 0 || r->interval.hi < 0 ?
			    ", not sure among so many" : ", within the noise");
	else if (d->tested && !sure)
		sf_str_add(&more, "within the noise");
	if (r->note || r->shift) {
		struct sf_str note = SF_STR_INIT;

		put_note(&note, d, r);
		sf_str_addf(&more, "%s%s", more.len ? "; " : "", note.buf);
		sf_str_release(&note);
	}
	if (more.len)
		sf_str_addf(out, "          %s\n", more.buf);
	sf_str_release(&more);
}

/* The largest changes in either direction: rows are sorted by growth. */
static void put_rows(struct sf_str *out, const struct sf_stackdiff *d, unsigned width, bool color,
		     size_t lines)
{
	size_t up = 0, down = 0, at;

	while (up + down < d->nr_rows && up + down < lines) {
		double a = d->row[up].delta_pct, b = d->row[d->nr_rows - 1 - down].delta_pct;

		if (a >= -b)
			up++;
		else
			down++;
	}
	for (at = 0; at < up; at++)
		put_row(out, d, &d->row[at], width, color);
	if (up + down < d->nr_rows)
		sf_str_addf(out, "          (%zu more)\n", d->nr_rows - up - down);
	for (at = d->nr_rows - down; at < d->nr_rows; at++)
		put_row(out, d, &d->row[at], width, color);
}

static void put_method(struct sf_str *s, const struct sf_stackdiff *d)
{
	sf_str_addf(s, "difference of the medians of %zu + %zu files; ", d->nr[SF_FAST], d->nr[SF_SLOW]);
	if (d->nr[SF_FAST] > 1 && d->nr[SF_SLOW] > 1)
		sf_str_add(s, "95 % intervals: bootstrap of the medians, studentised");
	else
		sf_str_add(s, "n = 1: no interval");
	if (d->tested)
		sf_str_addf(s, "; false discoveries among %zu call paths held to 5 %% "
			       "(Benjamini-Hochberg)", d->tested);
}

void sf_text_stackdiff(struct sf_str *out, const struct sf_stackdiff *d,
		       const struct sf_text_opts *opts)
{
	unsigned width = opts->width ? opts->width : SF_TEXT_WIDTH;
	size_t from = out->len, lines = opts->lines ? opts->lines : SF_TEXT_LINES;
	struct sf_str s = SF_STR_INIT;

	width = width > MIN_WIDTH ? width : MIN_WIDTH;
	sf_str_add(&s, "fast");
	put_event(&s, d, SF_FAST);
	sf_str_add(&s, ", slow");
	put_event(&s, d, SF_SLOW);
	section(out, "weight", s.buf, width, opts->color, SF_PLAIN);
	sf_str_reset(&s);
	sf_str_addf(&s, "none: %s", d->why);
	section(out, "verdict", s.buf, width, opts->color, SF_YELLOW);
	sf_str_reset(&s);
	put_method(&s, d);
	section(out, "method", s.buf, width, opts->color, SF_PLAIN);
	sf_str_release(&s);
	for (size_t i = 0; i < d->nr_conditions; i++)
		section(out, i ? "" : "note", d->condition[i], width, opts->color, SF_PLAIN);
	if (d->nr_rows) {
		sf_str_addch(out, '\n');
		sf_style(out, opts->color, SF_DIM);
		sf_str_add(out, " Δ share   fast →  slow       where");
		sf_style(out, opts->color, SF_PLAIN);
		sf_str_addch(out, '\n');
		put_rows(out, d, width, opts->color, lines > HEAD_LINES ? lines - HEAD_LINES : 8);
	} else {
		sf_str_add(out, "no function's share differs by 0.5 % of all or more\n");
	}
	if (opts->ascii)
		sf_to_ascii(out, from);
}

/* ------------------------------------------------------------------------------- JSON */

static json_t *side(const struct sf_stackdiff *d, enum sf_side s)
{
	return json_pack("{s:[], s:{s:n}, s:i, s:o, s:o, s:o}", "windows", "pause_ms", "median", "n", 0,
			 "weight", sf_json_uint(d->total[s]), "event", sf_json_name(d->event[s]), "files",
			 sf_json_uint(d->nr[s]));
}

static json_t *stack(const struct sf_stackdiff *d, const struct sf_stackdiff_row *r)
{
	json_t *frames = json_array(), *ci = json_null();
	struct sf_str note = SF_STR_INIT;
	json_t *o;

	for (size_t k = 0; k < r->nr_frames; k++)
		sf_json_append(&frames, sf_json_name(r->frame[k]));
	if (r->interval.known)
		ci = json_pack("[o, o]", sf_json_number(r->interval.lo), sf_json_number(r->interval.hi));
	put_note(&note, d, r);
	o = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:o}", "frames", frames, "fast_pct",
		      sf_json_number(r->pct[SF_FAST]), "slow_pct", sf_json_number(r->pct[SF_SLOW]),
		      "delta_pct", sf_json_number(r->delta_pct), "ci95_pct", ci, "p",
		      sf_json_number(r->p), "q", sf_json_number(r->q), "significant", r->significant,
		      "shift", r->shift, "note", sf_json_name(note.len ? note.buf : NULL));
	sf_str_release(&note);
	return o;
}

static json_t *stacks(const struct sf_stackdiff *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->nr_rows; i++)
		sf_json_append(&list, stack(d, &d->row[i]));
	return list;
}

static json_t *conditions(const struct sf_stackdiff *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->nr_conditions; i++)
		sf_json_append(&list, sf_json_name(d->condition[i]));
	return list;
}

int sf_json_stackdiff(struct sf_str *out, const struct sf_stackdiff *d)
{
	json_t *coverage = json_pack("{s:n, s:n, s:n, s:b, s:[o], s:o}", "critical_path_pct", "lost",
				     "schedstat_error_pct", "ok", 0, "problems",
				     sf_json_name(d->why), "notes", conditions(d));

	return sf_json_print(out, json_pack("{s:s, s:o, s:o, s:{s:n, s:n, s:b}, s:o, s:n, s:[], s:[], "
					    "s:[], s:n, s:n, s:o}",
					    "schema", "snapflame.diff/1", "fast", side(d, SF_FAST),
					    "slow", side(d, SF_SLOW), "delta_ms", "median", "ci95",
					    "grows", 0, "coverage", coverage, "verdict", "causes",
					    "passive", "covariates", "advice", "split", "stacks",
					    stacks(d)));
}

/* ----------------------------------------------------------------------------- folded */

int sf_folded_stackdiff(struct sf_str *out, const struct sf_stackdiff *d)
{
	for (size_t i = 0; i < d->nr_lines; i++)
		sf_str_addf(out, "%s %" PRIu64 " %" PRIu64 "\n", d->line[i].stack,
			    d->line[i].weight[SF_FAST], d->line[i].weight[SF_SLOW]);
	return sf_str_failed(out) ? -ENOMEM : 0;
}
