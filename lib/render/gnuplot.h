/* SPDX-License-Identifier: GPL-2.0-only */
/* One figure while it is made; private to render/. */
#ifndef SF_RENDER_GNUPLOT_H
#define SF_RENDER_GNUPLOT_H

#include <snapflame/figures.h>
#include <snapflame/str.h>

enum { PLOT_WIDTH = 760, PLOT_SERIES = 8 };

struct plot {
	struct sf_figure *figure;
	struct sf_str tsv;
	struct sf_str setup;  /* gnuplot, before the terminal is set */
	struct sf_str plot;   /* the plot command(s) */
	unsigned height;      /* px of the SVG, of PLOT_WIDTH */
	const struct sf_figures_input *in;
};

/* 1 it is to be drawn, 0 there is nothing to draw (figure->why), -ENOMEM. */
typedef int (*plot_fn)(struct plot *p);

int plot_pauses(struct plot *p);
int plot_budget(struct plot *p);
int plot_causes(struct plot *p);
int plot_growth(struct plot *p);
int plot_timeline(struct plot *p);
int plot_kernel(struct plot *p);
int plot_futex(struct plot *p);
int plot_covariates(struct plot *p);

/* "not drawn because …": sets figure->why and returns 0. */
int plot_nothing(struct plot *p, const char *why);
void plot_caption(struct plot *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Fields of the table; a number that is not finite is "NaN", which gnuplot leaves out. */
void plot_number(struct plot *p, double v);
void plot_text(struct plot *p, const char *text, size_t columns); /* cut to so many characters */
/* The same, and *longest becomes the number of its characters where that is more. */
void plot_head(struct plot *p, const char *text, size_t columns, size_t *longest);
/* One field that is shown as two lines. */
void plot_label(struct plot *p, const char *first, const char *second, size_t columns,
		size_t *longest);
void plot_tab(struct plot *p);
void plot_row(struct plot *p);   /* ends it */
void plot_block(struct plot *p); /* what follows is the next "index" */

/* Colours that the colour-blind can tell apart, and that differ in print. */
extern const char *const plot_palette[PLOT_SERIES];
#define PLOT_FAST "#4477aa"
#define PLOT_SLOW "#cc3311"
#define PLOT_GREY "#999999"

/* ---- the axis that windows stand on ---- */

struct plot_axis {
	double *x;       /* by window */
	int *side;       /* by window: enum sf_side, -1 neither */
	bool *gap;       /* by window: the next one is of another recording or side */
	size_t nr;
	double lo, hi;
	bool numbers;    /* x is the BRANCH number */
};

int plot_axis_init(struct plot_axis *a, const struct sf_figures_input *in);
void plot_axis_release(struct plot_axis *a);
/* "set xrange …", "set xlabel …"; "set xtics …", for so many plots side by side; both, to the setup. */
void plot_axis_range(struct sf_str *to, double lo, double hi);
void plot_axis_tics(struct sf_str *to, const struct plot *p, const struct plot_axis *a, unsigned columns);
void plot_axis_setup(struct plot *p, const struct plot_axis *a, unsigned columns);

/* 1, 2 or 5 times a power of ten: about three steps in a small plot's range. */
double plot_tic_step(double span);

/* Size of a point where there are so many side by side. */
double plot_mark_size(size_t nr);
/*
 * A legend of nr names below the plot, the longest of so many characters: in two columns where they
 * fit. Makes the figure higher by what the legend takes.
 */
void plot_key_below(struct plot *p, size_t longest, size_t nr);

/* Room at the left for row names of so many characters. */
void plot_margin_left(struct plot *p, size_t longest);

/* The window that figures of one window show: of the slow side's median, or the longest one. */
const struct sf_window_ref *plot_window(const struct sf_figures_input *in);
/* "BRANCH 4 (slow, 192.1 ms)" */
void plot_window_name(const struct sf_figures_input *in, const struct sf_window_ref *ref, char *buf,
		      size_t size);

#endif
