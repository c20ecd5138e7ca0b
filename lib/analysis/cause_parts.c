/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Causes that are parts of one: kinds of time in one function of the same thread (a fsync waits for the
 * journal, for pages and for the device, and computes a little; a loop that touches memory faults),
 * threads of a pool that do the same work, threads that hand over to each other, those who share the CPU
 * that one thread waits for, and threads that have one quota.
 */
#include <errno.h>
#include <string.h>

#include "analysis/diff_internal.h"

static const double proportion = 0.5; /* of the growth that would keep the shares as they were */

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

static double deep_ms(const struct sf_diff *d, enum sf_side side, const struct sf_cause *c)
{
	return sf_diff_path_ms(d, side, c->path);
}

/* What b grew by is what it would if its share of the two were the same on both sides, more or less. */
static bool in_proportion(const struct sf_diff *d, const struct sf_cause *a, const struct sf_cause *b)
{
	double slow = deep_ms(d, SF_SLOW, a), grown = slow - deep_ms(d, SF_FAST, a);
	double expected = slow > 0 ? deep_ms(d, SF_SLOW, b) * grown / slow : 0;
	double got = deep_ms(d, SF_SLOW, b) - deep_ms(d, SF_FAST, b);

	return grown > 0 && b->delta.value > 0 && got >= proportion * expected;
}

/* Kinds that a function has by what it does itself, whoever else there is. */
static bool by_function(enum sf_kind kind)
{
	return in_kernel(kind) || kind == SF_KIND_CPU_USER || kind == SF_KIND_MEMORY ||
	       kind == SF_KIND_TIMER || kind == SF_KIND_LOCK;
}

/* The kernel mixes its kinds in one call as it likes; others have to grow with it. */
static bool same_function(const struct sf_diff *d, const struct sf_cause *a, const struct sf_cause *b)
{
	const char *fa, *fb;

	if (!by_function(a->kind) || !by_function(b->kind) || a->lock || b->lock ||
	    caller(d, a) != caller(d, b))
		return false;
	fa = sf_cause_function(d, a->path);
	fb = sf_cause_function(d, b->path);
	if (!fa || !fb || strcmp(fa, fb))
		return false;
	return (in_kernel(a->kind) && in_kernel(b->kind)) || in_proportion(d, a, b);
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

/* Whoever has the CPU meanwhile, it is one wait; whoever is held back, it is one quota. */
static bool same_queue(const struct sf_diff *d, const struct sf_cause *a, const struct sf_cause *b)
{
	const struct sf_owner *x = &d->profile.owner[a->owner], *y = &d->profile.owner[b->owner];

	if (a->kind != b->kind)
		return false;
	if (a->kind == SF_KIND_CPU_QUOTA)
		return x->process == y->process && x->target == y->target;
	return a->kind == SF_KIND_RUNQUEUE && a->waiter && a->waiter == b->waiter;
}

/* As what b is a part of a, which grew more; SF_PART_OWN: it is not. */
static enum sf_part_of kinship(const struct sf_diff *d, const struct sf_cause *a,
			       const struct sf_cause *b)
{
	if (same_function(d, a, b))
		return SF_PART_CALL;
	if (same_work(d, a, b))
		return SF_PART_POOL;
	if (same_queue(d, a, b))
		return SF_PART_QUEUE;
	return sf_common_turns(d, a, b) ? SF_PART_TURNS : SF_PART_OWN;
}

static int absorb(struct sf_diff *d, struct sf_cause *a, struct sf_cause *b, enum sf_part_of how)
{
	for (size_t i = 0; i < b->nr_parts; i++) {
		struct sf_cause_part part = b->part[i];

		part.frame &= how == SF_PART_POOL;
		part.of = part.of == SF_PART_WAITING ? part.of : how;
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
	a->frame_ms += how == SF_PART_POOL ? b->frame_ms : 0;
	a->delta.value += b->delta.value;
	if (how == SF_PART_TURNS)
		a->exchange = sf_common_turns(d, a, b);
	b->nr_parts = 0;
	return 0;
}

int sf_merge_causes(struct sf_diff *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->nr_causes; i++)
		for (size_t k = i + 1; k < d->nr_causes; k++) {
			struct sf_cause *a = &d->cause[i], *b = &d->cause[k];
			enum sf_part_of how = a->nr_parts && b->nr_parts ? kinship(d, a, b) : SF_PART_OWN;

			if (how != SF_PART_OWN && absorb(d, a, b, how))
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

		if (c->part[i].path && c->part[i].kind == c->kind && c->part[i].of != SF_PART_TURNS &&
		    owner != c->owner && !d->profile.owner[owner].dev && !index--)
			return owner;
	}
	return 0;
}
