/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who has twice the work on a shared CPU waits twice as long for it: that part of the growth in the
 * run queue belongs to the work, not to whoever has the CPU meanwhile. For each owner that computes
 * more than before, the time that it would have waited for that extra CPU time at the rate of the
 * slow windows (its waiting over its running there) goes from those who had the CPU to the cause that
 * computes. A neighbour who takes more of the CPU while the work stays the same keeps all of it; so
 * does one behind whom a thread waits many times longer than it runs: that is no share of a CPU.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/diff_internal.h"

static const double most_waiting = 3; /* ms that a ms of work waits: four share the CPU */

struct queue {
	struct sf_diff *d;
	uint32_t owner;
	double *waits;             /* by column, ms: in the run queue behind others */
	double run[SF_NR_SIDES], wait[SF_NR_SIDES];
	double moved;              /* ms that go to the work */
};

static double side_of(const struct sf_diff *d, const double *column, enum sf_side side)
{
	const size_t *c = d->median_column[side];

	return (column[c[0]] + column[c[1]]) / 2;
}

static bool is_queue(const struct sf_profile *p, uint32_t path)
{
	return p->path[path].level == SF_PATH_KIND && p->path[path].kind == SF_KIND_RUNQUEUE;
}

static bool is_cpu(const struct sf_cause *c)
{
	return c->path && c->state == SF_STATE_RUNNING;
}

/* The links of owner's waits behind others. */
static bool waits_of(const struct queue *q, const struct sf_link *l)
{
	return l->relation == SF_WAITS && l->owner == q->owner && is_queue(&q->d->profile, l->path) &&
	       q->d->profile.path[l->path].owner != q->owner;
}

static void measure(struct queue *q)
{
	const struct sf_profile *p = &q->d->profile;

	memset(q->waits, 0, p->nr_columns * sizeof(*q->waits));
	memset(q->run, 0, sizeof(q->run));
	for (size_t i = 0; i < p->nr_links; i++)
		for (size_t k = 0; waits_of(q, &p->link[i]) && k < p->link[i].nr; k++)
			q->waits[k] += p->link[i].column[k];
	for (size_t i = 0; i < q->d->nr_causes; i++) {
		const struct sf_cause *c = &q->d->cause[i];

		if (c->owner != q->owner || !is_cpu(c))
			continue;
		q->run[SF_FAST] += c->fast_ms;
		q->run[SF_SLOW] += c->slow_ms;
	}
	for (int s = 0; s < SF_NR_SIDES; s++)
		q->wait[s] = side_of(q->d, q->waits, s);
	q->moved = 0;
	if (q->run[SF_SLOW] > q->run[SF_FAST] && q->wait[SF_SLOW] > q->wait[SF_FAST])
		q->moved = fmin(q->wait[SF_SLOW] - q->wait[SF_FAST],
				fmin(most_waiting, q->wait[SF_SLOW] / q->run[SF_SLOW]) *
					(q->run[SF_SLOW] - q->run[SF_FAST]));
}

/* Add share times column (which may be shorter than there are columns) to the cause. */
static int adjust(struct sf_diff *d, struct sf_cause *c, const double *column, size_t nr, double share)
{
	size_t n = d->profile.nr_columns;

	if (!c->adjust) {
		c->adjust = sf_arena_alloc(&d->arena, n * sizeof(*c->adjust));
		if (!c->adjust)
			return -ENOMEM;
	}
	for (size_t k = 0; k < nr && k < n; k++)
		c->adjust[k] += share * column[k];
	return 0;
}

static void refresh(struct sf_cause *c, double fast, double slow)
{
	c->fast_ms += fast;
	c->slow_ms += slow;
	c->delta.value = c->slow_ms - c->fast_ms;
}

/* From those who had the CPU: each gives the same share of what owner waited behind it. */
static int take(struct queue *q, double share)
{
	const struct sf_profile *p = &q->d->profile;
	double *column = calloc(p->nr_columns, sizeof(*column));
	int ret = column ? 0 : -ENOMEM;

	for (size_t i = 0; !ret && i < p->nr_links; i++) {
		const struct sf_link *l = &p->link[i];
		struct sf_cause *from = NULL;

		if (!waits_of(q, l))
			continue;
		for (size_t k = 0; k < q->d->nr_causes; k++)
			if (q->d->cause[k].kind == SF_KIND_RUNQUEUE &&
			    q->d->cause[k].owner == p->path[l->path].owner)
				from = &q->d->cause[k];
		if (!from)
			continue;
		memset(column, 0, p->nr_columns * sizeof(*column));
		memcpy(column, l->column, l->nr * sizeof(*column));
		ret = adjust(q->d, from, column, p->nr_columns, -share);
		refresh(from, -share * side_of(q->d, column, SF_FAST),
			-share * side_of(q->d, column, SF_SLOW));
	}
	free(column);
	return ret;
}

/* To the causes that compute more, by how much more they do. */
static int give(struct queue *q, double share)
{
	double grown = 0;

	for (size_t i = 0; i < q->d->nr_causes; i++)
		if (q->d->cause[i].owner == q->owner && is_cpu(&q->d->cause[i]))
			grown += fmax(0, q->d->cause[i].delta.value);
	for (size_t i = 0; i < q->d->nr_causes && grown > 0; i++) {
		struct sf_cause *c = &q->d->cause[i];
		double part = c->owner == q->owner && is_cpu(c) ? fmax(0, c->delta.value) / grown : 0;
		double fast = share * part * q->wait[SF_FAST], slow = share * part * q->wait[SF_SLOW];

		if (part <= 0)
			continue;
		if (adjust(q->d, c, q->waits, q->d->profile.nr_columns, share * part) ||
		    sf_cause_add_part(q->d, c, (struct sf_cause_part){ .kind = SF_KIND_RUNQUEUE,
								   .of = SF_PART_WAITING, .fast_ms = fast,
								   .slow_ms = slow }))
			return -ENOMEM;
		refresh(c, fast, slow);
	}
	return 0;
}

int sf_credit_queues(struct sf_diff *d)
{
	struct queue q = { .d = d, .waits = calloc(d->profile.nr_columns, sizeof(double)) };
	int ret = q.waits ? 0 : -ENOMEM;

	for (q.owner = 1; !ret && q.owner < d->profile.nr_owners; q.owner++) {
		double share;

		measure(&q);
		if (q.moved <= 0)
			continue;
		share = q.moved / (q.wait[SF_SLOW] - q.wait[SF_FAST]);
		ret = take(&q, share);
		if (!ret)
			ret = give(&q, share);
	}
	free(q.waits);
	return ret;
}
