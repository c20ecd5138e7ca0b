/* SPDX-License-Identifier: GPL-2.0-only */
/* Flame graphs of where windows' time went. */
#include <snapflame/flamegraph.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/diff.h>
#include <snapflame/stats.h>

static const uint8_t group_of_kind[SF_NR_KINDS] = {
	[SF_KIND_CPU_USER] = SF_FLAME_USER,
	[SF_KIND_CPU_KERNEL] = SF_FLAME_SYSTEM,
	[SF_KIND_RUNQUEUE] = SF_FLAME_QUEUE,
	[SF_KIND_CPU_QUOTA] = SF_FLAME_QUEUE,
	[SF_KIND_LOCK] = SF_FLAME_LOCK,
	[SF_KIND_IO_DEVICE] = SF_FLAME_IO,
	[SF_KIND_IO_THROTTLE] = SF_FLAME_IO,
	[SF_KIND_IO_WRITEBACK] = SF_FLAME_IO,
	[SF_KIND_IO_JOURNAL] = SF_FLAME_IO,
	[SF_KIND_MEMORY] = SF_FLAME_MEMORY,
	[SF_KIND_TIMER] = SF_FLAME_WAIT,
	[SF_KIND_PEER] = SF_FLAME_WAIT,
	[SF_KIND_VCPU] = SF_FLAME_WAIT,
};

static unsigned flags_of(const struct sf_path *path)
{
	unsigned flags = 0;

	if (path->level == SF_PATH_MARKER)
		return SF_FLAME_WAKER;
	if (path->level != SF_PATH_FRAME)
		return 0;
	/* One suffix is all a name can have: the kernel's says most. */
	if (path->flags & SF_FRAME_KERNEL)
		flags = SF_FLAME_KERNEL;
	else if (path->flags & SF_FRAME_INLINED)
		flags = SF_FLAME_INLINED;
	else if (path->flags & SF_FRAME_JIT)
		flags = SF_FLAME_JIT;
	return flags;
}

/* The boxes of all paths, into at[]: by path. */
static int nodes_of_paths(struct sf_flame *f, const struct sf_profile *p, uint32_t *at)
{
	at[0] = 0;
	for (size_t i = 1; i < p->nr_paths; i++) {
		const struct sf_path *path = &p->path[i];

		at[i] = sf_flame_child(f, at[path->parent], sf_strtab_text(&p->str, path->label),
				       sf_strtab_len(&p->str, path->label), flags_of(path));
		if (at[i] == UINT32_MAX)
			return -ENOMEM;
		if (at[i] == at[path->parent])
			f->cut++;
		else if (path->level >= SF_PATH_KIND)
			f->node[at[i]].group = group_of_kind[path->kind];
	}
	return 0;
}

/*
 * Inclusive ms of every box in every window. Owners with equal names are one box, so this is not the
 * profile's own table.
 */
static double *totals(const struct sf_flame *f, const struct sf_profile *p, const uint32_t *at)
{
	size_t n = p->nr_columns, cells;
	double *v;

	if (__builtin_mul_overflow(f->nr, n, &cells))
		return NULL;
	v = calloc(cells ? cells : 1, sizeof(*v));
	for (size_t i = 0; v && i < p->nr_paths; i++)
		for (size_t c = 0; c < n; c++)
			v[at[i] * n + c] += sf_profile_self(p, i, c);
	for (size_t i = f->nr; v && i-- > 1;)
		for (size_t c = 0; c < n; c++)
			v[f->node[i].parent * n + c] += v[i * n + c];
	return v;
}

static uint16_t seen(const double *v, size_t n)
{
	uint16_t nr = 0;

	for (size_t c = 0; c < n && nr < UINT16_MAX; c++)
		nr += v[c] > 0;
	return nr;
}

