/* SPDX-License-Identifier: GPL-2.0-only */
/* The answer on a page: the verdict with its proof, the causes, what stands around them. */
#include <math.h>
#include <string.h>

#include "render/markup.h"
#include "render/quantity.h"
#include "render/report.h"

void report_pair(void *arg, const char *name, const char *value)
{
	struct sf_str *out = arg;

	sf_str_add(out, "<dt>");
	sf_markup_xml(out, name);
	sf_str_add(out, "</dt><dd>");
	sf_markup_xml(out, value);
	sf_str_add(out, "</dd>\n");
}

static void paragraph(struct sf_str *out, const char *cls, const char *text)
{
	sf_str_addf(out, "<p class=\"%s\">", cls);
	sf_markup_xml(out, text);
	sf_str_add(out, "</p>\n");
}

static void lines(struct sf_str *out, const char *const *line, size_t nr)
{
	if (!nr)
		return;
	sf_str_add(out, "<ul>\n");
	for (size_t i = 0; i < nr; i++) {
		sf_str_add(out, "<li>");
		sf_markup_xml(out, line[i]);
		sf_str_add(out, "</li>\n");
	}
	sf_str_add(out, "</ul>\n");
}

static void verdict(struct sf_str *out, const struct sf_diff *d)
{
	const struct sf_coverage *c = &d->coverage;

	if (d->has_verdict && d->sentence) {
		sf_str_addf(out, "<section class=\"answer %s\">\n",
			    d->kind == SF_KIND_NONE ? "flat" : "grew");
		paragraph(out, "verdict", d->sentence);
		if (d->advice)
			paragraph(out, "advice", d->advice);
	} else {
		sf_str_add(out, "<section class=\"answer none\">\n<p class=\"verdict\">No verdict: the "
				"recordings do not prove enough.</p>\n");
		lines(out, c->problem, c->nr_problems);
	}
	if (d->split_text)
		paragraph(out, "split", d->split_text);
	sf_str_add(out, "</section>\n");
}

static void proof(struct sf_str *out, const struct sf_diff *d)
{
	sf_str_addf(out, "<section class=\"proof\"><h2>Proof%s</h2>\n<dl class=\"figures\">\n",
		    d->coverage.ok ? "" : " (fails)");
	report_proof(d, report_pair, out);
	sf_str_add(out, "</dl>\n");
	if (d->has_verdict)
		lines(out, d->coverage.problem, d->coverage.nr_problems);
	lines(out, d->coverage.note, d->coverage.nr_notes);
	sf_str_add(out, "</section>\n");
}

void report_answer(struct sf_str *out, const struct report *r)
{
	if (r->diff) {
		verdict(out, r->diff);
		proof(out, r->diff);
		return;
	}
	if (!r->in->no_diff)
		return;
	sf_str_add(out, "<section class=\"answer none\">\n");
	paragraph(out, "verdict", r->in->change ? r->in->change :
				  "Nothing is compared, so there is no verdict.");
	paragraph(out, "split", r->in->no_diff);
	sf_str_add(out, "</section>\n");
}

/* -------------------------------------------------------------------------- causes */

static void interval(struct sf_str *out, const struct sf_estimate *e)
{
	if (!e->has_interval) {
		sf_str_add(out, "–");
		return;
	}
	sf_markup_signed_ms(out, e->lo);
	sf_str_add(out, " to ");
	sf_markup_signed_ms(out, e->hi);
}

static void owner(struct sf_str *out, const struct sf_diff *d, uint32_t i)
{
	sf_markup_xml(out, sf_diff_text(d, d->profile.owner[i].label));
}

enum { SHOWN = 6 };

/* The leaf is seen at once, the whole stack where it is asked for. */
static void stack(struct sf_str *out, const struct sf_cause *c)
{
	if (!c->nr_frames)
		return;
	sf_str_add(out, "<details><summary>");
	for (size_t i = 0; i < c->nr_frames && i < SHOWN; i++) {
		sf_str_add(out, i ? " &lt; <code>" : "<code>");
		sf_markup_xml(out, c->frame[i]);
		sf_str_add(out, "</code>");
	}
	sf_str_add(out, c->nr_frames > SHOWN ? " &lt; …" : "");
	sf_str_add(out, "</summary><ol class=\"stack\">\n");
	for (size_t i = 0; i < c->nr_frames; i++) {
		sf_str_add(out, "<li><code>");
		sf_markup_xml(out, c->frame[i]);
		sf_str_add(out, "</code></li>\n");
	}
	sf_str_add(out, "</ol></details>");
}

static void links(struct sf_str *out, const struct sf_diff *d, const struct sf_cause *c)
{
	if (c->waiter) {
		sf_str_add(out, "<div>");
		owner(out, d, c->waiter);
		sf_str_add(out, c->lock ? " waits for the lock" : " waits for it");
		if (c->waits_in) {
			sf_str_add(out, " in <code>");
			sf_markup_xml(out, c->waits_in);
			sf_str_add(out, "</code>");
		}
		sf_str_add(out, "</div>");
	}
	if (c->served_by) {
		sf_str_add(out, "<div>the work was done by ");
		owner(out, d, c->served_by);
		sf_str_add(out, "</div>");
	}
}

static void cell_ms(struct sf_str *out, double ms, bool sign)
{
	sf_str_add(out, "<td class=\"n\">");
	if (sign)
		sf_markup_signed_ms(out, ms);
	else
		sf_markup_ms(out, ms);
	sf_str_add(out, "</td>");
}

