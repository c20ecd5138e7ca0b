/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <snapflame/filetype.h>
#include <snapflame/fold.h>
#include <snapflame/fold_view.h>
#include <snapflame/folded.h>
#include <snapflame/marks.h>
#include <snapflame/reader.h>
#include <snapflame/script.h>
#include <snapflame/symbol.h>

#include "cmd.h"
#include "options.h"
#include "progress.h"
#include "report.h"
#include "windows.h"

enum view { VIEW_AUTO, VIEW_SAMPLES, VIEW_WALL, VIEW_ONCPU, VIEW_OFFCPU, VIEW_CRITICAL };

struct fold_opts {
	int view, weight;
	const char *event, *symfs, *kallsyms;
	bool pid, tid, kernel, jit, all, addrs, inlines;
	struct sf_list windows;
	struct sf_time_span time;
	struct sf_texts threads;
};

static const char *const views[] = { "auto",   "samples", "wall", "oncpu",
				     "offcpu", "critical", NULL };
static const char *const weights[] = { "period", "count", NULL };

static const struct sf_option options[] = {
	SF_HEADING("What is counted"),
	SF_ENUM(0, "view", struct fold_opts, view, views,
		"samples: what the events weigh; the others: µs of the windows, all threads (wall), "
		"running, waiting, or on the critical path; auto: wall where there are windows, "
		"else samples"),
	SF_TEXT('e', "event", struct fold_opts, event, "NAME",
		"fold this event (default: the first one met)"),
	SF_TEXT(0, "event-filter", struct fold_opts, event, "NAME",
		"the same, as stackcollapse-perf.pl calls it"),
	SF_ENUM(0, "weight", struct fold_opts, weight, weights, "sum of periods, or of samples"),
	SF_WINDOWS(struct fold_opts, windows),
	SF_SPAN(0, "time", struct fold_opts, time, "A,B",
		"only from A to B, in seconds as perf script prints them; A or B may be left out"),
	SF_TEXTS(0, "thread", struct fold_opts, threads, "NAME",
		 "only threads of this name, or that match a pattern; may be repeated"),
	SF_HEADING("How stacks are named"),
	SF_FLAG(0, "pid", struct fold_opts, pid, "the root is NAME-PID"),
	SF_FLAG(0, "tid", struct fold_opts, tid, "the root is NAME-PID/TID"),
	SF_FLAG(0, "kernel", struct fold_opts, kernel, "mark frames of the kernel with _[k]"),
	SF_FLAG(0, "jit", struct fold_opts, jit, "mark frames of JIT code with _[j]"),
	SF_FLAG(0, "all", struct fold_opts, all, "mark both"),
	SF_FLAG(0, "addrs", struct fold_opts, addrs, "show the address of what has no name"),
	SF_FLAG(0, "inline", struct fold_opts, inlines,
		"show inlined calls, from the debug information, with _[i]"),
	SF_HEADING("Where names come from"),
	SF_FILE(0, "symfs", struct fold_opts, symfs, "DIR", "look for binaries under DIR only"),
	SF_FILE(0, "kallsyms", struct fold_opts, kallsyms, "FILE",
		"symbols of the kernel (default: /proc/kallsyms, if it is the recording's kernel)"),
	SF_OPTIONS_END,
};

struct fold {
	const struct fold_opts *o;
	struct sf_fold *fold;
};

static void report_problems(const char *path, struct sf_reader *r, struct sf_symbols *symbols)
{
	const struct sf_reader_stats *st = sf_reader_stats(r);
	const char *p;

	if (st->lost)
		sf_warn("%s: %" PRIu64 " samples were lost while recording", path, st->lost);
	if (st->bad)
		sf_warn("%s: %" PRIu64 " records that cannot be right were left out", path,
			st->bad);
	if (st->truncated)
		sf_warn("%s: ends in the middle of a record", path);
	for (size_t i = 0; (p = sf_reader_problem(r, i)); i++)
		sf_note("%s: %s", path, p);
	for (size_t i = 0; (p = sf_symbols_problem(symbols, i)); i++)
		sf_note("%s: %s", path, p);
}

