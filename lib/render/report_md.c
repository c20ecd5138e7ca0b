/* SPDX-License-Identifier: GPL-2.0-only */
/* report.md: what an issue needs to say. */
#include <math.h>
#include <string.h>

#include "render/markup.h"
#include "render/quantity.h"
#include "render/report.h"

enum { CAUSES = 8, WINDOWS = 40, FRAMES = 8 };

static void bullet(struct sf_str *out, const char *text)
{
	sf_str_add(out, "- ");
	sf_markup_md(out, text);
	sf_str_addch(out, '\n');
}

static void proof_item(void *arg, const char *name, const char *value)
{
	struct sf_str *out = arg;

	sf_str_add(out, out->buf[out->len - 1] == ' ' ? "" : "; ");
	sf_markup_md(out, name);
	sf_str_add(out, ": ");
	sf_markup_md(out, value);
}

static void answer(struct sf_str *out, const struct sf_diff *d)
{
	const struct sf_coverage *c = &d->coverage;

	if (d->has_verdict && d->sentence) {
		sf_str_add(out, "**");
		sf_markup_md(out, d->sentence);
		sf_str_add(out, "**\n");
	} else {
		sf_str_add(out, "**No verdict: the recordings do not prove enough.**\n");
	}
	for (size_t i = 0; i < c->nr_problems; i++) {
		sf_str_add(out, i ? "" : "\n");
		bullet(out, c->problem[i]);
	}
	if (d->has_verdict && d->advice) {
		sf_str_add(out, "\nTry: ");
		sf_markup_md(out, d->advice);
		sf_str_add(out, "\n");
	}
	sf_str_add(out, "\nProof: ");
	report_proof(d, proof_item, out);
	sf_str_add(out, "\n");
	if (d->split_text) {
		sf_str_add(out, "\n");
		sf_markup_md(out, d->split_text);
		sf_str_add(out, "\n");
	}
}

static void stack(struct sf_str *out, const struct sf_cause *c)
{
	for (size_t i = 0; i < c->nr_frames && i < FRAMES; i++) {
		sf_str_add(out, i ? " < " : "");
		sf_markup_md_code(out, c->frame[i]);
	}
	sf_str_add(out, c->nr_frames > FRAMES ? " < …" : "");
}

static void cause(struct sf_str *out, const struct sf_diff *d, const struct sf_cause *c)
{
	sf_str_add(out, "| ");
	sf_markup_signed_ms(out, c->delta.value);
	sf_str_add(out, " | ");
	if (c->owner && c->delta.has_interval) {
		sf_markup_signed_ms(out, c->delta.lo);
		sf_str_add(out, " to ");
		sf_markup_signed_ms(out, c->delta.hi);
	}
	sf_str_add(out, " | ");
	sf_markup_pct(out, c->share_pct);
	sf_str_add(out, " | ");
	sf_markup_ms(out, c->fast_ms);
	sf_str_add(out, " → ");
	sf_markup_ms(out, c->slow_ms);
	sf_str_add(out, " | ");
	sf_markup_md(out, c->owner ? sf_diff_text(d, d->profile.owner[c->owner].label) :
		     "everything else");
	sf_str_addf(out, " | %s | ", c->owner ? sf_kind_name(c->kind) : "");
	stack(out, c);
	sf_str_add(out, " |\n");
}

static void causes(struct sf_str *out, const struct sf_diff *d)
{
	if (!d->nr_causes)
		return;
	sf_str_add(out, "\n| Δ ms | 95 % interval | share | fast → slow ms | owner | why | where |\n"
			"|---:|---|---:|---|---|---|---|\n");
	for (size_t i = 0; i < d->nr_causes && i < CAUSES; i++)
		cause(out, d, &d->cause[i]);
	if (d->nr_causes > CAUSES)
		sf_str_addf(out, "\n%zu more in report.html.\n", d->nr_causes - CAUSES);
}

