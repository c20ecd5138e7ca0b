/* SPDX-License-Identifier: GPL-2.0-only */
#include "diff_stacks.h"

#include <errno.h>
#include <string.h>

#include <snapflame/filetype.h>
#include <snapflame/folded.h>
#include <snapflame/script.h>

#include "report.h"

static int fold_perf_data(struct sf_fold *f, const char *path, const struct sf_symbols_opts *opts,
			  struct sf_error *err)
{
	struct sf_symbols *symbols = NULL;
	struct sf_reader *r;
	int ret = sf_reader_open(&r, path, NULL, err);

	if (!ret)
		ret = sf_symbols_new(&symbols, opts, err);
	if (!ret)
		ret = sf_fold_perf_data(f, r, symbols, err);
	sf_symbols_free(symbols);
	sf_reader_free(r);
	return ret;
}

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

static int fold_folded(struct sf_fold *f, struct sf_input *in, const char *path,
		       struct sf_error *err)
{
	struct sf_folded *s;
	int ret = sf_folded_new(&s, in, path, err);

	if (!ret)
		ret = sf_fold_folded(f, s, path, err);
	if (!ret && sf_folded_stats(s)->unrecognized)
		sf_warn("%s:%u: not a folded stack; such lines were left out", path,
			sf_folded_stats(s)->first_unrecognized);
	sf_folded_free(s);
	return ret;
}

static int fold_file(struct sf_fold *f, const char *path, const struct sf_symbols_opts *symbols,
		     struct sf_error *err)
{
	struct sf_input *in;
	int ret = sf_input_open(&in, path, err);
	enum sf_filetype type;

	if (ret == -EISDIR)
		return fold_perf_data(f, path, symbols, err);
	if (ret)
		return ret;
	type = sf_input_type(in);
	if (type == SF_FILETYPE_SCRIPT)
		ret = fold_script(f, in, path, err);
	else if (type == SF_FILETYPE_FOLDED)
		ret = fold_folded(f, in, path, err);
	sf_input_free(in);
	return type == SF_FILETYPE_PERF_DATA ? fold_perf_data(f, path, symbols, err) : ret;
}

static int fold_side(struct sf_fold **f, const struct sf_sides *sides, enum sf_side side,
		     const char *event, const struct sf_symbols_opts *symbols)
{
	/* Kernel functions are marked in one kind of input and not in another: compare bare names. */
	struct sf_fold_opts opts = { .event = event };
	struct sf_error err = SF_ERROR_INIT;
	int ret;

	for (size_t i = 0; !event && i < sides->nr; i++)
		if (sides->rec[i]->meta.pid)
			opts.event = SF_EVENT_CPU_CLOCK; /* the others are no samples of time */
	ret = sf_fold_new(f, &opts, &err);
	for (size_t i = 0; !ret && i < sides->nr_paths[side]; i++)
		ret = fold_file(*f, sides->path[side][i], symbols, &err);
	return ret ? sf_fail(&err) : 0;
}

static void compare_events(const struct sf_stackdiff *d)
{
	const char *a = d->event[SF_FAST], *z = d->event[SF_SLOW];

	if (a && z && strcmp(a, z))
		sf_warn("%s against %s: shares of different events", a, z);
}

int sf_diff_stacks(struct sf_stackdiff **d, const struct sf_sides *sides, const char *event,
		   const struct sf_symbols_opts *symbols)
{
	struct sf_fold *fold[SF_NR_SIDES] = { NULL, NULL };
	struct sf_error err = SF_ERROR_INIT;
	int status = 0;

	for (int s = 0; !status && s < SF_NR_SIDES; s++)
		status = fold_side(&fold[s], sides, s, event, symbols);
	if (!status && sf_stackdiff_make(d, fold[SF_FAST], fold[SF_SLOW], &err))
		status = sf_fail(&err);
	if (!status)
		compare_events(*d);
	for (int s = 0; s < SF_NR_SIDES; s++)
		sf_fold_free(fold[s]);
	return status;
}