int sf_flame_from_columns(struct sf_flame *f, const struct sf_profile *p, size_t first, size_t n)
{
	uint32_t *at = calloc(p->nr_paths ? p->nr_paths : 1, sizeof(*at));
	int ret = at ? nodes_of_paths(f, p, at) : -ENOMEM;
	double *v = ret ? NULL : totals(f, p, at);

	if (!ret && !v)
		ret = -ENOMEM;
	for (size_t i = 0; !ret && i < p->nr_paths; i++)
		for (size_t c = first; c < first + n; c++)
			f->node[at[i]].self[SF_FLAME_AFTER] += sf_profile_self(p, i, c) / (double)n;
	for (size_t i = 0; !ret && i < f->nr; i++)
		f->node[i].seen[SF_FLAME_AFTER] = seen(v + i * p->nr_columns + first, n);
	f->unit = "ms";
	f->mean = n > 1;
	f->n[SF_FLAME_AFTER] = (unsigned)n;
	free(v);
	free(at);
	return ret;
}

int sf_flame_from_profile(struct sf_flame *f, const struct sf_profile *p)
{
	return sf_flame_from_columns(f, p, 0, p->nr_columns);
}

static double self_ms(const struct sf_diff *d, enum sf_side side, size_t path)
{
	const size_t *c = d->median_column[side];

	return (sf_profile_self(&d->profile, path, c[0]) +
		sf_profile_self(&d->profile, path, c[1])) / 2;
}

/*
 * What all windows say about the difference of each box, beside the median ones that are drawn: its
 * interval, and whether it differs when all boxes are asked at once. Nothing where there is one window
 * on each side; nothing of a trend, whose sides are cut out of one series: their spread is its slope.
 */
static int estimate(struct sf_flame *f, const struct sf_diff *d, const double *v)
{
	struct sf_paths_opts opts = { .two_sided = true };
	struct sf_path_diff *test;
	int ret;

	if (d->trend || d->nr[SF_FAST] + d->nr[SF_SLOW] < 3)
		return 0;
	test = calloc(f->nr, sizeof(*test));
	if (!test)
		return -ENOMEM;
	ret = sf_paths_diff(v, f->nr, d->nr[SF_FAST], d->nr[SF_SLOW], &opts, test, NULL);
	for (size_t i = 0; !ret && i < f->nr; i++) {
		struct sf_flame_node *n = &f->node[i];

		if (!isnan(test[i].p))
			n->sign = test[i].differs ? SF_FLAME_SIGNIFICANT : SF_FLAME_INSIGNIFICANT;
		if (!test[i].interval.known)
			continue;
		n->lo = test[i].interval.lo;
		n->hi = test[i].interval.hi;
	}
	free(test);
	return ret;
}

int sf_flame_from_diff(struct sf_flame *f, const struct sf_diff *d)
{
	const struct sf_profile *p = &d->profile;
	uint32_t *at = calloc(p->nr_paths ? p->nr_paths : 1, sizeof(*at));
	int ret = at ? nodes_of_paths(f, p, at) : -ENOMEM;
	double *v = ret ? NULL : totals(f, p, at);

	if (!ret && !v)
		ret = -ENOMEM;
	for (size_t i = 0; !ret && i < p->nr_paths; i++) {
		f->node[at[i]].self[SF_FLAME_BEFORE] += self_ms(d, SF_FAST, i);
		f->node[at[i]].self[SF_FLAME_AFTER] += self_ms(d, SF_SLOW, i);
	}
	for (size_t i = 0; !ret && i < f->nr; i++) {
		f->node[i].seen[SF_FLAME_BEFORE] = seen(v + i * p->nr_columns, d->nr[SF_FAST]);
		f->node[i].seen[SF_FLAME_AFTER] = seen(v + i * p->nr_columns + d->nr[SF_FAST],
						       d->nr[SF_SLOW]);
	}
	if (!ret)
		ret = estimate(f, d, v);
	f->unit = "ms";
	f->differential = true;
	f->n[SF_FLAME_BEFORE] = (unsigned)d->nr[SF_FAST];
	f->n[SF_FLAME_AFTER] = (unsigned)d->nr[SF_SLOW];
	free(v);
	free(at);
	return ret;
}
