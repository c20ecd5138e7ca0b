/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/render_table.h>
#include <snapflame/tables.h>

#include "cmd.h"
#include "options.h"
#include "progress.h"
#include "report.h"
#include "terminal.h"
#include "windows.h"

struct show_opts {
	bool csv, json, api;
	struct sf_list windows;
	const char *symfs;
};

static const struct sf_option options[] = {
	SF_HEADING("What is shown"),
	SF_WINDOWS(struct show_opts, windows),
	SF_FLAG(0, "api", struct show_opts, api,
		"the API's windows, also where the dark ones are known"),
	SF_FILE(0, "symfs", struct show_opts, symfs, "DIR", "look for binaries under DIR"),
	SF_HEADING("How"),
	SF_FLAG(0, "csv", struct show_opts, csv, "as CSV; of branches: the sweep CSV"),
	SF_FLAG(0, "json", struct show_opts, json, "as a JSON array"),
	SF_OPTIONS_END,
};

static const char *const tables[] = { "branches", "phases",  "threads",  "states", "futex",  "syscalls",
				      "io",       "wakeups", "coverage", "growth", "events", NULL };

static bool find_table(const char *name, enum sf_table_id *id)
{
	for (int i = 0; i < SF_NR_TABLES; i++)
		if (i != SF_TABLE_SWEEP && !strcmp(sf_table_name(i), name)) {
			*id = i;
			return true;
		}
	return false;
}

static int unknown_table(const char *name)
{
	const char *near = sf_nearest(name, tables);

	if (near)
		return sf_usage("no table '%s'; did you mean '%s'?", name, near);
	return sf_usage("no table '%s'; there are branches, phases, threads, states, futex, syscalls, "
			"io, wakeups, coverage, growth and events", name);
}

static int print(const struct sf_table *t, const struct show_opts *o)
{
	struct sf_text_opts text = sf_terminal_opts(stdout);
	struct sf_str out = SF_STR_INIT;
	int ret = 0;

	if (o->json)
		ret = sf_json_table(&out, t);
	else if (o->csv)
		ret = sf_csv_table(&out, t);
	else
		sf_text_table(&out, t, &text);
	sf_progress_end();
	if (ret || sf_str_failed(&out))
		ret = sf_failf("out of memory");
	else
		fputs(out.buf, stdout);
	for (size_t i = 0; (o->json || o->csv) && i < t->nr_notes; i++)
		sf_note("%s", t->note[i]);
	sf_str_release(&out);
	return ret;
}

static int show_events(const char *path, const struct show_opts *o)
{
	struct sf_error err = SF_ERROR_INIT;
	struct sf_table *t;
	int status;

	if (sf_table_events(&t, path, &err))
		return sf_fail(&err);
	status = print(t, o);
	sf_table_free(t);
	return status;
}

static int make_and_print(const struct sf_recording *rec, enum sf_table_id id,
			  const struct sf_table_opts *to, const struct show_opts *o)
{
	struct sf_error err = SF_ERROR_INIT;
	struct sf_table *t;
	int status;

	if (sf_table_make(&t, rec, id, to, &err))
		return sf_fail(&err);
	status = print(t, o);
	sf_table_free(t);
	return status;
}

static int show(const struct sf_recording *rec, enum sf_table_id id, const struct show_opts *o)
{
	const struct sf_window **list = NULL;
	struct sf_picked *picked;
	size_t nr;
	int status = sf_pick_windows(rec, &o->windows, &picked, &nr);

	if (status)
		return status;
	list = calloc(nr + 1, sizeof(*list));
	for (size_t i = 0; list && i < nr; i++)
		list[i] = picked[i].window;
	if (list)
		status = make_and_print(rec, id, &(struct sf_table_opts){ list, nr }, o);
	else
		status = sf_failf("out of memory");
	free(list);
	free(picked);
	return status;
}

static int load_and_show(const char *path, enum sf_table_id id, const struct show_opts *o)
{
	struct sf_recording *rec = sf_load(path, &(struct sf_recording_opts){
		.symbols = { .symfs = o->symfs }, .api_windows = o->api });
	int status;

	if (!rec)
		return SF_EXIT_FAILED;
	status = show(rec, id, o);
	sf_recording_free(rec);
	return status;
}

static int run(const struct sf_command *cmd, int argc, char **argv)
{
	struct show_opts o = { 0 };
	int first = sf_options_parse(cmd, &o, argc, argv), status;
	enum sf_table_id id;

	if (first <= 0)
		status = sf_options_status(first);
	else if (argc - first != 2)
		status = sf_usage("needs a recording and the name of a table: show slow.data threads");
	else if (o.csv && o.json)
		status = sf_usage("--csv and --json exclude each other");
	else if (!find_table(argv[first + 1], &id))
		status = unknown_table(argv[first + 1]);
	else if (id == SF_TABLE_EVENTS)
		status = show_events(argv[first], &o);
	else
		status = load_and_show(argv[first],
				       id == SF_TABLE_BRANCHES && o.csv ? SF_TABLE_SWEEP : id, &o);
	sf_options_release(cmd, &o);
	return status;
}

const struct sf_command cmd_show = {
	.name = "show",
	.summary = "what a recording holds, as tables",
	.usage = "[options] FILE TABLE",
	.about = "Prints a table: branches, phases, threads, states, futex, syscalls, io, wakeups, "
		 "coverage, growth or events. Times are ms and sums over the BRANCHes shown.",
	.options = options,
	.operands = SF_OPERANDS_FILES,
	.words = tables,
	.confined = SF_CONFINED_ALONE,
	.run = run,
};
