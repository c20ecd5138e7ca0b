/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/diff.h>
#include <snapflame/figures.h>
#include <snapflame/filetype.h>
#include <snapflame/flamegraph.h>
#include <snapflame/folded.h>
#include <snapflame/sweep.h>

#include "cmd.h"
#include "diff_sides.h"
#include "options.h"
#include "report.h"
#include "report_dir.h"

struct report_opts {
	struct sf_texts fast, slow;
	const char *dir, *figures, *symfs;
	unsigned warmup;
	bool api;
	int argc; /* the words of the command, for the report */
	char **argv;
};

static const struct sf_option options[] = {
	SF_HEADING("What is compared"),
	SF_TEXTS(0, "fast", struct report_opts, fast, "LIST|FILE...",
		 "the fast side: BRANCH numbers (1,2 or 1-3) of RUN, or files"),
	SF_TEXTS(0, "slow", struct report_opts, slow, "LIST|FILE...", "the slow side"),
	SF_UINT(0, "warmup", struct report_opts, warmup, "N", "leave out the first N BRANCHes (0)"),
	SF_FLAG(0, "api", struct report_opts, api,
		"the API's windows, also where the dark ones are known"),
	SF_FILE(0, "symfs", struct report_opts, symfs, "DIR", "look for binaries under DIR"),
	SF_HEADING("The result"),
	SF_FILE('o', "output", struct report_opts, dir, "DIR", "write to DIR, made if missing"),
	SF_TEXT(0, "figures", struct report_opts, figures, "svg,png,pdf",
		"formats of the figures (svg)"),
	SF_OPTIONS_END,
};

static int formats_of(const struct report_opts *o, unsigned *formats)
{
	*formats = o->figures ? sf_figure_formats(o->figures) : SF_FORMAT_SVG;
	if (!*formats)
		return sf_usage("--figures: '%s' is not a list of svg, png and pdf", o->figures);
	*formats |= SF_FORMAT_SVG; /* the page needs it */
	return 0;
}

static int write_report(const struct report_opts *o, struct sf_report_input *in)
{
	int status = formats_of(o, &in->formats);

	return status ? status : sf_report_to(o->dir, in, o->argc, o->argv);
}

/* ---------------------------------------------------------------------- recordings */

static int of_sides(const struct report_opts *o, struct sf_sides *s)
{
	struct sf_error err = SF_ERROR_INIT;
	struct sf_report_input in = { .rec = s->rec, .nr_recs = s->nr };
	struct sf_diff *d = NULL;
	int status;

	if (!s->in.nr[SF_FAST])
		in.no_diff = s->split;
	else if (sf_diff_make(&d, &s->in, NULL, &err))
		return sf_fail(&err);
	in.diff = d;
	status = write_report(o, &in);
	/* The report has it; who sees only the terminal should know. */
	for (size_t i = 0; !status && d && !d->has_verdict && i < d->coverage.nr_problems; i++)
		sf_warn("no verdict: %s", d->coverage.problem[i]);
	sf_diff_free(d);
	return status;
}

static int of_recordings(const struct report_opts *o, char **file, size_t nr)
{
	struct sf_sides_opts so = {
		.fast = &o->fast, .slow = &o->slow, .file = file, .nr_files = nr,
		.warmup = o->warmup, .whole_is_fine = true,
		.load = { .symbols = { .symfs = o->symfs }, .api_windows = o->api },
	};
	struct sf_sides sides;
	int status = sf_sides_load(&sides, &so);

	if (!status)
		status = of_sides(o, &sides);
	sf_sides_release(&sides);
	return status;
}

/* ------------------------------------------------------------------ sweeps, stacks */

static int of_sweep(const struct report_opts *o, struct sf_input *in, const char *path)
{
	struct sf_error err = SF_ERROR_INIT;
	struct sf_sweep sweep;
	struct sf_report_input report = {
		.sweep = &sweep, .source = path,
		.no_diff = "a table of pauses says how long they were, not why; record the BRANCHes "
			   "with snapflame record",
	};
	int status;

	if (sf_sweep_read(&sweep, in, path, &err))
		return sf_fail(&err);
	status = write_report(o, &report);
	sf_sweep_release(&sweep);
	return status;
}

