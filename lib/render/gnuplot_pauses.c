/* SPDX-License-Identifier: GPL-2.0-only */
/* The pauses, BRANCH by BRANCH, with the bytes that each one wrote. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include <snapflame/stats.h>

#include "render/gnuplot.h"

enum { BYTES_HEIGHT = 80, HEAD = 28, FOOT = 46, GAP = 22 }; /* px: of the lower panel, around it */

struct point {
	double x, pause, mb;
	int side;
	bool gap;
};

struct points {
	struct point *at;
	size_t nr;
	double most_mb;
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
		pts->most_mb = fmax(pts->most_mb, pts->at[i].mb);
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

/* The pauses: what the figure is about. */
static void panel_pauses(struct sf_str *to, const struct points *pts)
{
	double size = plot_mark_size(pts->nr);

	sf_str_addf(to, "  plot 'pauses.tsv' index 1 using 1:2 with lines lc rgb \"#888888\" lw 1.2 %s",
		    pts->repeats ? "title \"median\"" : "notitle");
	if (pts->sides)
		sf_str_addf(to, ", \\\n    'pauses.tsv' index 0 skip 1 using 1:3 with points pt 7 ps "
			    "%g lc rgb \"" PLOT_FAST "\" title \"fast\", \\\n"
			    "    'pauses.tsv' index 0 skip 1 using 1:4 with points pt 9 ps %g lc rgb \""
			    PLOT_SLOW "\" title \"slow\"", size, 1.3 * size);
	if (pts->neither)
		sf_str_addf(to, ", \\\n    'pauses.tsv' index 0 skip 1 using 1:5 with points "
			    "pt %d ps %g lc rgb \"%s\" title \"%s\"", pts->sides ? 6 : 7, 0.9 * size,
			    pts->sides ? PLOT_GREY : PLOT_FAST, pts->sides ? "not compared" : "pause");
	sf_str_add(to, "\n");
}

/*
 * The bytes have a panel of their own below. On a second axis of the same one, the two scales could
 * be chosen so that the pauses seem to follow the bytes, or not to.
 */
static void panel_bytes(struct plot *p, const struct points *pts)
{
	double h = p->height, step = plot_tic_step(pts->most_mb > 0 ? pts->most_mb : 1);

	sf_str_addf(&p->plot, "  set tmargin at screen %.4f\n  set bmargin at screen %.4f\n"
		    "  set yrange [0:%.6g]\n  set ytics %.6g\n  set ylabel \"written (MB)\"\n"
		    "  set key off\n  plot 'pauses.tsv' index 0 skip 1 using 1:6 with boxes "
		    "fc rgb \"#8fa3b3\"\n  unset multiplot\n", (FOOT + BYTES_HEIGHT) / h, FOOT / h,
		    fmax(step, ceil(pts->most_mb / step) * step), step);
}

static void commands(struct plot *p, const struct points *pts, const struct sf_str *tics)
{
	static const char axis[] = "set yrange [0:*]\n  set ytics autofreq\n"
				   "  set ylabel \"pause (ms)\"\n"
				   "  set key on above left horizontal Left reverse samplen 1\n";
	double lower = pts->bytes ? FOOT + BYTES_HEIGHT + GAP : FOOT;

	sf_str_add(&p->setup, "set offsets 0, 0, graph 0.04, 0\nset boxwidth 0.6\nset lmargin 9\n"
			      "set rmargin 2\n");
	p->height += pts->bytes ? BYTES_HEIGHT + GAP : 0;
	if (pts->bytes)
		sf_str_add(&p->plot, "  set multiplot\n  set xtics autofreq format \"\" scale 0\n"
				     "  unset xlabel\n");
	else
		sf_str_addf(&p->plot, "  %s", tics->buf);
	sf_str_addf(&p->plot, "  set tmargin at screen %.4f\n  set bmargin at screen %.4f\n  %s",
		    1 - (double)HEAD / p->height, lower / p->height, axis);
	panel_pauses(&p->plot, pts);
	if (pts->bytes) {
		sf_str_addf(&p->plot, "  set xlabel \"BRANCH\" offset 0,0.6\n  %s", tics->buf);
		panel_bytes(p, pts);
	}
}

/* Of a table of pauses, whose BRANCH numbers may be any. */
static void sweep_tics(struct sf_str *to, double lo, double hi)
{
	if (hi - lo < 16)
		sf_str_addf(to, "set xtics %g,1,%g format \"%%g\" scale 0\n", lo, hi);
	else
		sf_str_add(to, "set xtics autofreq format \"%g\" scale 0\n");
}

static void draw(struct plot *p, const struct points *pts, const struct plot_axis *a)
{
	struct sf_str tics = SF_STR_INIT;
	double lo = pts->at[0].x, hi = pts->at[pts->nr - 1].x;

	plot_axis_range(&p->setup, lo, hi);
	if (p->in->nr)
		plot_axis_tics(&tics, p, a, 1);
	else
		sweep_tics(&tics, lo, hi);
	commands(p, pts, &tics);
	p->plot.failed |= tics.failed;
	sf_str_release(&tics);
	plot_caption(p, "The pause of every BRANCH, ms%s%s.",
		     pts->bytes ? ", and the bytes that it wrote, MB" : "",
		     pts->repeats ? "; the line goes through the medians of the trials" : "");
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
	if (!ret)
		draw(p, &pts, &a);
	free(pts.at);
	plot_axis_release(&a);
	return ret ? ret : 1;
}
