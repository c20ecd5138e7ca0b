/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who has twice the work on a shared CPU waits twice as long for it: that part of the growth in the
 * run queue belongs to the work, not to whoever has the CPU meanwhile. For each owner that computes
 * more than before, the time that it would have waited for that extra CPU time at the rate of the
 * slow windows (its waiting over its running there) goes from those who had the CPU to the cause that
 * computes. A neighbour who takes more of the CPU while the work stays the same keeps all of it; so
 * does one behind whom a thread waits many times longer than it runs: that is no share of a CPU.
 *
 * Before that, who sleeps more often waits for a CPU more often, once after each wake-up: what more
 * wake-ups added goes to the cause that they ended the waits of; what longer turns added does not.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/diff_internal.h"

static const double most_waiting = 3; /* ms that a ms of work waits: four share the CPU */
static const double many = 8;         /* wake-ups more than before: their number counts */

struct queue {
	struct sf_diff *d;
	uint32_t owner;
	double **left;             /* by link and column, ms: what is not given away yet; NULL: none */
	double *waits;             /* by column, ms: in the run queue behind others */
	double *times;             /* by column: wake-ups */
	bool *asked;               /* by link: its owner's wake-ups after the same wait were looked at */
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

/* Those of its waits that came after one and the same wait; 0: all of them. */
static bool counts(const struct queue *q, size_t link, uint32_t after)
{
	const struct sf_link *l = &q->d->profile.link[link];

	return q->left[link] && waits_of(q, l) && (!after || l->after == after);
}

/* waits and times of the owner. */
static void add_up(struct queue *q, uint32_t after)
{
	const struct sf_profile *p = &q->d->profile;

	memset(q->waits, 0, p->nr_columns * sizeof(*q->waits));
	memset(q->times, 0, p->nr_columns * sizeof(*q->times));
	for (size_t i = 0; i < p->nr_links; i++) {
		if (!counts(q, i, after))
			continue;
		for (size_t k = 0; k < p->nr_columns; k++)
			q->waits[k] += q->left[i][k];
		for (size_t k = 0; p->link[i].times && k < p->link[i].nr; k++)
			q->times[k] += p->link[i].times[k];
	}
	for (int s = 0; s < SF_NR_SIDES; s++)
		q->wait[s] = side_of(q->d, q->waits, s);
}

static void by_work(struct queue *q)
{
	add_up(q, 0);
	memset(q->run, 0, sizeof(q->run));
	for (size_t i = 0; i < q->d->nr_causes; i++) {
		const struct sf_cause *c = &q->d->cause[i];

		if (c->owner != q->owner || !is_cpu(c))
			continue;
		q->run[SF_FAST] += c->part[0].fast_ms;
		q->run[SF_SLOW] += c->part[0].slow_ms;
	}
	q->moved = 0;
	if (q->run[SF_SLOW] > q->run[SF_FAST] && q->wait[SF_SLOW] > q->wait[SF_FAST])
		q->moved = fmin(q->wait[SF_SLOW] - q->wait[SF_FAST],
				fmin(most_waiting, q->wait[SF_SLOW] / q->run[SF_SLOW]) *
					(q->run[SF_SLOW] - q->run[SF_FAST]));
}

/* Of more and longer turns both have a part: each is taken at the mean of the two sides. */
static void by_times(struct queue *q, uint32_t after)
{
	double fast, slow, turn;

	add_up(q, after);
	for (size_t i = 0; i < q->d->profile.nr_links; i++)
		q->asked[i] |= q->d->profile.link[i].owner == q->owner &&
			       q->d->profile.link[i].after == after;
	q->moved = 0;
	fast = side_of(q->d, q->times, SF_FAST);
	slow = side_of(q->d, q->times, SF_SLOW);
	if (slow - fast < many || q->wait[SF_SLOW] <= q->wait[SF_FAST])
		return;
	turn = q->wait[SF_SLOW] / slow;
	if (fast > 0)
		turn = (turn + q->wait[SF_FAST] / fast) / 2;
	q->moved = fmin(q->wait[SF_SLOW] - q->wait[SF_FAST], (slow - fast) * turn);
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
static int take(struct queue *q, uint32_t after, double share)
{
	const struct sf_profile *p = &q->d->profile;
	int ret = 0;

	for (size_t i = 0; !ret && i < p->nr_links; i++) {
		struct sf_cause *from = NULL;

		if (!counts(q, i, after))
			continue;
		for (size_t k = 0; k < q->d->nr_causes; k++)
			if (q->d->cause[k].kind == SF_KIND_RUNQUEUE &&
			    q->d->cause[k].owner == p->path[p->link[i].path].owner)
				from = &q->d->cause[k];
		if (!from)
			continue;
		ret = adjust(q->d, from, q->left[i], p->nr_columns, -share);
		refresh(from, -share * side_of(q->d, q->left[i], SF_FAST),
			-share * side_of(q->d, q->left[i], SF_SLOW));
		for (size_t k = 0; k < p->nr_columns; k++)
			q->left[i][k] *= 1 - share;
	}
	return ret;
}

/* May the cause get what its owner waited for a CPU, or (after) what was waited after it? */
static bool may_get(const struct queue *q, const struct sf_cause *c, uint32_t after)
{
	return c->delta.value > 0 &&
	       (after ? sf_diff_kind_node(q->d, c->path) == after : c->owner == q->owner && is_cpu(c));
}

static double growth_of_all(const struct queue *q, uint32_t after)
{
	double grown = 0;

	for (size_t i = 0; i < q->d->nr_causes; i++)
		if (may_get(q, &q->d->cause[i], after))
			grown += q->d->cause[i].delta.value;
	return grown;
}

/* To the causes that grew, by how much they did. */
static int give(struct queue *q, uint32_t after, double share)
{
	double grown = growth_of_all(q, after);

	for (size_t i = 0; i < q->d->nr_causes; i++) {
		struct sf_cause *c = &q->d->cause[i];
		double part, fast, slow;

		if (!may_get(q, c, after))
			continue;
		part = share * c->delta.value / grown;
		fast = part * q->wait[SF_FAST];
		slow = part * q->wait[SF_SLOW];
		if (adjust(q->d, c, q->waits, q->d->profile.nr_columns, part) ||
		    sf_cause_add_part(q->d, c, (struct sf_cause_part){ .kind = SF_KIND_RUNQUEUE,
								   .of = SF_PART_WAITING, .fast_ms = fast,
								   .slow_ms = slow }))
			return -ENOMEM;
		refresh(c, fast, slow);
	}
	return 0;
}

static int move(struct queue *q, uint32_t after)
{
	double share;
	int ret;

	if (q->moved <= 0 || growth_of_all(q, after) <= 0)
		return 0;
	share = q->moved / (q->wait[SF_SLOW] - q->wait[SF_FAST]);
	ret = take(q, after, share);
	return ret ? ret : give(q, after, share);
}

static int fill_left(struct queue *q)
{
	const struct sf_profile *p = &q->d->profile;

	for (size_t i = 0; i < p->nr_links; i++) {
		const struct sf_link *l = &p->link[i];

		if (l->relation != SF_WAITS || !is_queue(p, l->path))
			continue;
		q->left[i] = calloc(p->nr_columns, sizeof(**q->left));
		if (!q->left[i])
			return -ENOMEM;
		memcpy(q->left[i], l->column, l->nr * sizeof(**q->left));
	}
	return 0;
}

int sf_credit_queues(struct sf_diff *d)
{
	const struct sf_profile *p = &d->profile;
	struct queue q = { .d = d };
	int ret = -ENOMEM;

	q.left = calloc(p->nr_links + 1, sizeof(*q.left));
	q.waits = calloc(p->nr_columns, sizeof(*q.waits));
	q.times = calloc(p->nr_columns, sizeof(*q.times));
	q.asked = calloc(p->nr_links + 1, sizeof(*q.asked));
	if (q.left && q.waits && q.times && q.asked)
		ret = fill_left(&q);
	for (size_t i = 0; !ret && i < p->nr_links; i++) {
		if (!q.left[i] || !p->link[i].after || q.asked[i])
			continue;
		q.owner = p->link[i].owner;
		by_times(&q, p->link[i].after);
		ret = move(&q, p->link[i].after);
	}
	for (q.owner = 1; !ret && q.owner < p->nr_owners; q.owner++) {
		by_work(&q);
		ret = move(&q, 0);
	}
	for (size_t i = 0; q.left && i < p->nr_links; i++)
		free(q.left[i]);
	free(q.left);
	free(q.waits);
	free(q.times);
	free(q.asked);
	return ret;
}