static int fold_perf_data(struct fold *f, struct sf_input *in, const char *path,
			  struct sf_error *err)
{
	struct sf_symbols_opts opts = {
		.symfs = f->o->symfs, .kallsyms = f->o->kallsyms, .inlines = f->o->inlines,
		.progress = sf_progress_names };
	struct sf_symbols *symbols;
	struct sf_reader *r;
	int ret;

	ret = in ? sf_reader_open_input(&r, in, path, NULL, err)
		 : sf_reader_open(&r, path, NULL, err);
	if (ret)
		return ret;
	ret = sf_symbols_new(&symbols, &opts, err);
	if (!ret) {
		ret = sf_fold_perf_data(f->fold, r, symbols, err);
		report_problems(path, r, symbols);
		sf_symbols_free(symbols);
	}
	sf_reader_free(r);
	return ret;
}

static int fold_script(struct fold *f, struct sf_input *in, const char *path,
		       struct sf_error *err)
{
	const struct sf_script_stats *st;
	struct sf_script *s;
	int ret = sf_script_new(&s, in, path, err);

	if (ret)
		return ret;
	ret = sf_fold_script(f->fold, s, err);
	st = sf_script_stats(s);
	if (!ret && st->unrecognized)
		sf_warn("%s:%u: not a line of perf script; %" PRIu64 " such lines were left out",
			path, st->first_unrecognized, st->unrecognized);
	sf_script_free(s);
	return ret;
}

static int fold_folded(struct fold *f, struct sf_input *in, const char *path,
		       struct sf_error *err)
{
	const struct sf_folded_stats *st;
	struct sf_folded *s;
	int ret = sf_folded_new(&s, in, path, err);

	if (ret)
		return ret;
	ret = sf_fold_folded(f->fold, s, path, err);
	st = sf_folded_stats(s);
	if (!ret && st->unrecognized)
		sf_warn("%s:%u: not a folded stack; %" PRIu64 " such lines were left out", path,
			st->first_unrecognized, st->unrecognized);
	if (!ret && st->rounded)
		sf_warn("%s: %" PRIu64 " weights with a fraction were rounded", path, st->rounded);
	sf_folded_free(s);
	return ret;
}

/* Takes in. */
static int fold_input(struct fold *f, struct sf_input *in, const char *path,
		      struct sf_error *err)
{
	enum sf_filetype type = sf_input_type(in);
	int ret = 0;

	sf_progress_begin(SF_PROGRESS_BYTES, "reading %s", path);
	sf_input_progress(in, &sf_progress_line);
	switch (type) {
	case SF_FILETYPE_PERF_DATA:
		return fold_perf_data(f, in, path, err);
	case SF_FILETYPE_SCRIPT:
		ret = fold_script(f, in, path, err);
		break;
	case SF_FILETYPE_FOLDED:
		ret = fold_folded(f, in, path, err);
		break;
	case SF_FILETYPE_EMPTY:
		sf_warn("%s: empty", path);
		break;
	case SF_FILETYPE_CSV:
	case SF_FILETYPE_UNKNOWN:
		ret = sf_error_at(err, -EINVAL, path, 0,
				  "neither a perf.data file, nor text of perf script, nor folded "
				  "stacks");
		break;
	}
	sf_input_free(in);
	return ret;
}

static int fold_path(struct fold *f, const char *path)
{
	struct sf_error err = SF_ERROR_INIT;
	struct sf_input *in;
	int ret = sf_input_open(&in, path, &err);

	/* perf record --threads writes a directory. */
	if (ret == -EISDIR)
		ret = fold_perf_data(f, NULL, path, &err);
	else if (!ret)
		ret = fold_input(f, in, path, &err);
	return ret ? sf_fail(&err) : SF_EXIT_DONE;
}

static int print_line(void *arg, const char *line, size_t len, uint64_t weight)
{
	fwrite(line, 1, len, stdout);
	printf(" %" PRIu64 "\n", weight);
	return ferror(stdout) ? -EIO : 0;
}

