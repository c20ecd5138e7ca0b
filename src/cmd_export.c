/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <snapflame/export.h>

#include "cmd.h"
#include "options.h"
#include "push.h"
#include "report.h"
#include "windows.h"

enum format { PPROF, SPEEDSCOPE, FIREFOX, PERFETTO, ROWS };
enum table { TABLE_ROWS, TABLE_WINDOWS, TABLE_CAUSES };

struct export_opts {
	int format, table, packing;
	const char *out, *symfs, *kallsyms;
	bool tsv, mean, inlines;
	struct sf_list windows;
	struct sf_push_settings push;
};

#define NS_PER_S UINT64_C(1000000000)

static const char *const formats[] = { "pprof", "speedscope", "firefox", "perfetto", "rows", NULL };
static const char *const tables[] = { "rows", "windows", "causes", NULL };
static const char *const packings[] = { "none", "gzip", "zstd", NULL };

static const struct sf_option options[] = {
	SF_HEADING("What is written"),
	SF_ENUM('f', "format", struct export_opts, format, formats,
		"for go tool pprof, speedscope.app, profiler.firefox.com, ui.perfetto.dev, or an SQL "
		"engine; always needed"),
	SF_FILE('o', "output", struct export_opts, out, "OUT",
		"write to OUT, which appears when it is whole (default: standard output)"),
	SF_WINDOWS(struct export_opts, windows),
	SF_FLAG(0, "mean", struct export_opts, mean,
		"pprof: values of one BRANCH, not the sums of all"),
	SF_ENUM(0, "table", struct export_opts, table, tables,
		"rows: one for each owner, state and stack; or one for each BRANCH with its "
		"covariates; or one for each BRANCH and cause that diff finds"),
	SF_FLAG(0, "tsv", struct export_opts, tsv,
		"rows: tab-separated values with a header, not JSON Lines"),
	SF_ENUM('z', "compress", struct export_opts, packing, packings,
		"rows: compressed (default: as OUT is called, .gz or .zst)"),
	SF_HEADING("To a server for continuous profiling"),
	SF_TEXT(0, "push", struct export_opts, push.url, "URL",
		"send a pprof of each BRANCH to Pyroscope (http://HOST:4040/ingest) or Parca "
		"(http://HOST:7070/profiles/writeraw); without FILE: what waits in the spool"),
	SF_TEXTS(0, "push-header", struct export_opts, push.headers, "NAME: VALUE|@FILE",
		"with each request; @FILE has such lines"),
	SF_FILE(0, "spool", struct export_opts, push.spool, "DIR",
		"what could not be sent waits there (default: see the manual)"),
	SF_TIME(0, "timeout", struct export_opts, push.timeout, "SEC", "for one request (10)"),
	SF_TIME(0, "retry", struct export_opts, push.retry, "SEC",
		"try again for so long, with growing pauses (30)"),
	SF_HEADING("Where names come from"),
	SF_FLAG(0, "inline", struct export_opts, inlines,
		"show inlined calls, and lines of the source, from the debug information"),
	SF_FILE(0, "symfs", struct export_opts, symfs, "DIR", "look for binaries under DIR only"),
	SF_FILE(0, "kallsyms", struct export_opts, kallsyms, "FILE",
		"symbols of the kernel (default: /proc/kallsyms, if it is the recording's kernel)"),
	SF_OPTIONS_END,
};

/* --------------------------------------------------------------------- output */

static enum sf_export_format format_of(const struct export_opts *o)
{
	static const enum sf_export_format of[] = {
		[PPROF] = SF_EXPORT_PPROF, [SPEEDSCOPE] = SF_EXPORT_SPEEDSCOPE,
		[FIREFOX] = SF_EXPORT_FIREFOX, [PERFETTO] = SF_EXPORT_PERFETTO,
	};

	static const enum sf_export_format table[] = {
		[TABLE_ROWS] = SF_EXPORT_ROWS, [TABLE_WINDOWS] = SF_EXPORT_WINDOWS,
		[TABLE_CAUSES] = SF_EXPORT_CAUSES,
	};

