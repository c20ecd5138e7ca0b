/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/diff.h>
#include <snapflame/figures.h>
#include <snapflame/filetype.h>
#include <snapflame/flamegraph.h>
#include <snapflame/fold.h>
#include <snapflame/folded.h>
#include <snapflame/script.h>

#include "cmd.h"
#include "diff_sides.h"
#include "diff_stacks.h"
#include "diff_sweeps.h"
#include "options.h"
#include "report.h"
#include "report_dir.h"

struct report_opts {
	struct sf_sides_opts sides;
	const char *dir, *figures;
	int argc; /* the words of the command, for the report */
	char **argv;
};

static const struct sf_option options[] = {
	SF_HEADING("What is compared"),
	SF_SIDES_OPTIONS(struct report_opts, sides),
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

/* ------------------------------------------------------------------ sweeps, stacks */

static int of_sweeps(const struct report_opts *o, struct sf_sides *sides)
{
	struct sf_sweeps s;
	unsigned formats;
	int status = formats_of(o, &formats);

	if (!status)
		status = sf_sweeps_reportable(sides);
	if (status)
		return status;
	status = sf_sweeps_load(&s, sides, &o->sides, true);
	if (!status)
		status = sf_sweeps_report(&s, o->dir, formats, o->argc, o->argv);
	sf_sweeps_release(&s);
	return status;
}

static int draw(const struct report_opts *o, struct sf_flame *f, const char *source)
{
	struct sf_report_input in = {
		.flame = f, .source = source,
		.no_diff = "stacks have no windows: what differs is shown, why is not known",
	};

	if (sf_flame_finish(f))
		return sf_failf("out of memory");
	return write_report(o, &in);
}

static int add_folded(struct sf_flame *f, struct sf_input *in, const char *path)
{
	struct sf_error err = SF_ERROR_INIT;
	const struct sf_folded_line *l;
	struct sf_folded *folded;
	int ret = sf_folded_new(&folded, in, path, &err);

	if (ret)
		return sf_fail(&err);
	while ((ret = sf_folded_next(folded, &l, &err)) > 0) {
		bool two = l->columns == 2;

		f->differential |= two;
		if (sf_flame_add(f, l->stack, l->len, two ? (double)l->weight[0] : 0,
				 (double)l->weight[two])) {
			ret = sf_error_set(&err, -ENOMEM, "out of memory");
			break;
		}
	}
	if (sf_folded_stats(folded)->unrecognized)
		sf_warn("%s:%u: not a folded stack; such lines were left out", path,
			sf_folded_stats(folded)->first_unrecognized);
	sf_folded_free(folded);
	return ret ? sf_fail(&err) : 0;
}

static int add_line(void *arg, const char *line, size_t len, uint64_t weight)
{
	return sf_flame_add(arg, line, len, 0, (double)weight);
}

static int add_script(struct sf_flame *f, struct sf_input *in, const char *path)
{
	struct sf_fold_opts opts = { .kernel = true };
	struct sf_error err = SF_ERROR_INIT;
	struct sf_script *script = NULL;
	struct sf_fold *fold;
	int ret = sf_fold_new(&fold, &opts, &err);

	if (!ret)
		ret = sf_script_new(&script, in, path, &err);
	if (!ret)
		ret = sf_fold_script(fold, script, &err);
	if (!ret && sf_fold_each(fold, add_line, f))
		ret = sf_error_set(&err, -ENOMEM, "out of memory");
	sf_script_free(script);
	sf_fold_free(fold);
	return ret ? sf_fail(&err) : 0;
}

/* One file with stacks. */
static int of_stacks(const struct report_opts *o, struct sf_input *in, const char *path)
{
	struct sf_flame f;
	int status;

	sf_flame_init(&f);
	status = sf_input_type(in) == SF_FILETYPE_FOLDED ? add_folded(&f, in, path)
							 : add_script(&f, in, path);
	if (!status)
		status = draw(o, &f, path);
	sf_flame_release(&f);
	return status;
}

/* Two sides: shares, as the recordings may be of different lengths. */
static int of_two_stacks(const struct report_opts *o, struct sf_sides *s)
{
	struct sf_stackdiff *d;
	struct sf_flame f;
	int status = sf_diff_stacks(&d, s, NULL, &(struct sf_symbols_opts){ .symfs = o->sides.symfs });

	if (status)
		return status;
	sf_flame_init(&f);
	f.unit = "%";
	f.differential = true;
	for (size_t i = 0; !status && i < d->nr_lines; i++) {
		const struct sf_stackdiff_line *l = &d->line[i];

		if (sf_flame_add(&f, l->stack, strlen(l->stack),
				 100.0 * (double)l->weight[SF_FAST] / (double)d->total[SF_FAST],
				 100.0 * (double)l->weight[SF_SLOW] / (double)d->total[SF_SLOW]))
			status = sf_failf("out of memory");
	}
	if (!status)
		status = draw(o, &f, "% of the weight, fast against slow");
	sf_flame_release(&f);
	sf_stackdiff_free(d);
	return status;
}

/* ------------------------------------------------------------------------- command */

static int of_recordings(const struct report_opts *o, struct sf_sides *sides, char **file, size_t nr)
{
	int status = sf_sides_load(sides, &o->sides, file, nr, true);

	if (status)
		return status;
	if (sides->nr_tables)
		return of_sweeps(o, sides);
	return sides->stacks ? of_two_stacks(o, sides) : of_sides(o, sides);
}

/* One file with stacks is read here; everything else is for the recordings' loader, from sides. */
static int other_file(const struct report_opts *o, struct sf_sides *sides, char **file, size_t nr,
		      bool *taken)
{
	struct sf_error err = SF_ERROR_INIT;
	enum sf_filetype type;
	struct sf_input *in;
	int status, ret;

	*taken = false;
	if (nr != 1 || o->sides.fast.nr || !strcmp(file[0], "-"))
		return 0;
	ret = sf_input_open(&in, file[0], &err);
	if (ret == -EISDIR)
		return 0; /* a perf.data directory */
	*taken = true;
	if (ret)
		return sf_fail(&err);
	type = sf_input_type(in);
	*taken = type == SF_FILETYPE_FOLDED || type == SF_FILETYPE_SCRIPT;
	if (type == SF_FILETYPE_CSV) {
		status = sf_sides_keep(sides, file[0], in);
		*taken = status;
		return status;
	}
	status = *taken ? of_stacks(o, in, file[0]) : 0;
	sf_input_free(in);
	return status;
}

static int report(const struct report_opts *o, char **file, size_t nr)
{
	struct sf_sides sides = { 0 };
	unsigned formats;
	bool taken;
	int status = formats_of(o, &formats);

	if (status)
		return status;
	if (!o->dir)
		return sf_usage("where to? -o DIR");
	if (!nr && !o->sides.fast.nr)
		return sf_usage("which FILE?");
	status = other_file(o, &sides, file, nr, &taken);
	if (!taken)
		status = of_recordings(o, &sides, file, nr);
	sf_sides_release(&sides);
	return status;
}

static int run(const struct sf_command *cmd, int argc, char **argv)
{
	struct report_opts o = { .argc = argc, .argv = argv };
	char **words = NULL;
	int nr, first = sf_sides_parse(cmd, &o, argc, argv, &words, &nr), status;

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
		 "stacks with one or two columns, or the text of perf script.",
	.options = options,
	.operands = SF_OPERANDS_FILES,
	.confined = SF_CONFINED_STARTS,
	.run = run,
};
