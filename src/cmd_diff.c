/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/array.h>
#include <snapflame/diff.h>
#include <snapflame/gate.h>
#include <snapflame/render_folded.h>
#include <snapflame/render_json.h>
#include <snapflame/render_stackdiff.h>
#include <snapflame/render_sweepdiff.h>
#include <snapflame/render_text.h>

#include "cmd.h"
#include "diff_sides.h"
#include "diff_stacks.h"
#include "diff_sweeps.h"
#include "options.h"
#include "progress.h"
#include "report.h"
#include "report_dir.h"
#include "terminal.h"

enum format { FORMAT_TEXT, FORMAT_FOLDED, FORMAT_JSON };

static const char *const formats[] = { "text", "folded", "json", NULL };

struct diff_opts {
	struct sf_sides_opts sides;
	const char *dir, *event;
	int format;
	double fail_over;
	bool json;
	int argc; /* the words of the command, for the report */
	char **argv;
};

static const struct sf_option options[] = {
	SF_HEADING("What is compared"),
	SF_SIDES_OPTIONS(struct diff_opts, sides),
	SF_TEXT(0, "event", struct diff_opts, event, "NAME",
		"of stacks without BRANCHes: compare this event (the first one)"),
	SF_HEADING("The result"),
	SF_FILE('o', "output", struct diff_opts, dir, "DIR",
		"write report.html, figures and data to DIR, too"),
	SF_ENUM(0, "format", struct diff_opts, format, formats, "what is printed"),
	SF_FLAG(0, "json", struct diff_opts, json, "the same as --format json"),
	SF_PERCENT(0, "fail-over", struct diff_opts, fail_over, "PCT",
		   "exit with 3 if the pauses surely grew by more than PCT %"),
	SF_OPTIONS_END,
};

/* Print what was made, if it was. */
static int put(struct sf_str *out, int ret)
{
	sf_progress_end();
	if (ret || sf_str_failed(out))
		ret = sf_failf("out of memory");
	else
		fputs(out->buf, stdout);
	sf_str_release(out);
	return ret;
}

static int print(const struct sf_diff *d, enum format format)
{
	struct sf_text_opts text = sf_terminal_opts(stdout);
	struct sf_str out = SF_STR_INIT;
	int ret = 0;

	if (format == FORMAT_JSON)
		ret = sf_json_diff(&out, d);
	else if (format == FORMAT_FOLDED)
		ret = sf_folded_diff(&out, d);
	else
		sf_text_diff(&out, d, &text);
	return put(&out, ret);
}

/* Folded text has no place for it. */
static void say_no_verdict(const struct sf_diff *d)
{
	if (d->has_verdict)
		return;
	for (size_t i = 0; i < d->coverage.nr_problems; i++)
		sf_warn("no verdict: %s", d->coverage.problem[i]);
}

static void say_cause(const struct sf_diff *d, const struct sf_cause *c)
{
	struct sf_str s = SF_STR_INIT;

	sf_gate_cause(&s, d, c);
	sf_warn("grew %s", s.buf);
	sf_str_release(&s);
}

static int say_gate(const struct sf_gate *g)
{
	if (!g->exceeded && g->decided)
		sf_note("%s", g->text);
	else
		sf_warn("%s", g->text);
	return g->exceeded ? SF_EXIT_GATE : SF_EXIT_DONE;
}

static int gate(const struct sf_diff *d, double limit)
{
	struct sf_gate g;
	int status;

	if (isnan(limit))
		return SF_EXIT_DONE;
	if (sf_gate_check(&g, d, limit))
		return sf_failf("out of memory");
	status = say_gate(&g);
	for (size_t i = 0; g.exceeded && i < g.nr_grew; i++)
		say_cause(d, g.grew[i]);
	return status;
}

static enum format format_of(const struct diff_opts *o)
{
	return o->json ? FORMAT_JSON : (enum format)o->format;
}

static int report(const struct diff_opts *o, const struct sf_sides *sides, const struct sf_diff *d)
{
	struct sf_report_input in = { .rec = sides->rec, .nr_recs = sides->nr, .diff = d };

	return sf_report_to(o->dir, &in, o->argc, o->argv);
}

static int compare(const struct diff_opts *o, const struct sf_sides *sides)
{
	struct sf_error err = SF_ERROR_INIT;
	enum format format = format_of(o);
	struct sf_diff *d;
	int status;

	if (sf_diff_make(&d, &sides->in, NULL, &err))
		return sf_fail(&err);
	status = print(d, format);
	if (format == FORMAT_FOLDED)
		say_no_verdict(d);
	if (!status && o->dir)
		status = report(o, sides, d);
	if (!status)
		status = gate(d, o->fail_over);
	sf_diff_free(d);
	return status;
}

