/* SPDX-License-Identifier: GPL-2.0-only */
/* What was read at the edges of the windows, for what moved most: one small plot for each. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "render/gnuplot.h"
#include "render/quantity.h"

enum { PLOTS = 8, ROW_HEIGHT = 130, FOOT = 24 };

struct chosen {
	const char *name;
	bool during;  /* the change inside of the window, not the value at its beginning */
	double score;
	double lo, hi; /* of all windows */
};

static double value(const struct sf_window_ref *ref, const struct chosen *c)
{
	return sf_window_covariate(ref->rec, ref->window, c->name, c->during);
}

static size_t of_diff(const struct sf_diff *d, struct chosen *c)
{
	size_t n = d->nr_moved < PLOTS ? d->nr_moved : PLOTS;

	for (size_t i = 0; i < n; i++)
		c[i] = (struct chosen){ .name = d->moved[i].name, .during = d->moved[i].during };
	return n;
}

static void range(const struct sf_figures_input *in, struct chosen *c)
{
	c->lo = INFINITY;
	c->hi = -INFINITY;
	for (size_t i = 0; i < in->nr; i++) {
		double v = value(&in->window[i], c);

		if (isfinite(v)) {
			c->lo = fmin(c->lo, v);
			c->hi = fmax(c->hi, v);
		}
	}
}

/* How far it moves, relative to its size. */
static double score(const struct chosen *c)
{
	return c->hi > c->lo ? (c->hi - c->lo) / fmax(fabs(c->hi), fabs(c->lo)) : 0;
}

static size_t of_windows(const struct sf_figures_input *in, struct chosen *best)
{
	const struct sf_window_ref *ref = &in->window[in->nr - 1];
	size_t nr = 0, at;

	for (size_t i = 0; i < ref->window->nr_covariates; i++)
		for (int during = 0; during < 2; during++) {
			struct chosen c = { .name = sf_text(ref->rec, ref->window->covariate[i].name),
					    .during = during };

			range(in, &c);
			c.score = score(&c);
			if (c.score <= 0)
				continue;
			for (at = nr; at && best[at - 1].score < c.score; at--)
				if (at < PLOTS)
					best[at] = best[at - 1];
			if (at < PLOTS) {
				best[at] = c;
				nr += nr < PLOTS;
			}
		}
	return nr;
}

/* The unit in which all its values are shown. */
static struct sf_quantity quantity(const struct chosen *c)
{
	return sf_quantity_of(c->name, fmax(fabs(c->lo), fabs(c->hi)));
}

/* "Dirty (MB), change in the pause" */
static void heads(struct plot *p, const struct chosen *c, size_t nr)
{
	struct sf_str name = SF_STR_INIT;

	sf_str_add(&p->tsv, "\"BRANCH\"\t\"side\"");
	for (size_t k = 0; k < nr; k++) {
		struct sf_quantity q = quantity(&c[k]);

		sf_str_reset(&name);
		sf_str_addn(&name, c[k].name, q.stem);
		if (*q.unit)
			sf_str_addf(&name, " (%s)", q.unit + 1);
		sf_str_addf(&name, ", %s", c[k].during ? "change in the pause" : "when the pause began");
		plot_tab(p);
		plot_text(p, name.buf, 56);
	}
	plot_row(p);
	p->tsv.failed |= name.failed;
	sf_str_release(&name);
}

static void table(struct plot *p, const struct plot_axis *a, const struct chosen *c, size_t nr)
{
	heads(p, c, nr);
	for (size_t i = 0; i < a->nr; i++) {
		plot_number(p, a->x[i]);
		sf_str_addf(&p->tsv, "\t%d", a->side[i]);
		for (size_t k = 0; k < nr; k++) {
			plot_tab(p);
			plot_number(p, value(&p->in->window[i], &c[k]) * quantity(&c[k]).factor);
		}
		plot_row(p);
		if (a->gap[i])
			plot_row(p);
	}
}

/* From 0 where that does not hide how it moves. */
static void y_axis(struct plot *p, const struct chosen *c)
{
	double f = quantity(c).factor, lo = c->lo * f, hi = c->hi * f, step;

	if (lo > 0 && hi - lo > 0.3 * hi)
		lo = 0;
	if (hi < 0)
		hi = 0;
	step = hi > lo ? plot_tic_step(hi - lo) : 1;
	sf_str_addf(&p->plot, "  set yrange [%.6g:%.6g]; set ytics %.6g\n", floor(lo / step) * step,
		    hi > lo ? ceil(hi / step) * step : lo + 1, step);
}

/* Under the last plots: what the axis is, and the colours. With the last one only: each draws it. */
static void foot(struct plot *p)
{
	sf_str_add(&p->plot, "  set label 1 \"BRANCH\" at screen 0.5,0.016 center\n");
	if (p->in->diff)
		sf_str_add(&p->plot, "  set label 2 \"fast\" at screen 0.44,0.016 right tc rgb \"" PLOT_FAST
				      "\"\n  set label 3 \"slow\" at screen 0.56,0.016 left tc rgb \""
				      PLOT_SLOW "\"\n");
}

static void commands(struct plot *p, const struct chosen *c, size_t nr)
{
	size_t rows = (nr + 1) / 2;
	double h;

	p->height = ROW_HEIGHT * (unsigned)rows + FOOT + 4;
	h = p->height;
	sf_str_add(&p->setup, "unset xlabel\nset key at graph 0,1.32 left samplen 0 Left reverse "
			      "width -4 font \",11\"\nset tics font \",10\"\n");
	sf_str_addf(&p->plot, "  set multiplot layout %zu,%d margins 0.075,0.985,%.4f,%.4f "
		    "spacing 0.09,%.4f\n", rows, nr > 1 ? 2 : 1, (FOOT + 20) / h, 1 - 30 / h, 50 / h);
	for (size_t k = 0; k < nr; k++) {
		y_axis(p, &c[k]);
		if (k + 1 == nr)
			foot(p);
		/* The name by a plot of nothing: a key's sample would have the last point's colour. */
		sf_str_addf(&p->plot, "  plot 'covariates.tsv' using 1:%zu:(column(2) < 0 && %d ? 0x999999 : "
			    "column(2) > 0 ? 0xcc3311 : 0x4477aa) with linespoints pt 7 ps %g lc rgb variable notitle, \\\n"
			    "    'covariates.tsv' using 1:%zu with dots lc bgnd title columnheader(%zu)\n",
			    k + 3, p->in->diff != NULL, 0.5 * plot_mark_size(p->in->nr), k + 3, k + 3);
	}
	sf_str_add(&p->plot, "  unset multiplot\n  unset label\n");
}

int plot_covariates(struct plot *p)
{
	const struct sf_figures_input *in = p->in;
	struct chosen c[PLOTS];
	struct plot_axis a;
	size_t nr;

	if (in->nr < 2)
		return plot_nothing(p, "two BRANCHes are needed to see what moves");
	nr = in->diff ? of_diff(in->diff, c) : of_windows(in, c);
	if (!nr)
		return plot_nothing(p, "nothing that was read at the windows' edges moved");
	if (plot_axis_init(&a, in))
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++)
		range(in, &c[i]);
	table(p, &a, c, nr);
	plot_axis_setup(p, &a, 2);
	commands(p, c, nr);
	plot_caption(p, "What was read at the edges of the windows and %s.",
		     in->diff ? "goes best with the pauses; slow BRANCHes are red" : "varies most");
	plot_axis_release(&a);
	return 1;
}
