/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A directory with everything that there is to look at:
 *
 *	report.html       one file that needs nothing else: verdict, proof, flame graph, figures, tables
 *	report.md         the same in words, to paste into an issue
 *	flame….svg, .html flame graphs of our own
 *	*.folded          stacks for flamegraph.pl, and flamegraph-pl.svg where that is installed
 *	NAME.gp, .tsv, .svg, .png, .pdf   the figures (figures.h)
 *
 * Files appear whole, or not at all. Without proof there is no verdict in any of them, but the reason.
 */
#ifndef SNAPFLAME_REPORT_H
#define SNAPFLAME_REPORT_H

#include <snapflame/diff.h>
#include <snapflame/error.h>
#include <snapflame/flamegraph.h>
#include <snapflame/str.h>
#include <snapflame/sweep.h>

/* One of rec, sweep and flame is needed; everything is borrowed. */
struct sf_report_input {
	struct sf_recording *const *rec; /* all of them, the fast ones first */
	size_t nr_recs;
	const struct sf_diff *diff;      /* of windows of rec; NULL: nothing is compared */
	const char *no_diff;             /* why not; NULL */
	const char *change;              /* what pauses without stacks say by themselves; NULL */
	const struct sf_sweep *sweep;    /* pauses without a recording */
	const struct sf_flame *flame;    /* finished; of folded stacks without a recording */
	const char *source;              /* file name of sweep or flame */
	char *const *command;            /* words of the command that makes the report */
	size_t nr_words;
	unsigned formats;                /* enum sf_figure_format; 0: SVG */
};

/*
 * Write the report to DIR, made where it is missing. notes gets a line for each thing that was left
 * out, with the reason. 0 or negative errno, said in err: nothing was changed in DIR then, unless
 * renaming itself failed half way.
 */
int sf_report_write(const char *dir, const struct sf_report_input *in, struct sf_str *notes,
		    struct sf_error *err);

#endif
