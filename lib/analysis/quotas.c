/* SPDX-License-Identifier: GPL-2.0-only */
/* Which cgroup's CPU quota held a thread back: its own, or one above it. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/diff_internal.h"

static uint64_t throttled_at_end(const struct sf_window *w, uint32_t tid)
{
	for (size_t i = 0; i < w->snap[SF_EDGE_END].nr; i++)
		if (w->snap[SF_EDGE_END].thread[i].tid == tid)
			return w->snap[SF_EDGE_END].thread[i].throttled_ns;
	return 0;
}

/* The counters by cgroup are those of the target's main thread: another one is in the same group where it
 * has the same sum. */
static bool in_the_same(const struct sf_window_ref *ref, const struct sf_owner *o)
{
	uint64_t own = throttled_at_end(ref->window, o->tid);

	return o->target && own && own == throttled_at_end(ref->window, o->pid);
}

/* "cgroup_/a/b_throttled_us": the length of /a/b; 0: no counter of a cgroup. */
static size_t group_in(const char *name, const char **group)
{
	static const char before[] = "cgroup_", after[] = "_throttled_us";
	size_t len = strlen(name), rest = sizeof(before) - 1 + sizeof(after) - 1;

	*group = name + sizeof(before) - 1;
	if (len <= rest || strncmp(name, before, sizeof(before) - 1) || **group != '/' ||
	    strcmp(name + len - (sizeof(after) - 1), after))
		return 0;
	return len - rest;
}

/* How much more the counter moved in the slow windows. */
static double growth_of(const struct sf_diff *d, const char *name, double *v)
{
	size_t fast = d->nr[SF_FAST];

	for (size_t c = 0; c < d->profile.nr_columns; c++)
		v[c] = sf_window_covariate(d->ref[c].rec, d->ref[c].window, name, true);
	for (size_t c = 0; c < d->profile.nr_columns; c++)
		if (isnan(v[c]))
			return NAN;
	return sf_median(v + fast, d->nr[SF_SLOW]) - sf_median(v, fast);
}

const char *sf_throttling_cgroup(struct sf_diff *d, uint32_t owner)
{
	const struct sf_window_ref *last = &d->ref[d->profile.nr_columns - 1];
	double *v = calloc(d->profile.nr_columns, sizeof(*v)), most = 0;
	const char *best = NULL, *group;
	size_t len = 0;

	if (!v || !in_the_same(last, &d->profile.owner[owner])) {
		free(v);
		return NULL;
	}
	for (size_t i = 0; i < last->window->nr_covariates; i++) {
		const char *name = sf_text(last->rec, last->window->covariate[i].name);
		size_t n = group_in(name, &group);
		double grown = n ? growth_of(d, name, v) : 0;

		if (grown > most) {
			most = grown;
			best = group;
			len = n;
		}
	}
	free(v);
	return best ? sf_diff_keep(d, "%.*s", (int)len, best) : NULL;
}