	return o->format == ROWS ? table[o->table] : of[o->format];
}

static int write_windows(const struct export_opts *o, struct sf_export *x,
			 const struct sf_picked *picked, FILE *file)
{
	struct sf_export_window *list = calloc(x->nr, sizeof(*list));
	struct sf_error err = SF_ERROR_INIT;
	int status = 0;

	if (!list)
		return sf_failf("out of memory");
	for (size_t i = 0; i < x->nr; i++)
		list[i] = (struct sf_export_window){ picked[i].window, picked[i].group };
	x->window = list;
	/* What standard output has to complain of, main() reports. */
	if (sf_export(format_of(o), x, file, &err) && !(file == stdout && ferror(file)))
		status = sf_fail(&err);
	free(list);
	return status;
}

/* What diff says of the recording: *d, NULL where it has no fast and slow BRANCHes. */
static int find_causes(const struct sf_recording *rec, struct sf_diff **d)
{
	struct sf_window_ref *refs = calloc(rec->nr_windows + 1, sizeof(*refs));
	struct sf_error err = SF_ERROR_INIT;
	struct sf_diff_input in = { 0 };
	int status = 0, ret;
	char text[256];

	*d = NULL;
	if (!refs)
		return sf_failf("out of memory");
	ret = sf_diff_split(rec, NULL, 0, NULL, 0, 0, refs, &in, text, sizeof(text), &err);
	if (ret == -EINVAL)
		sf_warn("%s: no causes: %s", rec->path, err.what);
	else if (ret || sf_diff_make(d, &in, NULL, &err))
		status = sf_fail(&err);
	free(refs);
	return status;
}

static int export_windows(const struct export_opts *o, const struct sf_recording *rec, FILE *file,
			  bool first)
{
	struct sf_export x = { .rec = rec, .mean = o->mean, .tsv = o->tsv, .no_header = !first };
	struct sf_diff *diff = NULL;
	struct sf_picked *picked;
	int status = sf_pick_windows(rec, &o->windows, &picked, &x.nr);

	if (status)
		return status;
	if (x.nr && format_of(o) == SF_EXPORT_CAUSES)
		status = find_causes(rec, &diff);
	x.diff = diff;
	if (status)
		; /* reported */
	else if (x.nr)
		status = write_windows(o, &x, picked, file);
	else
		status = sf_failf("%s: no window to export (snapflame show %s branches lists them)",
				  rec->path, rec->path);
	sf_diff_free(diff);
	free(picked);
	return status;
}

static struct sf_recording_opts loading(const struct export_opts *o)
{
	return (struct sf_recording_opts){
		.symbols = { .symfs = o->symfs, .kallsyms = o->kallsyms, .inlines = o->inlines,
			     .lines = o->inlines },
	};
}

static int export_file(const struct export_opts *o, const char *path, FILE *file, bool first)
{
	struct sf_recording_opts load = loading(o);
	struct sf_recording *rec = sf_load(path, &load);
	int status;

	if (!rec)
		return SF_EXIT_FAILED;
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

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n > m && !strcmp(text + n - m, end);
}

/* Somebody who asks for rows.zst does not want to find text in it. */
static enum sf_packing packing_of(const struct export_opts *o)
{
	if (o->packing >= 0 || o->format != ROWS || !o->out)
		return o->packing > 0 ? (enum sf_packing)o->packing : SF_PACKING_NONE;
	return ends_with(o->out, ".gz") ? SF_PACKING_GZIP
	       : ends_with(o->out, ".zst") ? SF_PACKING_ZSTD : SF_PACKING_NONE;
}

static int export_packed(const struct export_opts *o, char **paths, int nr, FILE *file)
{
	struct sf_error err = SF_ERROR_INIT;
	struct sf_packed packed;
	int status;

	if (sf_packed_open(&packed, file, packing_of(o), &err))
		return sf_fail(&err);
	status = export_files(o, paths, nr, packed.file);
	if (sf_packed_close(&packed) && !status && !ferror(file))
		status = sf_failf("out of memory while compressing");
	return status;
}

