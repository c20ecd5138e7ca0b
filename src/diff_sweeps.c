/* SPDX-License-Identifier: GPL-2.0-only */
#include "diff_sweeps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/filetype.h>

#include "report.h"
#include "report_dir.h"

static int read_table(struct sf_sweep *sweep, struct sf_sides *sides, const char *path, unsigned warmup)
{
	struct sf_error err = SF_ERROR_INIT;
	struct sf_input *in;
	size_t nr;
	int ret;

	if (sf_sides_open(sides, path, &in, &err))
		return sf_fail(&err);
	ret = sf_sweep_read(sweep, in, path, &err);
	sf_input_free(in);
	if (ret)
		return sf_fail(&err);
	nr = sweep->nr;
	if (sf_sweep_skip(sweep, warmup))
		return sf_failf("out of memory");
	if (!sweep->nr)
		return sf_failf("%s: %zu BRANCHes, and --warmup %u leaves none of them", path, nr, warmup);
	return 0;
}

static int read_tables(struct sf_sweeps *s, struct sf_sides *sides, unsigned warmup)
{
	size_t nr = sides->nr_paths[SF_FAST] + sides->nr_paths[SF_SLOW];
	int status = 0;

	s->sweep = calloc(nr, sizeof(*s->sweep));
	s->table = calloc(nr, sizeof(*s->table));
	if (!s->sweep || !s->table)
		return sf_failf("out of memory");
	for (int side = 0; side < SF_NR_SIDES; side++)
		for (size_t i = 0; !status && i < sides->nr_paths[side]; i++) {
			const char *path = sides->path[side][i];

			s->table[s->nr] = (struct sf_sweepdiff_table){ &s->sweep[s->nr], path };
			status = read_table(&s->sweep[s->nr++], sides, path, warmup);
		}
	return status;
}

/* What --fast and --slow name of the one table. */
static int numbers(const struct sf_sweep *sweep, struct sf_sides *sides, const struct sf_sides_opts *o)
{
	struct sf_numbers all = { .item = calloc(sweep->nr, sizeof(*all.item)) };
	int status;

	if (!all.item)
		return sf_failf("out of memory");
	for (; all.nr < sweep->nr; all.nr++)
		all.item[all.nr] = sweep->row[all.nr].branch;
	status = sf_sides_numbers(sides, o, &all);
	free(all.item);
	return status;
}

static int compare(struct sf_sweeps *s, const struct sf_sides *sides, bool whole_is_fine)
{
	const struct sf_numbers *fast = &sides->number[SF_FAST], *slow = &sides->number[SF_SLOW];
	struct sf_sweepdiff_input in = {
		.table = { s->table, s->table + sides->nr_paths[SF_FAST] },
		.nr = { sides->nr_paths[SF_FAST], sides->nr_paths[SF_SLOW] },
		.list = { fast->item, slow->item },
		.nr_list = { fast->nr, slow->nr },
	};
	struct sf_error err = SF_ERROR_INIT;
	int ret = sf_sweepdiff_make(&s->diff, &in, &err);

	if (ret == -EINVAL && whole_is_fine && s->nr == 1 && !fast->nr) {
		snprintf(s->whole, sizeof(s->whole), "%.*s", (int)sizeof(s->whole) - 1, err.what);
		return 0;
	}
	return ret ? sf_fail(&err) : 0;
}

int sf_sweeps_load(struct sf_sweeps *s, struct sf_sides *sides, const struct sf_sides_opts *o,
		   bool whole_is_fine)
{
	int status;

	memset(s, 0, sizeof(*s));
	status = read_tables(s, sides, o->warmup);
	if (!status && s->nr == 1 && o->fast.nr)
		status = numbers(s->sweep, sides, o);
	return status ? status : compare(s, sides, whole_is_fine);
}

int sf_sweeps_reportable(const struct sf_sides *sides)
{
	if (sides->nr_tables > 1)
		return sf_usage("-o: a report draws one table of pauses; there are %zu", sides->nr_tables);
	return 0;
}

int sf_sweeps_report(const struct sf_sweeps *s, const char *dir, unsigned formats, int argc,
		     char **argv)
{
	struct sf_report_input in = {
		.sweep = s->sweep, .source = s->table->path, .formats = formats,
		.change = s->diff ? s->diff->sentence : NULL,
		.no_diff = s->diff ? s->diff->why : s->whole,
	};

	return sf_report_to(dir, &in, argc, argv);
}

void sf_sweeps_release(struct sf_sweeps *s)
{
	sf_sweepdiff_free(s->diff);
	for (size_t i = 0; i < s->nr; i++)
		sf_sweep_release(&s->sweep[i]);
	free(s->sweep);
	free(s->table);
}
