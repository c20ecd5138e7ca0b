/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <snapflame/export.h>

#include "cmd.h"
#include "options.h"
#include "report.h"

enum format { PPROF, SPEEDSCOPE, FIREFOX, PERFETTO, ROWS };
enum table { TABLE_ROWS, TABLE_WINDOWS };
enum window_word { WINDOW_FAST, WINDOW_SLOW };

struct export_opts {
	int format, table;
	const char *out, *symfs, *kallsyms;
	bool tsv, mean, inlines;
	struct sf_list windows;
};

static const char *const formats[] = { "pprof", "speedscope", "firefox", "perfetto", "rows", NULL };
static const char *const tables[] = { "rows", "windows", NULL };
static const char *const window_words[] = { "fast", "slow", NULL };

static const struct sf_option options[] = {
	SF_HEADING("What is written"),
	SF_ENUM('f', "format", struct export_opts, format, formats,
		"for go tool pprof, speedscope.app, profiler.firefox.com, ui.perfetto.dev, or an SQL "
		"engine; always needed"),
	SF_FILE('o', "output", struct export_opts, out, "OUT",
		"write to OUT, which appears when it is whole (default: standard output)"),
	SF_LIST(0, "window", struct export_opts, windows, window_words, "LIST",
		"only these BRANCHes: 1,2,4-6, fast, slow"),
	SF_FLAG(0, "mean", struct export_opts, mean,
		"pprof: values of one BRANCH, not the sums of all"),
	SF_ENUM(0, "table", struct export_opts, table, tables,
		"rows: one for each owner, state and stack, or one for each BRANCH with its "
		"covariates"),
	SF_FLAG(0, "tsv", struct export_opts, tsv,
		"rows: tab-separated values with a header, not JSON Lines"),
	SF_HEADING("Where names come from"),
	SF_FLAG(0, "inline", struct export_opts, inlines,
		"show inlined calls, and lines of the source, from the debug information"),
	SF_FILE(0, "symfs", struct export_opts, symfs, "DIR", "look for binaries under DIR only"),
	SF_FILE(0, "kallsyms", struct export_opts, kallsyms, "FILE",
		"symbols of the kernel (default: /proc/kallsyms, if it is the recording's kernel)"),
	SF_OPTIONS_END,
};

/* -------------------------------------------------------------------- windows */

static bool in_side(const struct sf_diff_input *in, enum sf_side side, const struct sf_window *w)
{
	for (size_t i = 0; i < in->nr[side]; i++)
		if (in->ref[side][i].window == w)
			return true;
	return false;
}

static bool wants(const struct sf_list *list, const struct sf_export_window *w)
{
	for (size_t i = 0; i < list->nr; i++) {
		const struct sf_list_item *it = &list->item[i];

		if (it->word < 0 ? w->window->branch >= it->first && w->window->branch <= it->last
				 : w->group && !strcmp(w->group, window_words[it->word]))
			return true;
	}
	return !list->nr;
}

static int missing_branch(const struct sf_list *list, const struct sf_recording *rec)
{
	for (size_t k = 0; k < list->nr; k++) {
		const struct sf_list_item *it = &list->item[k];
		bool any = it->word >= 0;

		for (size_t i = 0; i < rec->nr_windows; i++)
			any |= rec->window[i].branch >= it->first && rec->window[i].branch <= it->last;
		if (!any)
			return sf_failf("%s: no BRANCH %llu here (it has %zu; snapflame show FILE "
					"branches lists them)", rec->path,
					(unsigned long long)it->first, rec->nr_windows);
	}
	return 0;
}

static bool has_words(const struct sf_list *list)
{
	for (size_t i = 0; i < list->nr; i++)
		if (list->item[i].word >= 0)
			return true;
	return false;
}

/* The windows that --window names, with their groups where a split can be found. */
static int pick_windows(const struct export_opts *o, const struct sf_recording *rec,
			struct sf_export_window *list, size_t *nr)
{
	struct sf_window_ref *refs = calloc(rec->nr_windows + 1, sizeof(*refs));
	struct sf_error err = SF_ERROR_INIT;
	struct sf_diff_input in = { 0 };
	char text[256];
	int status = refs ? missing_branch(&o->windows, rec) : sf_failf("out of memory");

	if (!status &&
	    sf_diff_split(rec, NULL, 0, NULL, 0, 0, refs, &in, text, sizeof(text), &err)) {
		memset(&in, 0, sizeof(in));
		if (has_words(&o->windows))
			status = sf_fail(&err);
	}
	for (size_t i = 0; !status && i < rec->nr_windows; i++) {
		struct sf_export_window *w = &list[*nr];

		*w = (struct sf_export_window){ .window = &rec->window[i] };
		for (int side = SF_FAST; side < SF_NR_SIDES; side++)
			if (in_side(&in, side, w->window))
				w->group = window_words[side];
		*nr += wants(&o->windows, w);
	}
	free(refs);
	return status;
}

/* --------------------------------------------------------------------- output */

