/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tables of pauses compared:
 *
 *	pauses   fast 288 263, slow 1321 1389 1446 ms; BRANCH 1-2 against 3-5: a step at BRANCH 3 …
 *	change   The pauses grew from 275.5 to 1389.0 ms, by 1113.5 ms …
 *	verdict  none: a table of pauses has no stacks …
 */
#include <snapflame/render_sweepdiff.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#include "render/json_diff.h"
#include "render/json_value.h"
#include "render/text_diff.h"

enum { MIN_WIDTH = 72, MAX_PAUSES = 8, MAX_TRIALS = 12 };

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* ------------------------------------------------------------------------------- text */

static void put_ms(struct sf_str *s, double ms)
{
	sf_str_addf(s, ms < 10 ? " %.1f" : " %.0f", ms);
}

static void put_side(struct sf_str *s, const struct sf_sweepdiff *d, int side)
{
	size_t seen = 0, n = d->nr[side];

	for (size_t i = 0; i < d->nr_rows; i++) {
		if (d->row[i].side != side)
			continue;
		seen++;
		if (n > MAX_PAUSES && seen == MAX_PAUSES / 2 + 1)
			sf_str_add(s, " …");
		if (n <= MAX_PAUSES || seen <= MAX_PAUSES / 2 || seen > n - MAX_PAUSES / 2)
			put_ms(s, d->row[i].pause.pause_ms);
	}
}

static void pauses(struct sf_diff_view *v, const struct sf_sweepdiff *d)
{
	struct sf_str s = SF_STR_INIT;

	sf_str_add(&s, "fast");
	put_side(&s, d, SF_FAST);
	sf_str_add(&s, ", slow");
	put_side(&s, d, SF_SLOW);
	sf_str_add(&s, " ms");
	if (d->split_text)
		sf_str_addf(&s, "; %s", d->split_text);
	sf_view_section(v, "pauses", SF_PLAIN, s.buf);
	sf_str_release(&s);
}

static void growth(struct sf_diff_view *v, const struct sf_sweepdiff *d)
{
	struct sf_str s = SF_STR_INIT;

	if (!d->growth.branches)
		return;
	sf_str_add(&s, "the pause: ");
	sf_put_shape(&s, &d->growth, d->step_at, !d->split_found);
	sf_view_section(v, "growth", SF_PLAIN, s.buf);
	sf_str_release(&s);
}

static void put_trial(struct sf_str *s, const struct sf_sweepdiff *d,
		      const struct sf_sweepdiff_trial *t)
{
	if (d->one_table)
		sf_str_addf(s, "%u:", t->trial);
	else
		sf_str_addf(s, "%s %u:", base_name(t->file), t->trial);
	for (int side = 0; side < SF_NR_SIDES; side++) {
		if (isnan(t->median_ms[side]))
			continue;
		sf_str_add(s, side && !isnan(t->median_ms[SF_FAST]) ? " →" : "");
		put_ms(s, t->median_ms[side]);
	}
}

/* What each trial alone says: whether they agree. */
static void trials(struct sf_diff_view *v, const struct sf_sweepdiff *d)
{
	struct sf_str s = SF_STR_INIT;

	if (d->nr_trials <= (d->one_table ? 1 : 2))
		return;
	for (size_t i = 0; i < d->nr_trials && i < MAX_TRIALS; i++) {
		sf_str_add(&s, i ? "; " : "");
		put_trial(&s, d, &d->trial[i]);
	}
	sf_str_add(&s, " ms (medians)");
	if (d->nr_trials > MAX_TRIALS)
		sf_str_addf(&s, " and %zu more", d->nr_trials - MAX_TRIALS);
	sf_view_section(v, "trials", SF_PLAIN, s.buf);
	sf_str_release(&s);
}

static void moved(struct sf_diff_view *v, const struct sf_sweepdiff *d)
{
	struct sf_str s = SF_STR_INIT;

	for (size_t i = 0; i < d->nr_moved; i++) {
		const struct sf_moved *m = &d->moved[i];

		sf_str_add(&s, i ? "; " : "");
		sf_put_moved(&s, m);
		sf_str_addf(&s, " (Spearman %.2f with the pause, p = %.2g)", m->score, m->p);
	}
	if (s.len)
		sf_view_section(v, "moved", SF_PLAIN, s.buf);
	sf_str_release(&s);
}

