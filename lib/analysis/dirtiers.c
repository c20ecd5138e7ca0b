/* SPDX-License-Identifier: GPL-2.0-only */
/* Who wrote during the slow windows: the dirty pages that a wait for writeback or a journal is about
 * may be somebody else's. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/diff_internal.h"

enum { MAX_WRITERS = 8 };

static double net_bytes(const struct sf_writer_process *p)
{
	return p->write_bytes > p->cancelled_bytes ? (double)(p->write_bytes - p->cancelled_bytes) : 0;
}

static int add(struct sf_diff *d, const struct sf_window_ref *ref, const struct sf_writer_process *p)
{
	const char *comm = sf_text(ref->rec, p->comm);
	struct sf_dirtier *list;

	/* A kernel worker writes what others dirtied. */
	if (!strncmp(comm, "kworker", strlen("kworker")))
		return 0;
	for (size_t i = 0; i < d->nr_dirtiers; i++)
		if (!strcmp(d->dirtier[i].comm, comm)) {
			d->dirtier[i].bytes += net_bytes(p) / (double)d->nr[SF_SLOW];
			return 0;
		}
	list = realloc(d->dirtier, (d->nr_dirtiers + 1) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	d->dirtier = list;
	list[d->nr_dirtiers] = (struct sf_dirtier){
		.comm = sf_diff_keep(d, "%s", comm), .pid = p->pid,
		.bytes = net_bytes(p) / (double)d->nr[SF_SLOW],
		.target = p->pid == ref->rec->meta.pid,
	};
	return list[d->nr_dirtiers++].comm ? 0 : -ENOMEM;
}

static int by_bytes(const void *a, const void *b)
{
	double x = ((const struct sf_dirtier *)a)->bytes, y = ((const struct sf_dirtier *)b)->bytes;

	return x > y ? -1 : x < y;
}

int sf_list_dirtiers(struct diff_build *b)
{
	struct sf_diff *d = b->d;

	for (size_t c = d->nr[SF_FAST]; c < d->profile.nr_columns; c++)
		for (size_t i = 0; i < d->ref[c].window->nr_writers; i++)
			if (net_bytes(&d->ref[c].window->writer[i]) > 0 &&
			    add(d, &d->ref[c], &d->ref[c].window->writer[i]))
				return -ENOMEM;
	if (d->nr_dirtiers)
		qsort(d->dirtier, d->nr_dirtiers, sizeof(*d->dirtier), by_bytes);
	if (d->nr_dirtiers > MAX_WRITERS)
		d->nr_dirtiers = MAX_WRITERS;
	return 0;
}

static const double much_bytes = 4e6, times_target = 2;

const struct sf_dirtier *sf_other_dirtier(const struct sf_diff *d)
{
	double own = 0;

	for (size_t i = 0; i < d->nr_dirtiers; i++)
		if (d->dirtier[i].target)
			own = d->dirtier[i].bytes;
	if (!d->nr_dirtiers || d->dirtier[0].target || d->dirtier[0].bytes < much_bytes ||
	    d->dirtier[0].bytes < times_target * own)
		return NULL;
	return &d->dirtier[0];
}