static int print_stacks(const struct sf_stackdiff *d, enum format format)
{
	struct sf_text_opts text = sf_terminal_opts(stdout);
	struct sf_str out = SF_STR_INIT;
	int ret = 0;

	if (format == FORMAT_JSON)
		ret = sf_json_stackdiff(&out, d);
	else if (format == FORMAT_FOLDED)
		ret = sf_folded_stackdiff(&out, d);
	else
		sf_text_stackdiff(&out, d, &text);
	return put(&out, ret);
}

static int compare_stacks(const struct diff_opts *o, struct sf_sides *sides)
{
	struct sf_stackdiff *d;
	int status;

	if (o->dir)
		return sf_failf("-o: a report needs BRANCHes; snapflame report draws stacks");
	status = sf_diff_stacks(&d, sides, o->event,
				&(struct sf_symbols_opts){ .symfs = o->sides.symfs });
	if (status)
		return status;
	status = print_stacks(d, format_of(o));
	if (format_of(o) == FORMAT_FOLDED)
		sf_warn("no verdict: %s", d->why);
	if (!status && !isnan(o->fail_over))
		sf_warn("growth against the limit of %g %%: not decided, there are no pauses",
			o->fail_over);
	sf_stackdiff_free(d);
	return status;
}

/* ------------------------------------------------------------------ tables of pauses */

static int print_sweeps(const struct sf_sweepdiff *d, enum format format)
{
	struct sf_text_opts text = sf_terminal_opts(stdout);
	struct sf_str out = SF_STR_INIT;
	int ret = 0;

	if (format == FORMAT_JSON)
		ret = sf_json_sweepdiff(&out, d);
	else
		sf_text_sweepdiff(&out, d, &text);
	return put(&out, ret);
}

static int compare_sweeps(const struct diff_opts *o, struct sf_sides *sides)
{
	struct sf_sweeps s;
	struct sf_gate g;
	int status;

	if (o->event || format_of(o) == FORMAT_FOLDED)
		return sf_usage("%s: there are no stacks in a table of pauses",
				o->event ? "--event" : "--format folded");
	status = o->dir ? sf_sweeps_reportable(sides) : 0;
	if (status)
		return status;
	status = sf_sweeps_load(&s, sides, &o->sides, false);
	if (!status)
		status = print_sweeps(s.diff, format_of(o));
	if (!status && o->dir)
		status = sf_sweeps_report(&s, o->dir, 0, o->argc, o->argv);
	if (!status && !isnan(o->fail_over)) {
		sf_gate_pauses(&g, s.diff->median_ms[SF_FAST], &s.diff->delta, o->fail_over);
		status = say_gate(&g);
	}
	sf_sweeps_release(&s);
	return status;
}

static int diff(const struct diff_opts *o, char **file, size_t nr)
{
	struct sf_sides sides = { 0 };
	int status = sf_sides_load(&sides, &o->sides, file, nr, false);

	if (!status && sides.nr_tables)
		status = compare_sweeps(o, &sides);
	else if (!status && o->event && !sides.stacks)
		status = sf_usage("--event is for stacks without BRANCHes");
	else if (!status)
		status = sides.stacks ? compare_stacks(o, &sides) : compare(o, &sides);
	sf_sides_release(&sides);
	return status;
}

static int run(const struct sf_command *cmd, int argc, char **argv)
{
	struct diff_opts o = { .fail_over = NAN, .argc = argc, .argv = argv };
	char **words = NULL;
	int nr, first = sf_sides_parse(cmd, &o, argc, argv, &words, &nr), status;

	if (first <= 0)
		status = sf_options_status(first);
	else if (o.json && o.format != FORMAT_TEXT && o.format != FORMAT_JSON)
		status = sf_usage("--json and --format %s exclude each other", formats[o.format]);
	else
		status = diff(&o, words + first, (size_t)(nr - first));
	sf_options_release(cmd, &o);
	free(words);
	return status;
}

const struct sf_command cmd_diff = {
	.name = "diff",
	.summary = "why the slow BRANCHes are slower: verdict and ranked causes",
	.usage = "[options] FAST SLOW\n[options] RUN\n[options] --fast FILE... --slow FILE...",
	.about = "Compares recordings of fast and of slow BRANCHes: proves what they cover, says in "
		 "one sentence why the pauses grew, and ranks what differs. With one recording the "
		 "BRANCHes are split where the pauses change, or as --fast and --slow say. Tables of "
		 "pauses (the CSV of show branches) and folded stacks are compared as far as they go.",
	.options = options,
	.operands = SF_OPERANDS_FILES,
	.confined = SF_CONFINED_STARTS,
	.run = run,
};