/* What was left out, and that a wrong --event was not simply an empty picture. */
static int report_events(const struct fold *f)
{
	const struct sf_fold_stats *st = sf_fold_stats(f->fold);
	const char *event = sf_fold_event(f->fold), *met;
	char others[512] = "";
	size_t len = 0;

	for (size_t i = 0; (met = sf_fold_event_met(f->fold, i)); i++)
		if (strcmp(met, event) && len < sizeof(others))
			len += (size_t)snprintf(others + len, sizeof(others) - len, "%s%s",
						len ? ", " : "", met);
	if (f->o->event && !st->samples && !st->filtered && !st->lines)
		return sf_failf("no samples of event %s; there are: %s", f->o->event,
				len ? others : "none");
	if (!f->o->event && st->other_event && len)
		sf_warn("folded is %s; --event NAME folds the others: %s", event, others);
	if (st->no_stack)
		sf_warn("%" PRIu64 " samples have no call chain (perf record -g)",
			st->no_stack);
	return SF_EXIT_DONE;
}

static int fold_samples(const struct fold_opts *o, char **paths, int nr)
{
	struct sf_fold_opts opts = {
		.event = o->event,
		.weight = o->weight ? SF_FOLD_COUNT : SF_FOLD_PERIOD,
		.pid = o->pid,
		.tid = o->tid,
		.kernel = o->kernel || o->all,
		.jit = o->jit || o->all,
		.addrs = o->addrs,
		.span = o->time.set,
		.begin = o->time.begin,
		.end = o->time.end,
		.threads = o->threads.item,
		.nr_threads = o->threads.nr,
	};
	struct fold f = { .o = o };
	struct sf_error err = SF_ERROR_INIT;
	int status = SF_EXIT_DONE;

	if (sf_fold_new(&f.fold, &opts, &err))
		return sf_fail(&err);
	for (int i = 0; i < nr && status == SF_EXIT_DONE; i++)
		status = fold_path(&f, paths[i]);
	/* What could be read before a file went wrong is still true: print it, but fail. */
	sf_progress_end();
	if (sf_fold_each(f.fold, print_line, NULL) == -ENOMEM)
		status = sf_failf("no memory");
	if (status == SF_EXIT_DONE)
		status = report_events(&f);
	sf_fold_free(f.fold);
	return status;
}

/* ------------------------------------------------------- views of windows */

/*
 * Is it a recording with marks, so that its time can be folded? What can be read but once is not
 * looked at: <(perf script) is a name, too.
 */
