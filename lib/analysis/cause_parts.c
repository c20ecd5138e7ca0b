/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Causes that are parts of one: kinds that the kernel mixes in one call of the same thread (a fsync
 * waits for the journal, for pages and for the device, and computes a little), threads of a pool that
 * do the same work, and those who share the CPU that one thread waits for.
 */
#include <errno.h>
#include <string.h>

#include "analysis/diff_internal.h"

int sf_cause_add_part(struct sf_diff *d, struct sf_cause *c, struct sf_cause_part part)
{
	struct sf_cause_part *list = sf_arena_alloc(&d->arena, (c->nr_parts + 1) * sizeof(*list));

	if (!list)
		return -ENOMEM;
	if (c->nr_parts)
		memcpy(list, c->part, c->nr_parts * sizeof(*list));
	list[c->nr_parts++] = part;
	c->part = list;
	return 0;
}

static bool in_kernel(enum sf_kind kind)
{
	return kind == SF_KIND_CPU_KERNEL || kind == SF_KIND_IO_DEVICE ||
	       kind == SF_KIND_IO_THROTTLE || kind == SF_KIND_IO_WRITEBACK ||
	       kind == SF_KIND_IO_JOURNAL;
}

/* The thread whose call it is: a device serves somebody. */
static uint32_t caller(const struct sf_diff *d, const struct sf_cause *c)
{
	return c->owner && d->profile.owner[c->owner].dev ? c->waiter : c->owner;
}

static bool same_call(const struct sf_diff *d, const struct sf_cause *a, const struct sf_cause *b)
{
	const char *fa, *fb;

	if (!in_kernel(a->kind) || !in_kernel(b->kind) || a->lock || b->lock ||
	    caller(d, a) != caller(d, b))
		return false;
	fa = sf_cause_function(d, a->path);
	fb = sf_cause_function(d, b->path);
	return fa && fb && !strcmp(fa, fb);
}

/* Threads of one process, the same frames from the leaf to the root: a pool. */
static bool same_work(const struct sf_diff *d, const struct sf_cause *a, const struct sf_cause *b)
{
	const struct sf_profile *p = &d->profile;
	const struct sf_owner *x = &p->owner[a->owner], *y = &p->owner[b->owner];
	uint32_t i = a->path, k = b->path;

	if (a->owner == b->owner || a->kind != b->kind || a->state != b->state || x->dev || y->dev ||
	    x->kernel || y->kernel || x->vcpu || y->vcpu || x->process != y->process ||
	    x->target != y->target)
		return false;
	if (a->kind == SF_KIND_RUNQUEUE || !a->nr_frames || a->nr_frames != b->nr_frames)
		return false;
	for (; p->path[i].level >= SF_PATH_FRAME; i = p->path[i].parent, k = p->path[k].parent)
		if (p->path[i].label != p->path[k].label)
			return false;
	return true;
}

/* Whoever has the CPU meanwhile, it is one wait. */
static bool same_queue(const struct sf_cause *a, const struct sf_cause *b)
{
	return a->kind == SF_KIND_RUNQUEUE && b->kind == SF_KIND_RUNQUEUE && a->waiter &&
	       a->waiter == b->waiter;
}

/* b becomes a part of a, which grew more. */
static int absorb(struct sf_diff *d, struct sf_cause *a, struct sf_cause *b)
{
	bool work = same_work(d, a, b);

	for (size_t i = 0; i < b->nr_parts; i++) {
		struct sf_cause_part part = b->part[i];

		part.frame &= work;
		if (sf_cause_add_part(d, a, part))
			return -ENOMEM;
	}
	for (size_t k = 0; b->adjust && k < d->profile.nr_columns; k++) {
		if (!a->adjust)
			a->adjust = sf_arena_alloc(&d->arena,
						   d->profile.nr_columns * sizeof(*a->adjust));
		if (!a->adjust)
			return -ENOMEM;
		a->adjust[k] += b->adjust[k];
	}
	a->fast_ms += b->fast_ms;
	a->slow_ms += b->slow_ms;
	a->frame_ms += work ? b->frame_ms : 0;
	a->delta.value += b->delta.value;
	b->nr_parts = 0;
	return 0;
}

int sf_merge_causes(struct sf_diff *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->nr_causes; i++)
		for (size_t k = i + 1; k < d->nr_causes; k++) {
			struct sf_cause *a = &d->cause[i], *b = &d->cause[k];

			if (!a->nr_parts || !b->nr_parts ||
			    (!same_call(d, a, b) && !same_work(d, a, b) && !same_queue(a, b)))
				continue;
			if (absorb(d, a, b))
				return -ENOMEM;
		}
	for (size_t i = 0; i < d->nr_causes; i++)
		if (d->cause[i].nr_parts)
			d->cause[n++] = d->cause[i];
	d->nr_causes = n;
	return 0;
}

uint32_t sf_cause_other_owner(const struct sf_diff *d, const struct sf_cause *c, size_t index)
{
	/* A device and the thread that it serves do not do the same. What is not listed has no owner. */
	if (!c->owner || d->profile.owner[c->owner].dev)
		return 0;
	for (size_t i = 1; i < c->nr_parts; i++) {
		uint32_t owner = d->profile.path[c->part[i].path].owner;

		if (c->part[i].path && c->part[i].kind == c->kind && owner != c->owner &&
		    !d->profile.owner[owner].dev && !index--)
			return owner;
	}
	return 0;
}