static void moved(struct sf_str *out, const struct sf_diff *d)
{
	if (!d->nr_moved)
		return;
	sf_str_add(out, "\n| moved | fast | slow | when |\n|---|---:|---:|---|\n");
	for (size_t i = 0; i < d->nr_moved; i++) {
		const struct sf_moved *m = &d->moved[i];
		struct sf_quantity q = sf_quantity_of(m->name, fmax(fabs(m->fast), fabs(m->slow)));
		struct sf_str stem = SF_STR_INIT;

		sf_str_addn(&stem, m->name, q.stem);
		sf_str_add(out, "| ");
		sf_markup_md(out, stem.buf);
		sf_str_add(out, " | ");
		sf_quantity_put(out, &q, m->fast);
		sf_str_add(out, " | ");
		sf_quantity_put(out, &q, m->slow);
		sf_str_addf(out, " | %s |\n",
			    m->during ? "change in the pause" : "when the pause began");
		sf_str_release(&stem);
	}
}

static void pause_row(struct sf_str *out, const char *file, unsigned trial, unsigned branch,
		      double pause_ms, double bytes)
{
	sf_str_add(out, "| ");
	if (file)
		sf_markup_md(out, file);
	else
		sf_str_addf(out, "%u", trial);
	sf_str_addf(out, " | %u | ", branch);
	sf_markup_ms(out, pause_ms);
	sf_str_add(out, " | ");
	sf_markup_bytes(out, bytes);
	sf_str_add(out, " |\n");
}

static void pauses(struct sf_str *out, const struct report *r)
{
	const struct sf_sweep *s = r->in->sweep;
	size_t nr = s ? s->nr : r->nr;

	if (!nr)
		return;
	sf_str_addf(out, "\n| %s | BRANCH | pause ms | written |\n|---|---:|---:|---:|\n",
		    s ? "trial" : "recording");
	for (size_t i = 0; i < nr && i < WINDOWS; i++) {
		const struct sf_window *w = s ? NULL : r->window[i].window;

		if (s)
			pause_row(out, NULL, s->row[i].trial, s->row[i].branch, s->row[i].pause_ms,
				  s->row[i].bytes);
		else
			pause_row(out, r->window[i].rec->path, 0, w->branch,
				  (double)(w->hi - w->lo) / 1e6,
				  w->diff_physical_bytes < 0 ? NAN : (double)w->diff_physical_bytes);
	}
	if (nr > WINDOWS)
		sf_str_addf(out, "\n%zu more BRANCHes.\n", nr - WINDOWS);
}

static void environment(struct sf_str *out, const struct report *r)
{
	struct sf_str command = SF_STR_INIT;

	for (size_t i = 0; i < r->in->nr_recs; i++) {
		const char *line;

		sf_str_add(out, "\n");
		sf_markup_md(out, r->in->rec[i]->path);
		sf_str_add(out, ": ");
		report_recording(r->in->rec[i], proof_item, out);
		sf_str_add(out, "\n");
		for (size_t k = 0; (line = sf_recording_problem(r->in->rec[i], k)); k++) {
			sf_str_add(out, k ? "" : "\n");
			bullet(out, line);
		}
	}
	report_command(&command, r->in);
	if (command.len) {
		sf_str_add(out, "\nMade by ");
		sf_markup_md_code(out, command.buf);
		sf_str_addf(out, " (snapflame %s)\n", SNAPFLAME_VERSION);
	}
	sf_str_release(&command);
}

void report_md(struct sf_str *out, const struct report *r)
{
	sf_str_addf(out, "## %s\n\n", report_title(r));
	if (r->diff)
		answer(out, r->diff);
	else if (r->in->change)
		bullet(out, r->in->change);
	if (!r->diff && r->in->no_diff)
		bullet(out, r->in->no_diff);
	if (r->diff)
		causes(out, r->diff);
	pauses(out, r);
	if (r->diff)
		moved(out, r->diff);
	environment(out, r);
}
