/* SPDX-License-Identifier: GPL-2.0-only */
#include "diff_stacks.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <snapflame/array.h>
#include <snapflame/filetype.h>
#include <snapflame/folded.h>
#include <snapflame/script.h>

#include "report.h"

static int fold_script(struct sf_fold *f, struct sf_input *in, const char *path,
		       struct sf_error *err)
{
	struct sf_script *s;
	int ret = sf_script_new(&s, in, path, err);

	if (!ret)
		ret = sf_fold_script(f, s, err);
	if (!ret && sf_script_stats(s)->unrecognized)
		sf_warn("%s:%u: not a line of perf script; such lines were left out", path,
			sf_script_stats(s)->first_unrecognized);
	sf_script_free(s);
	return ret;
}

static int add_folded(struct sf_stackdiff *d, enum sf_side side, struct sf_input *in,
		      const char *path, struct sf_error *err)
{
	struct sf_folded *s;
	int ret = sf_folded_new(&s, in, path, err);

	if (!ret)
		ret = sf_stackdiff_add_folded(d, side, s, path, err);
	if (!ret && sf_folded_stats(s)->unrecognized)
		sf_warn("%s:%u: not a folded stack; such lines were left out", path,
			sf_folded_stats(s)->first_unrecognized);
	sf_folded_free(s);
	return ret;
}

/* Of a recording of BRANCHes: the others of its events are no samples of time. */
static const char *event_of(const struct sf_sides *sides, const char *event)
{
	for (size_t i = 0; !event && i < sides->nr; i++)
		if (sides->rec[i]->meta.pid)
			event = SF_EVENT_CPU_CLOCK;
	return event;
}

static int add_perf_data(struct sf_stackdiff *d, enum sf_side side, struct sf_fold *f, const char *path,
			 const struct sf_symbols_opts *opts, struct sf_error *err)
{
	struct sf_symbols *symbols = NULL;
	struct sf_reader *r;
	int ret = sf_reader_open(&r, path, NULL, err);

	if (!ret)
		ret = sf_symbols_new(&symbols, opts, err);
	if (!ret)
		ret = sf_fold_perf_data(f, r, symbols, err);
	if (!ret)
		ret = sf_stackdiff_add(d, side, f, err);
	if (!ret && sf_stackdiff_recorded(d, side, r, sf_fold_event(f), path))
		ret = sf_error_set(err, -ENOMEM, "out of memory");
	sf_symbols_free(symbols);
	sf_reader_free(r);
	return ret;
}

/* By way of a fold: in is a script, or NULL for a perf.data file. */
static int add_samples(struct sf_stackdiff *d, enum sf_side side, struct sf_input *in,
		       const char *path, const char *event, const struct sf_symbols_opts *symbols,
		       struct sf_error *err)
{
	/* Kernel functions are marked in one kind of input and not in another: compare bare names. */
	struct sf_fold_opts opts = { .event = event };
	struct sf_fold *f;
	int ret = sf_fold_new(&f, &opts, err);

	if (!ret && in) {
		ret = fold_script(f, in, path, err);
		if (!ret)
			ret = sf_stackdiff_add(d, side, f, err);
	} else if (!ret) {
		ret = add_perf_data(d, side, f, path, symbols, err);
	}
	sf_fold_free(f);
	return ret;
}

static int add_file(struct sf_stackdiff *d, struct sf_sides *sides, enum sf_side side,
		    const char *path, const char *event, const struct sf_symbols_opts *symbols)
{
	enum sf_filetype type = SF_FILETYPE_PERF_DATA;
	struct sf_error err = SF_ERROR_INIT;
	struct sf_input *in = NULL;
	int ret = sf_sides_open(sides, path, &in, &err);

	if (!ret)
		type = sf_input_type(in);
	else if (ret != -EISDIR) /* perf record --threads writes a directory */
		return sf_fail(&err);
	if (type == SF_FILETYPE_FOLDED)
		ret = add_folded(d, side, in, path, &err);
	else if (type == SF_FILETYPE_SCRIPT)
		ret = add_samples(d, side, in, path, event, symbols, &err);
	sf_input_free(in);
	if (type == SF_FILETYPE_PERF_DATA)
		ret = add_samples(d, side, NULL, path, event, symbols, &err);
	return ret ? sf_fail(&err) : 0;
}

/* Events that count CPU time, as such or by the clock of the CPU. */
static bool is_time(const char *event)
{
	static const char *const time[] = { "cpu-clock", "task-clock", "cycles", "cpu-cycles",
					    "ref-cycles" };
	const char *name = strchr(event, '/') ? strchr(event, '/') + 1 : event; /* cpu_core/cycles/u */
	size_t len = strcspn(name, ":/");

	for (size_t i = 0; i < SF_ARRAY_SIZE(time); i++)
		if (len == strlen(time[i]) && !strncmp(name, time[i], len))
			return true;
	return false;
}

/* Shares of time by two clocks compare, roughly; shares of page faults and of time do not. */
static int compare_events(const struct sf_stackdiff *d)
{
	const char *a = d->event[SF_FAST], *z = d->event[SF_SLOW];

	if (!a || !z || !strcmp(a, z))
		return 0;
	if (!is_time(a) || !is_time(z))
		return sf_failf("%s against %s: shares of different things do not compare; choose one "
				"that both have with --event", a, z);
	sf_warn("%s against %s: shares of CPU time by different clocks", a, z);
	return 0;
}

int sf_diff_stacks(struct sf_stackdiff **out, struct sf_sides *sides, const char *event,
		   const struct sf_symbols_opts *symbols)
{
	struct sf_error err = SF_ERROR_INIT;
	struct sf_stackdiff *d;
	int status = 0;

	*out = NULL;
	event = event_of(sides, event);
	if (sf_stackdiff_new(&d, sides->nr_paths[SF_FAST], sides->nr_paths[SF_SLOW], &err))
		return sf_fail(&err);
	for (int s = 0; s < SF_NR_SIDES; s++)
		for (size_t i = 0; !status && i < sides->nr_paths[s]; i++)
			status = add_file(d, sides, s, sides->path[s][i], event, symbols);
	if (!status && sf_stackdiff_finish(d, &err))
		status = sf_fail(&err);
	if (!status)
		status = compare_events(d);
	if (status)
		sf_stackdiff_free(d);
	else
		*out = d;
	return status;
}
