/* SPDX-License-Identifier: GPL-2.0-only */
/* The pauses, BRANCH by BRANCH, with the bytes that each one wrote. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include <snapflame/stats.h>

#include "render/gnuplot.h"

struct point {
	double x, pause, mb;
	int side;
	bool gap;
};

struct points {
	struct point *at;
	size_t nr;
	bool bytes, sides, neither, repeats; /* repeats: several trials have a BRANCH of that number */
};

static int of_windows(struct points *pts, const struct plot *p, const struct plot_axis *a)
{
	pts->nr = a->nr;
	pts->at = calloc(a->nr ? a->nr : 1, sizeof(*pts->at));
	if (!pts->at)
		return -ENOMEM;
	for (size_t i = 0; i < a->nr; i++) {
		const struct sf_window *w = p->in->window[i].window;
		double bytes = (double)w->diff_physical_bytes;

		pts->at[i] = (struct point){
			.x = a->x[i], .pause = (double)(w->hi - w->lo) / 1e6,
			.mb = bytes < 0 ? NAN : bytes / 1e6, .side = a->side[i], .gap = a->gap[i],
		};
	}
	return 0;
}

static int by_branch(const void *a, const void *b)
{
	const struct point *x = a, *y = b;

	return (x->x > y->x) - (x->x < y->x);
}

static int of_sweep(struct points *pts, const struct sf_sweep *s)
{
	pts->nr = s->nr;
	pts->at = calloc(s->nr ? s->nr : 1, sizeof(*pts->at));
	if (!pts->at)
		return -ENOMEM;
	for (size_t i = 0; i < s->nr; i++)
		pts->at[i] = (struct point){
			.x = s->row[i].branch, .pause = s->row[i].pause_ms,
			.mb = s->row[i].bytes / 1e6, .side = -1,
		};
	qsort(pts->at, pts->nr, sizeof(*pts->at), by_branch);
	return 0;
}

static void look(struct points *pts)
{
	for (size_t i = 0; i < pts->nr; i++) {
		pts->bytes |= isfinite(pts->at[i].mb);
		pts->sides |= pts->at[i].side >= 0;
		pts->neither |= pts->at[i].side < 0;
		pts->repeats |= i && pts->at[i].x == pts->at[i - 1].x;
	}
}

/* Table of all pauses: one column for each side, so that each has its own mark. */
static void table(struct plot *p, const struct points *pts)
{
	sf_str_add(&p->tsv, "\"BRANCH\"\t\"pause (ms)\"\t\"fast\"\t\"slow\"\t\"not compared\"\t"
			    "\"written (MB)\"\n");
	for (size_t i = 0; i < pts->nr; i++) {
		const struct point *t = &pts->at[i];

		plot_number(p, t->x);
		plot_tab(p);
		plot_number(p, t->pause);
		for (int s = SF_FAST; s <= SF_NR_SIDES; s++) {
			plot_tab(p);
			plot_number(p, t->side == (s == SF_NR_SIDES ? -1 : s) ? t->pause : NAN);
		}
		plot_tab(p);
		plot_number(p, t->mb);
		plot_row(p);
	}
}

/* A second table: the line through them, at the median of each BRANCH number. */
static int line(struct plot *p, const struct points *pts)
{
	double *v = calloc(pts->nr ? pts->nr : 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	plot_block(p);
	for (size_t i = 0, n; i < pts->nr; i += n) {
		for (n = 0; i + n < pts->nr && pts->at[i + n].x == pts->at[i].x; n++)
			v[n] = pts->at[i + n].pause;
		plot_number(p, pts->at[i].x);
		plot_tab(p);
		plot_number(p, sf_median(v, n));
		plot_row(p);
		if (pts->at[i + n - 1].gap)
			plot_row(p); /* an empty line ends the line that is drawn */
	}
	free(v);
	return 0;
}

static void commands(struct plot *p, const struct points *pts)
{
	double size = plot_mark_size(pts->nr);

	sf_str_add(&p->setup, "set ylabel \"pause (ms)\"\nset yrange [0:*]\n"
			      "set key above left horizontal Left reverse samplen 1\n");
	if (pts->bytes)
		sf_str_add(&p->setup, "set y2label \"written (MB)\"\nset y2tics nomirror out\n"
				      "set y2range [0:*]\nset border 11\nset boxwidth 0.6\n");
	sf_str_add(&p->plot, "  plot ");
	if (pts->bytes)
		sf_str_add(&p->plot, "'pauses.tsv' index 0 skip 1 using 1:6 axes x1y2 with boxes "
				     "fc rgb \"#dde4ea\" title \"written\", \\\n    ");
	sf_str_addf(&p->plot, "'pauses.tsv' index 1 using 1:2 with lines lc rgb \"#888888\" lw 1.2 %s",
		    pts->repeats ? "title \"median\"" : "notitle");
	if (pts->sides)
		sf_str_addf(&p->plot, ", \\\n    'pauses.tsv' index 0 skip 1 using 1:3 with points pt 7 ps "
			    "%g lc rgb \"" PLOT_FAST "\" title \"fast\", \\\n"
			    "    'pauses.tsv' index 0 skip 1 using 1:4 with points pt 9 ps %g lc rgb \""
			    PLOT_SLOW "\" title \"slow\"", size, 1.3 * size);
	if (pts->neither)
		sf_str_addf(&p->plot, ", \\\n    'pauses.tsv' index 0 skip 1 using 1:5 with points "
			    "pt %d ps %g lc rgb \"%s\" title \"%s\"", pts->sides ? 6 : 7, 0.9 * size,
			    pts->sides ? PLOT_GREY : PLOT_FAST, pts->sides ? "not compared" : "pause");
	sf_str_add(&p->plot, "\n");
}

static void sweep_axis(struct plot *p, const struct points *pts)
{
	double lo = pts->at[0].x, hi = pts->at[pts->nr - 1].x;

	plot_axis_range(p, lo, hi);
	sf_str_add(&p->setup, hi - lo < 20 ? "set xtics scale 0 1\n" : "set xtics scale 0\n");
}

int plot_pauses(struct plot *p)
{
	const struct sf_figures_input *in = p->in;
	struct plot_axis a = { 0 };
	struct points pts = { 0 };
	int ret;

	if (!in->nr && !(in->sweep && in->sweep->nr))
		return plot_nothing(p, "no BRANCH is known");
	p->height = 340;
	ret = in->nr ? plot_axis_init(&a, in) : 0;
	if (!ret)
		ret = in->nr ? of_windows(&pts, p, &a) : of_sweep(&pts, in->sweep);
	if (!ret) {
		look(&pts);
		table(p, &pts);
		ret = line(p, &pts);
	}
	if (!ret) {
		if (in->nr)
			plot_axis_setup(p, &a, 1);
		else
			sweep_axis(p, &pts);
		commands(p, &pts);
		plot_caption(p, "The pause of every BRANCH, ms%s%s.",
			     pts.bytes ? "; the boxes are the bytes that it wrote, MB on the right" : "",
			     pts.repeats ? "; the line goes through the medians of the trials" : "");
	}
	free(pts.at);
	plot_axis_release(&a);
	return ret ? ret : 1;
}
