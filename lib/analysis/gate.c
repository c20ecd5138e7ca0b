/* SPDX-License-Identifier: GPL-2.0-only */
#include <snapflame/gate.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/stats.h>

static double mean_branch(const struct sf_diff *d, enum sf_side side)
{
	size_t first = side == SF_SLOW ? d->nr[SF_FAST] : 0;
	double sum = 0;

	for (size_t i = 0; i < d->nr[side]; i++)
		sum += d->ref[first + i].window->branch;
	return sum / (double)d->nr[side];
}

/*
 * The sides of a trend are its ends: their difference is the slope times their distance, and so is
 * its lower end. NAN where the slope has no interval.
 */
static int least_of_trend(const struct sf_diff *d, double *least)
{
	const struct sf_recording *rec = d->ref[0].rec;
	double *x = calloc(2 * rec->nr_windows, sizeof(*x)), *ms = x ? x + rec->nr_windows : NULL;
	struct sf_trend t;
	size_t n = 0;

	*least = NAN;
	if (!x)
		return -ENOMEM;
	for (size_t i = 0; i < rec->nr_windows; i++) {
		const struct sf_window *w = &rec->window[i];

		if (w->branch < d->ref[0].window->branch)
			continue;
		x[n] = w->branch;
		ms[n++] = (double)(w->hi - w->lo) / 1e6;
	}
	if (!sf_trend(x, ms, n, &t))
		*least = t.lo * (mean_branch(d, SF_SLOW) - mean_branch(d, SF_FAST));
	free(x);
	return 0;
}

static const char *why_undecided(const struct sf_diff *d)
{
	if (d->trend)
		return "a trend of so few BRANCHes has no interval; record more with --branches";
	if (d->nr[SF_FAST] == 1 || d->nr[SF_SLOW] == 1)
		return "n = 1 has no interval; record more BRANCHes of each with --branches";
	return "there is no interval";
}

/* With n = 1 nothing is beyond its noise: then everything that grew is listed. */
static void what_grew(struct sf_gate *g, const struct sf_diff *d)
{
	for (size_t i = 0; i < d->nr_causes && g->nr_grew < SF_GATE_MAX; i++) {
		const struct sf_cause *c = &d->cause[i];

		if (c->path && !c->shift && c->delta.value > 0 &&
		    (c->significant || !c->delta.has_interval))
			g->grew[g->nr_grew++] = c;
	}
}

enum { ENDS = 3 }; /* frames that are named from the leaf on, and from the root */

void sf_gate_cause(struct sf_str *out, const struct sf_diff *d, const struct sf_cause *c)
{
	sf_str_addf(out, "%+.1f ms: %s, %s", c->delta.value,
		    c->owner ? sf_diff_text(d, d->profile.owner[c->owner].label) : "somebody",
		    sf_kind_name(c->kind));
	for (size_t i = 0; i < c->nr_frames; i++) {
		if (i == ENDS && c->nr_frames > 2 * ENDS) {
			sf_str_add(out, " < …");
			i = c->nr_frames - ENDS;
		}
		sf_str_addf(out, "%s%s", i ? " < " : " in ", c->frame[i]);
	}
}

static void decide(struct sf_gate *g, double base, double delta, double least, const char *undecided,
		   double limit)
{
	g->growth_pct = 100 * delta / base;
	g->least_pct = 100 * least / base;
	g->decided = base > 0 && isfinite(least);
	g->exceeded = g->decided && g->least_pct > limit;
	if (!g->decided)
		snprintf(g->text, sizeof(g->text),
			 "growth of %.1f %% against the limit of %g %%: not decided, %s",
			 g->growth_pct, limit, undecided);
	else
		snprintf(g->text, sizeof(g->text),
			 "growth of %.1f %%, at least %.1f %% with 95 %% confidence: the limit of %g %% "
			 "is %s", g->growth_pct, g->least_pct, limit,
			 g->exceeded ? "exceeded" : "kept");
}

int sf_gate_check(struct sf_gate *g, const struct sf_diff *d, double limit_pct)
{
	double least = NAN;
	int ret = 0;

	memset(g, 0, sizeof(*g));
	if (d->delta.has_interval)
		least = d->delta.lo;
	else if (d->trend)
		ret = least_of_trend(d, &least);
	decide(g, d->median_ms[SF_FAST], d->delta.value, least, why_undecided(d), limit_pct);
	what_grew(g, d);
	return ret;
}

void sf_gate_pauses(struct sf_gate *g, double fast_ms, const struct sf_estimate *delta,
		    double limit_pct)
{
	memset(g, 0, sizeof(*g));
	decide(g, fast_ms, delta->value, delta->has_interval ? delta->lo : NAN,
	       "there are too few BRANCHes for an interval", limit_pct);
}