static bool has_windows(const char *path)
{
	struct sf_reader *r;
	struct stat st;
	bool yes = false;

	if (!strcmp(path, "-") || stat(path, &st) || !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
		return false;
	if (sf_reader_open(&r, path, NULL, NULL))
		return false;
	for (size_t i = 0; !yes && i < sf_reader_nr_events(r); i++)
		yes = !strcmp(sf_reader_event(r, i)->name, SF_EVENT_MARK);
	sf_reader_free(r);
	return yes;
}

static int fold_picked(struct sf_fold *f, const struct sf_recording *rec,
		       const struct sf_picked *picked, size_t nr, const struct sf_view_opts *opts)
{
	struct sf_window_ref *refs;
	struct sf_error err = SF_ERROR_INIT;
	int status = SF_EXIT_DONE;

	if (!nr)
		return sf_failf("%s: no window to fold (snapflame show %s branches lists them)",
				rec->path, rec->path);
	refs = calloc(nr, sizeof(*refs));
	if (!refs)
		return sf_failf("out of memory");
	for (size_t i = 0; i < nr; i++)
		refs[i] = (struct sf_window_ref){ rec, picked[i].window };
	if (sf_fold_windows(f, refs, nr, opts, &err))
		status = sf_fail(&err);
	free(refs);
	return status;
}

/* What view_recording() returns where nobody asked for windows, and there is none. */
enum { NO_WINDOW = -1 };

static int view_recording(struct sf_fold *f, const struct fold_opts *o, const char *path)
{
	static const enum sf_view view_of[] = {
		[VIEW_AUTO] = SF_VIEW_WALL,     [VIEW_WALL] = SF_VIEW_WALL,
		[VIEW_ONCPU] = SF_VIEW_ONCPU,   [VIEW_OFFCPU] = SF_VIEW_OFFCPU,
		[VIEW_CRITICAL] = SF_VIEW_CRITICAL,
	};
	struct sf_recording_opts load = { .symbols = {
		.symfs = o->symfs, .kallsyms = o->kallsyms, .inlines = o->inlines } };
	struct sf_view_opts opts = {
		.view = view_of[o->view], .pid = o->pid, .tid = o->tid,
		.threads = o->threads.item, .nr_threads = o->threads.nr,
		.begin = o->time.set ? o->time.begin : 0, .end = o->time.set ? o->time.end : 0,
	};
	struct sf_recording *rec = sf_load(path, &load);
	struct sf_picked *picked;
	size_t nr;
	int status;

	if (!rec)
		return SF_EXIT_FAILED;
	if (!rec->nr_windows && o->view == VIEW_AUTO && !o->windows.nr) {
		sf_recording_free(rec);
		return NO_WINDOW;
	}
	status = sf_pick_windows(rec, &o->windows, &picked, &nr);
	if (!status) {
		status = fold_picked(f, rec, picked, nr, &opts);
		free(picked);
	}
	sf_recording_free(rec);
	return status;
}

static int fold_views(const struct fold_opts *o, char **paths, int nr)
{
	struct sf_fold_opts opts = { .kernel = true, .jit = true };
	struct sf_error err = SF_ERROR_INIT;
	int status = SF_EXIT_DONE;
	struct sf_fold *f;

	if (sf_fold_new(&f, &opts, &err))
		return sf_fail(&err);
	for (int i = 0; i < nr && status == SF_EXIT_DONE; i++)
		status = view_recording(f, o, paths[i]);
	sf_progress_end();
	if (status == SF_EXIT_DONE && sf_fold_each(f, print_line, NULL) == -ENOMEM)
		status = sf_failf("no memory");
	sf_fold_free(f);
	return status;
}

/* What only one of the two ways of folding can do must not be silently passed over. */
static int check_options(const struct fold_opts *o, bool views_wanted)
{
	if (views_wanted && (o->event || o->weight || o->addrs))
		return sf_usage("--event, --weight and --addrs go with --view samples");
	if (!views_wanted && o->windows.nr)
		return sf_usage("--window does not go with --view samples: use --time, or another view");
	return SF_EXIT_DONE;
}

static int run(const struct sf_command *cmd, int argc, char **argv)
{
	static char perf_data[] = "perf.data", *defaults[] = { perf_data };
	struct fold_opts o = { 0 };
	int first = sf_options_parse(cmd, &o, argc, argv), status;
	int nr = argc - first;
	char **paths;
	bool windows;

	if (first <= 0)
		return sf_options_status(first);
	paths = nr ? argv + first : defaults;
	nr = nr ? nr : 1;
	windows = o.view > VIEW_SAMPLES ||
		  (o.view == VIEW_AUTO && (o.windows.nr || (!o.event && !o.weight && has_windows(paths[0]))));
	status = check_options(&o, windows);
	if (status == SF_EXIT_DONE && windows)
		status = fold_views(&o, paths, nr);
	/* A recorder that was killed before its first BRANCH leaves samples, and no window. */
	if (status == NO_WINDOW || (status == SF_EXIT_DONE && !windows))
		status = fold_samples(&o, paths, nr);
	sf_options_release(cmd, &o);
	return status;
}

const struct sf_command cmd_fold = {
	.name = "fold",
	.summary = "folded stacks, for flamegraph.pl",
	.usage = "[options] [FILE...]",
	.about = "Writes one line for each stack to standard output: the frames from the root on, "
		 "separated by ';', and what the stack weighs. FILE is a perf.data file (default: "
		 "perf.data), text of perf script, or folded stacks, compressed or not; - is standard "
		 "input; several are added up.",
	.options = options,
	.confined = SF_CONFINED_ALONE,
	.run = run,
};