/* side: where a file with one column goes, -1: there is only this file. */
static int add_stacks(struct sf_flame *f, struct sf_input *in, const char *path, int side)
{
	struct sf_error err = SF_ERROR_INIT;
	const struct sf_folded_line *l;
	struct sf_folded *folded;
	int ret = sf_folded_new(&folded, in, path, &err);

	if (ret)
		return sf_fail(&err);
	while ((ret = sf_folded_next(folded, &l, &err)) > 0) {
		double v[2] = { 0, (double)l->weight[0] };

		if (l->columns == 2 && side < 0) {
			f->differential = true;
			v[SF_FLAME_BEFORE] = (double)l->weight[0];
			v[SF_FLAME_AFTER] = (double)l->weight[1];
		} else if (side == SF_FLAME_BEFORE) {
			v[SF_FLAME_BEFORE] = (double)l->weight[0];
			v[SF_FLAME_AFTER] = 0;
		}
		ret = sf_flame_add(f, l->stack, l->len, v[SF_FLAME_BEFORE], v[SF_FLAME_AFTER]);
		if (ret)
			break;
	}
	sf_folded_free(folded);
	if (ret == -ENOMEM)
		return sf_failf("out of memory");
	return ret ? sf_fail(&err) : 0;
}

static int of_stacks(const struct report_opts *o, struct sf_input **in, char **path, size_t nr)
{
	struct sf_flame f;
	struct sf_report_input report = {
		.flame = &f, .source = path[nr - 1],
		.no_diff = "folded stacks have no windows: what differs is shown, why is not known",
	};
	int status = 0;

	sf_flame_init(&f);
	f.differential = nr > 1;
	for (size_t i = 0; !status && i < nr; i++)
		status = add_stacks(&f, in[i], path[i], nr > 1 ? (int)i : -1);
	if (!status && sf_flame_finish(&f))
		status = sf_failf("out of memory");
	if (!status)
		status = write_report(o, &report);
	sf_flame_release(&f);
	return status;
}

/* ------------------------------------------------------------------------- command */

enum { MAX_STACKS = 2 };

/* Tables and stacks are read here; everything else is for the recordings' loader. */
static int other_files(const struct report_opts *o, char **file, size_t nr, bool *taken)
{
	struct sf_input *in[MAX_STACKS] = { NULL };
	enum sf_filetype type[MAX_STACKS] = { SF_FILETYPE_UNKNOWN };
	struct sf_error err = SF_ERROR_INIT;
	int status = 0;

	*taken = false;
	if (!nr || nr > MAX_STACKS || o->fast.nr || !strcmp(file[0], "-"))
		return 0;
	for (size_t i = 0; !status && i < nr; i++) {
		if (sf_input_open(&in[i], file[i], &err))
			status = sf_fail(&err);
		else
			type[i] = sf_input_type(in[i]);
	}
	*taken = status || type[0] == SF_FILETYPE_CSV ||
		 (type[0] == SF_FILETYPE_FOLDED && (nr == 1 || type[1] == SF_FILETYPE_FOLDED));
	if (!status && type[0] == SF_FILETYPE_CSV && nr > 1)
		status = sf_usage("%s: one table of pauses makes a report; there are %zu files", file[0],
				  nr);
	else if (!status && type[0] == SF_FILETYPE_CSV)
		status = of_sweep(o, in[0], file[0]);
	else if (!status && *taken)
		status = of_stacks(o, in, file, nr);
	for (size_t i = 0; i < nr; i++)
		sf_input_free(in[i]);
	return status;
}

static int report(const struct report_opts *o, char **file, size_t nr)
{
	unsigned formats;
	bool taken;
	int status = formats_of(o, &formats);

	if (status)
		return status;
	if (!o->dir)
		return sf_usage("where to? -o DIR");
	if (!nr && !o->fast.nr)
		return sf_usage("which FILE?");
	status = other_files(o, file, nr, &taken);
	return taken ? status : of_recordings(o, file, nr);
}

static int run(const struct sf_command *cmd, int argc, char **argv)
{
	struct report_opts o = { .argc = argc, .argv = argv };
	char **words = NULL;
	int first, status, nr = argc;

	if (sf_sides_words(argc, argv, &nr, &words))
		return sf_failf("out of memory");
	first = sf_options_parse(cmd, &o, nr, words);
	if (first <= 0)
		status = sf_options_status(first);
	else
		status = report(&o, words + first, (size_t)(nr - first));
	sf_options_release(cmd, &o);
	free(words);
	return status;
}

const struct sf_command cmd_report = {
	.name = "report",
	.summary = "a page with verdict, proof, flame graph, figures and tables",
	.usage = "[options] -o DIR FAST SLOW\n[options] -o DIR FILE\n"
		 "[options] -o DIR --fast FILE... --slow FILE...",
	.about = "Writes report.html, report.md, flame graphs and figures to DIR. FILE is a recording, a "
		 "CSV of pauses (trial,branch_idx,pause_ms,diff_ms,diff_physical_bytes), or folded "
		 "stacks with one or two columns.",
	.options = options,
	.operands = SF_OPERANDS_FILES,
	.run = run,
};