/* The same call may cost time of several kinds: they are one cause. */
static void parts(struct sf_str *out, const struct sf_cause *c)
{
	double ms[SF_NR_KINDS] = { 0 };
	bool has[SF_NR_KINDS] = { false };
	const char *comma = "";
	size_t nr = 0;

	for (size_t i = 0; i < c->nr_parts; i++) {
		enum sf_kind k = c->part[i].kind;

		nr += !has[k];
		has[k] = true;
		ms[k] += c->part[i].slow_ms - c->part[i].fast_ms;
	}
	if (nr < 2)
		return;
	sf_str_add(out, "<div>of it");
	for (size_t i = 0; i < c->nr_parts; i++) {
		enum sf_kind k = c->part[i].kind;

		if (!has[k])
			continue;
		has[k] = false;
		sf_str_addf(out, "%s %s ", comma, sf_kind_name(k));
		sf_markup_signed_ms(out, ms[k]);
		comma = ",";
	}
	sf_str_add(out, "</div>");
}

/* Two lines, as on a terminal: figures; where it was. */
static void cause(struct sf_str *out, const struct sf_diff *d, const struct sf_cause *c)
{
	const char *grey = c->owner && c->delta.has_interval && !c->significant ? " grey" : "";

	sf_str_addf(out, "<tr class=\"cause%s\">", grey);
	cell_ms(out, c->delta.value, true);
	sf_str_add(out, "<td class=\"n\">");
	interval(out, c->owner ? &c->delta : &(struct sf_estimate){ 0 });
	sf_str_add(out, "</td><td class=\"n\">");
	sf_markup_pct(out, c->share_pct);
	sf_str_add(out, "</td>");
	cell_ms(out, c->fast_ms, false);
	cell_ms(out, c->slow_ms, false);
	sf_str_add(out, "<td>");
	if (c->owner)
		owner(out, d, c->owner);
	else
		sf_str_add(out, "everything else");
	sf_str_addf(out, "</td><td>%s</td><td>%s</td></tr>\n", c->owner ? sf_state_name(c->state) : "",
		    c->owner ? sf_kind_name(c->kind) : "");
	if (!c->owner)
		return;
	sf_str_addf(out, "<tr class=\"%s\"><td class=\"where\" colspan=\"8\">", *grey ? "grey" : "");
	stack(out, c);
	links(out, d, c);
	parts(out, c);
	sf_str_add(out, "</td></tr>\n");
}

void report_causes(struct sf_str *out, const struct sf_diff *d)
{
	if (!d->nr_causes)
		return;
	sf_str_add(out, "<section><h2>What differs</h2>\n<div class=\"wide\"><table>\n<thead><tr>"
		   "<th class=\"n\">Δ ms</th><th class=\"n\">95 % interval</th><th class=\"n\">share</th>"
		   "<th class=\"n\">fast ms</th><th class=\"n\">slow ms</th><th>owner</th><th>state</th>"
		   "<th>why</th></tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < d->nr_causes; i++)
		cause(out, d, &d->cause[i]);
	sf_str_add(out, "</tbody></table></div>\n<p class=\"small\">Of the median windows; the rows sum "
		   "to the difference of the medians, ");
	sf_markup_signed_ms(out, d->delta.value);
	sf_str_add(out, " ms. Grey: within its own noise.</p>\n</section>\n");
}

/* -------------------------------------------------------------------------- around */

static void passive(struct sf_str *out, const struct sf_diff *d)
{
	if (!d->nr_passive)
		return;
	sf_str_add(out, "<section><h2>Who only waited</h2>\n<p class=\"small\">Not causes: these threads "
		   "slept while another one had the time.</p>\n<div class=\"wide\"><table><thead><tr>"
		   "<th>thread</th><th class=\"n\">tid</th><th class=\"n\">ms</th><th>waits for</th></tr>"
		   "</thead>\n<tbody>\n");
	for (size_t i = 0; i < d->nr_passive; i++) {
		const struct sf_passive *p = &d->passive[i];

		sf_str_add(out, "<tr><td>");
		sf_markup_xml(out, p->comm ? p->comm : "");
		sf_str_addf(out, "</td><td class=\"n\">%u</td>", p->tid);
		cell_ms(out, p->ms, false);
		sf_str_add(out, "<td>");
		sf_markup_xml(out, p->idle || !p->for_comm ? "nobody: idle" : p->for_comm);
		sf_str_add(out, "</td></tr>\n");
	}
	sf_str_add(out, "</tbody></table></div></section>\n");
}

static void value(struct sf_str *out, double v, const struct sf_quantity *q)
{
	sf_str_add(out, "<td class=\"n\">");
	sf_quantity_put(out, q, v);
	sf_str_add(out, "</td>");
}

static void moved(struct sf_str *out, const struct sf_diff *d)
{
	if (!d->nr_moved)
		return;
	sf_str_add(out, "<section><h2>What moved with the pauses</h2>\n<div class=\"wide\"><table><thead>"
		   "<tr><th>what</th><th class=\"n\">fast</th><th class=\"n\">slow</th><th>when</th></tr>"
		   "</thead>\n<tbody>\n");
	for (size_t i = 0; i < d->nr_moved; i++) {
		const struct sf_moved *m = &d->moved[i];
		struct sf_quantity q = sf_quantity_of(m->name, fmax(fabs(m->fast), fabs(m->slow)));

		sf_str_add(out, "<tr><td>");
		sf_markup_xmln(out, m->name, q.stem);
		sf_str_add(out, "</td>");
		value(out, m->fast, &q);
		value(out, m->slow, &q);
		sf_str_addf(out, "<td>%s</td></tr>\n", m->during ? "change in the pause" :
			    "when the pause began");
	}
	sf_str_add(out, "</tbody></table></div></section>\n");
}

void report_around(struct sf_str *out, const struct sf_diff *d)
{
	passive(out, d);
	moved(out, d);
}