static enum sf_export_format format_of(const struct export_opts *o)
{
	static const enum sf_export_format of[] = {
		[PPROF] = SF_EXPORT_PPROF, [SPEEDSCOPE] = SF_EXPORT_SPEEDSCOPE,
		[FIREFOX] = SF_EXPORT_FIREFOX, [PERFETTO] = SF_EXPORT_PERFETTO,
		[ROWS] = SF_EXPORT_ROWS,
	};

	return o->format == ROWS && o->table == TABLE_WINDOWS ? SF_EXPORT_WINDOWS : of[o->format];
}

static int export_windows(const struct export_opts *o, const struct sf_recording *rec, FILE *file,
			  bool first)
{
	struct sf_export_window *list = calloc(rec->nr_windows + 1, sizeof(*list));
	struct sf_export x = { .rec = rec, .window = list, .mean = o->mean, .tsv = o->tsv,
			       .no_header = !first };
	struct sf_error err = SF_ERROR_INIT;
	int status = list ? pick_windows(o, rec, list, &x.nr) : sf_failf("out of memory");

	if (!status && !x.nr)
		status = sf_failf("%s: no window to export (snapflame show %s branches lists them)",
				  rec->path, rec->path);
	/* What standard output has to complain of, main() reports. */
	if (!status && sf_export(format_of(o), &x, file, &err) && !(file == stdout && ferror(file)))
		status = sf_fail(&err);
	free(list);
	return status;
}

static int export_file(const struct export_opts *o, const char *path, FILE *file, bool first)
{
	struct sf_recording_opts load = { .symbols = { .symfs = o->symfs, .kallsyms = o->kallsyms,
						       .inlines = o->inlines, .lines = o->inlines } };
	struct sf_error err = SF_ERROR_INIT;
	struct sf_recording *rec;
	const char *line;
	int status;

	if (sf_recording_load(&rec, path, &load, &err))
		return sf_fail(&err);
	for (size_t i = 0; (line = sf_recording_problem(rec, i)); i++)
		sf_note("%s: %s", path, line);
	status = export_windows(o, rec, file, first);
	sf_recording_free(rec);
	return status;
}

static int export_files(const struct export_opts *o, char **paths, int nr, FILE *file)
{
	int status = SF_EXIT_DONE;

	for (int i = 0; !status && i < nr; i++)
		status = export_file(o, paths[i], file, i == 0);
	return status;
}

static int export_to(const struct export_opts *o, char **paths, int nr)
{
	struct sf_error err = SF_ERROR_INIT;
	struct sf_outfile out;
	int status;

	if (!o->out || !strcmp(o->out, "-"))
		return export_files(o, paths, nr, stdout);
	if (sf_outfile_open(&out, o->out, &err))
		return sf_fail(&err);
	status = export_files(o, paths, nr, out.file);
	if (!status && sf_outfile_commit(&out, &err))
		status = sf_fail(&err);
	sf_outfile_release(&out);
	return status;
}

/* -------------------------------------------------------------------- command */

/* A recording cannot be made again: -o must not replace it. */
static bool is_input(const char *out, char **paths, int nr)
{
	struct stat a, b;

	if (!out || stat(out, &a) || !S_ISREG(a.st_mode))
		return false;
	for (int i = 0; i < nr; i++)
		if (!stat(paths[i], &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
			return true;
	return false;
}

static int check_options(const struct export_opts *o, char **paths, int nr)
{
	bool to_stdout = !o->out || !strcmp(o->out, "-");

	if (o->format < 0)
		return sf_usage("which format? Give --format pprof, speedscope, firefox, perfetto or "
				"rows");
	if (!nr)
		return sf_usage("which recording? export --format %s run.data", formats[o->format]);
	if (nr > 1 && o->format != ROWS)
		return sf_usage("%d files: only --format rows takes several", nr);
	if (o->format != ROWS && (o->tsv || o->table))
		return sf_usage("--tsv and --table go with --format rows");
	if (o->format != PPROF && o->mean)
		return sf_usage("--mean goes with --format pprof");
	if (o->format == PPROF && to_stdout && isatty(STDOUT_FILENO))
		return sf_usage("pprof is binary, and standard output is a terminal: give -o OUT");
	if (is_input(o->out, paths, nr))
		return sf_usage("-o %s would replace the recording: give another name", o->out);
	return 0;
}

static int run(const struct sf_command *cmd, int argc, char **argv)
{
	struct export_opts o = { .format = -1 };
	int first = sf_options_parse(cmd, &o, argc, argv), status;

	if (first <= 0) {
		status = sf_options_status(first);
	} else {
		status = check_options(&o, argv + first, argc - first);
		if (!status)
			status = export_to(&o, argv + first, argc - first);
	}
	sf_options_release(cmd, &o);
	return status;
}

const struct sf_command cmd_export = {
	.name = "export",
	.summary = "a recording in the formats of other programs",
	.usage = "--format FORMAT [options] FILE",
	.about = "Writes the time of FILE's BRANCHes for go tool pprof, speedscope, the Firefox "
		 "Profiler, Perfetto, or as rows for SQL engines. Rows take several files.",
	.options = options,
	.run = run,
};
