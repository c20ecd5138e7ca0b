/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/render_table.h>
#include <snapflame/tables.h>

#include "cmd.h"
#include "options.h"
#include "report.h"
#include "terminal.h"

struct show_opts {
	bool csv, json, api;
	struct sf_list windows;
	const char *symfs;
};

static const struct sf_option options[] = {
	SF_HEADING("What is shown"),
	SF_LIST(0, "window", struct show_opts, windows, NULL, "1,2,4-6", "these BRANCHes only"),
	SF_FLAG(0, "api", struct show_opts, api,
		"the API's windows, also where the dark ones are known"),
	SF_FILE(0, "symfs", struct show_opts, symfs, "DIR", "look for binaries under DIR"),
	SF_HEADING("How"),
	SF_FLAG(0, "csv", struct show_opts, csv, "as CSV; of branches: the sweep CSV"),
	SF_FLAG(0, "json", struct show_opts, json, "as a JSON array"),
	SF_OPTIONS_END,
};

static const char *const tables[] = { "branches", "threads", "states",   "futex",  "syscalls",
				      "io",       "wakeups", "coverage", "events", NULL };

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
	return sf_usage("no table '%s'; there are branches, threads, states, futex, syscalls, io, "
			"wakeups, coverage and events", name);
}

/* Windows that the list names; all where there is none. *list is malloc'd. */
static int pick_windows(const struct show_opts *o, const struct sf_recording *rec,
			const struct sf_window ***list, size_t *nr)
{
	*nr = 0;
	*list = calloc(rec->nr_windows + 1, sizeof(**list));
	if (!*list)
		return sf_failf("out of memory");
	for (size_t k = 0; k < o->windows.nr; k++) {
		const struct sf_list_item *it = &o->windows.item[k];
		bool any = false;

		for (size_t i = 0; i < rec->nr_windows; i++)
			any |= rec->window[i].branch >= it->first && rec->window[i].branch <= it->last;
		if (!any)
			return sf_failf("%s: no BRANCH %llu here (it has %zu; snapflame show FILE "
					"branches lists them)", rec->path,
					(unsigned long long)it->first, rec->nr_windows);
	}
	for (size_t i = 0; i < rec->nr_windows; i++)
		for (size_t k = 0; k < o->windows.nr || !k; k++) {
			const struct sf_list_item *it = o->windows.item + k;

			if (!o->windows.nr || (rec->window[i].branch >= it->first &&
					       rec->window[i].branch <= it->last)) {
				(*list)[(*nr)++] = &rec->window[i];
				break;
			}
		}
	return 0;
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

static int show(const struct sf_recording *rec, enum sf_table_id id, const struct show_opts *o)
{
	const struct sf_window **list = NULL;
	struct sf_error err = SF_ERROR_INIT;
	struct sf_table_opts to = { 0 };
	struct sf_table *t;
	int status = pick_windows(o, rec, &list, &to.nr_windows);

	to.window = list;
	if (!status && sf_table_make(&t, rec, id, &to, &err))
		status = sf_fail(&err);
	else if (!status) {
		status = print(t, o);
		sf_table_free(t);
	}
	free(list);
	return status;
}

static int load_and_show(const char *path, enum sf_table_id id, const struct show_opts *o)
{
	struct sf_recording_opts lo = { .symbols = { .symfs = o->symfs }, .api_windows = o->api };
	struct sf_error err = SF_ERROR_INIT;
	struct sf_recording *rec;
	const char *line;
	int status;

	if (sf_recording_load(&rec, path, &lo, &err))
		return sf_fail(&err);
	if (rec->stats.truncated || rec->stats.unfinished)
		sf_warn("%s: is cut off: what came last is missing, BRANCHes and names with it", path);
	for (size_t i = 0; (line = sf_recording_problem(rec, i)); i++)
		sf_note("%s: %s", path, line);
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
	.about = "Prints a table: branches, threads, states, futex, syscalls, io, wakeups, coverage "
		 "or events. Times are ms and sums over the BRANCHes shown.",
	.options = options,
	.operands = SF_OPERANDS_FILES,
	.words = tables,
	.run = run,
};