void sf_text_sweepdiff(struct sf_str *out, const struct sf_sweepdiff *d,
		       const struct sf_text_opts *opts)
{
	unsigned width = opts->width ? opts->width : SF_TEXT_WIDTH;
	struct sf_diff_view v = { .out = out, .color = opts->color,
				  .width = width > MIN_WIDTH ? width : MIN_WIDTH };
	struct sf_str s = SF_STR_INIT;
	size_t from = out->len;

	pauses(&v, d);
	sf_view_section(&v, "change", SF_BOLD, d->sentence);
	sf_str_addf(&s, "none: %s", d->why);
	sf_view_section(&v, "verdict", SF_YELLOW, s.buf);
	sf_str_release(&s);
	growth(&v, d);
	trials(&v, d);
	moved(&v, d);
	sf_view_section(&v, "method", SF_PLAIN, d->method);
	if (opts->ascii)
		sf_to_ascii(out, from);
}

/* ------------------------------------------------------------------------------- JSON */

static json_t *window(const struct sf_sweepdiff_row *r)
{
	return json_pack("{s:I, s:I, s:o, s:n, s:n, s:o, s:o, s:o}", "branch",
			 (json_int_t)r->pause.branch, "trial", (json_int_t)r->pause.trial, "pause_ms",
			 sf_json_number(r->pause.pause_ms), "api_ms", "dark_ms", "diff_ms",
			 sf_json_number(r->pause.diff_ms), "diff_physical_bytes",
			 sf_json_number(r->pause.bytes), "file", sf_json_name(r->file));
}

static json_t *side(const struct sf_sweepdiff *d, int s)
{
	json_t *windows = json_array();

	for (size_t i = 0; i < d->nr_rows; i++)
		if (d->row[i].side == s)
			sf_json_append(&windows, window(&d->row[i]));
	return json_pack("{s:o, s:{s:o}, s:I}", "windows", windows, "pause_ms", "median",
			 sf_json_number(d->median_ms[s]), "n", (json_int_t)d->nr[s]);
}

static json_t *all_trials(const struct sf_sweepdiff *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->nr_trials; i++) {
		const struct sf_sweepdiff_trial *t = &d->trial[i];

		sf_json_append(&list, json_pack("{s:o, s:I, s:o, s:o}", "file",
						      sf_json_name(t->file), "trial",
						      (json_int_t)t->trial, "fast_ms",
						      sf_json_number(t->median_ms[SF_FAST]), "slow_ms",
						      sf_json_number(t->median_ms[SF_SLOW])));
	}
	return list;
}

int sf_json_sweepdiff(struct sf_str *out, const struct sf_sweepdiff *d)
{
	json_t *coverage = json_pack("{s:n, s:n, s:n, s:b, s:[o], s:[]}", "critical_path_pct", "lost",
				     "schedstat_error_pct", "ok", 0, "problems",
				     sf_json_name(d->why), "notes");
	json_t *delta = json_pack("{s:o, s:o, s:b, s:b, s:o}", "median", sf_json_number(d->delta.value),
				  "ci95", sf_json_interval(&d->delta), "grows", d->grows, "trend",
				  d->trend, "series_p", sf_json_number(d->series_p));

	return sf_json_print(out, json_pack("{s:s, s:o, s:o, s:o, s:o, s:n, s:[], s:[], s:o, s:n, s:o, "
					    "s:o, s:o, s:o, s:o, s:o}",
					    "schema", "snapflame.diff/1", "fast", side(d, SF_FAST),
					    "slow", side(d, SF_SLOW), "delta_ms", delta, "coverage",
					    coverage, "verdict", "causes", "passive", "covariates",
					    sf_json_moved(d->moved, d->nr_moved), "advice", "split",
					    sf_json_name(d->split_text), "growth",
					    sf_json_growth(&d->growth, d->step_at), "change",
					    sf_json_name(d->sentence), "inside_pct",
					    sf_json_number(d->inside_pct), "trials", all_trials(d),
					    "method", sf_json_name(d->method)));
}