static int export_to(const struct export_opts *o, char **paths, int nr)
{
	struct sf_error err = SF_ERROR_INIT;
	struct sf_outfile out;
	int status;

	if (!o->out || !strcmp(o->out, "-"))
		return export_packed(o, paths, nr, stdout);
	if (sf_outfile_open(&out, o->out, &err))
		return sf_fail(&err);
	status = export_packed(o, paths, nr, out.file);
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

/* Options of what is written mean nothing to a server, and the other way round. */
static int check_push(const struct export_opts *o)
{
	if (o->format >= 0 && o->format != PPROF)
		return sf_usage("--push sends pprof: no --format %s", formats[o->format]);
	if (o->out || o->tsv || o->table || o->packing >= 0 || o->mean)
		return sf_usage("--push writes no file: no -o, --table, --tsv, --compress or --mean");
	return 0;
}

static int check_options(const struct export_opts *o, char **paths, int nr)
{
	bool to_stdout = !o->out || !strcmp(o->out, "-");

	if (o->push.url)
		return check_push(o);
	if (o->push.spool || o->push.headers.nr || o->push.timeout || o->push.retry != UINT64_MAX)
		return sf_usage("--push-header, --spool, --timeout and --retry go with --push");
	if (o->format < 0)
		return sf_usage("which format? Give --format pprof, speedscope, firefox, perfetto or "
				"rows");
	if (!nr)
		return sf_usage("which recording? export --format %s run.data", formats[o->format]);
	if (nr > 1 && o->format != ROWS)
		return sf_usage("%d files: only --format rows takes several", nr);
	if (o->format != ROWS && (o->tsv || o->table || o->packing >= 0))
		return sf_usage("--tsv, --table and --compress go with --format rows");
	if (o->format != PPROF && o->mean)
		return sf_usage("--mean goes with --format pprof");
	if (o->format == PPROF && to_stdout && isatty(STDOUT_FILENO))
		return sf_usage("pprof is binary, and standard output is a terminal: give -o OUT");
	if (o->packing > 0 && to_stdout && isatty(STDOUT_FILENO))
		return sf_usage("compressed rows are binary, and standard output is a terminal: give "
				"-o OUT");
	if (is_input(o->out, paths, nr))
		return sf_usage("-o %s would replace the recording: give another name", o->out);
	return 0;
}

static int push(const struct export_opts *o, char **paths, int nr)
{
	struct sf_recording_opts load = loading(o);
	struct sf_push_settings settings = o->push;

	if (settings.retry == UINT64_MAX)
		settings.retry = 30 * NS_PER_S;
	return sf_push_recordings(&settings, &load, &o->windows, paths, nr);
}

static int run(const struct sf_command *cmd, int argc, char **argv)
{
	struct export_opts o = { .format = -1, .packing = -1, .push.retry = UINT64_MAX };
	int first = sf_options_parse(cmd, &o, argc, argv), status;

	if (first <= 0) {
		status = sf_options_status(first);
	} else {
		status = check_options(&o, argv + first, argc - first);
		if (!status && o.push.url)
			status = push(&o, argv + first, argc - first);
		else if (!status)
			status = export_to(&o, argv + first, argc - first);
	}
	sf_options_release(cmd, &o);
	return status;
}

const struct sf_command cmd_export = {
	.name = "export",
	.summary = "a recording in the formats of other programs",
	.usage = "--format FORMAT [options] FILE\n--push URL [options] [FILE...]",
	.about = "Writes the time of FILE's BRANCHes for go tool pprof, speedscope, the Firefox "
		 "Profiler, Perfetto, or as rows for SQL engines. Rows take several files.",
	.options = options,
	.confined = SF_CONFINED_ALONE,
	.run = run,
};
