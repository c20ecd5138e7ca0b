/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Figures by gnuplot. Each one is three or more files: NAME.tsv with the numbers, NAME.gp that draws
 * them, and what it draws: NAME.svg, NAME.png, NAME.pdf. An author can edit the .gp and run gnuplot
 * on it; it needs the .tsv beside it and nothing else.
 *
 * Names from recordings stand in the .tsv only, as quoted text that gnuplot does not interpret.
 * Without gnuplot the .gp and .tsv are written all the same.
 */
#ifndef SNAPFLAME_FIGURES_H
#define SNAPFLAME_FIGURES_H

#include <snapflame/diff.h>
#include <snapflame/error.h>
#include <snapflame/sweep.h>

enum sf_figure_id {
	SF_FIGURE_PAUSES,     /* pause and bytes written, by BRANCH */
	SF_FIGURE_BUDGET,     /* the pause as a sum of owners and states, by BRANCH */
	SF_FIGURE_CAUSES,     /* ranked differences with intervals */
	SF_FIGURE_GROWTH,     /* the paths that grow, by BRANCH */
	SF_FIGURE_TIMELINE,   /* threads of one window, the critical path marked */
	SF_FIGURE_KERNEL,     /* where threads were blocked in the kernel, in one window */
	SF_FIGURE_FUTEX,      /* time waited on each futex */
	SF_FIGURE_COVARIATES, /* what moved with the pauses */
	SF_NR_FIGURES,
};

enum sf_figure_format { SF_FORMAT_SVG = 1, SF_FORMAT_PNG = 2, SF_FORMAT_PDF = 4 };

/* What there is to draw; what is NULL or 0 leaves out the figures that need it. */
struct sf_figures_input {
	const struct sf_window_ref *window; /* in the order in which they are drawn */
	size_t nr;
	const struct sf_profile *profile;   /* with a column for each window */
	const struct sf_diff *diff;         /* tells fast from slow */
	const struct sf_sweep *sweep;       /* instead of windows */
};

struct sf_figure {
	const char *name, *title;
	char caption[400]; /* what it shows, of which windows */
	bool has_data;     /* .gp and .tsv exist */
	unsigned formats;  /* made */
	char why[256];     /* it was not drawn, or not in all formats; "" */
};

struct sf_figures {
	struct sf_figure figure[SF_NR_FIGURES];
	bool no_gnuplot;
};

struct sf_outdir;

/*
 * Make the figures in an opened directory of results; formats: enum sf_figure_format, 0: SVG. What
 * cannot be drawn is said in out and is no error. 0, -ENOMEM, or what writing failed with.
 */
int sf_figures_make(struct sf_figures *out, struct sf_outdir *dir, const struct sf_figures_input *in,
		    unsigned formats, struct sf_error *err);

/* "svg", "png", "pdf" and lists of them; 0 for something else. */
unsigned sf_figure_formats(const char *list);

#endif
