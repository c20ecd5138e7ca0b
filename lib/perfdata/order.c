/* SPDX-License-Identifier: GPL-2.0-only */
#include "perfdata/order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/array.h>

/* Runs shorter than this are made longer by insertion before anything is merged. */
#define MIN_RUN 24

int sf_order_add(struct sf_order *o, uint64_t time, uint64_t place)
{
	if (SF_GROW(o->item, o->nr + 1, o->alloc))
		return -ENOMEM;
	if (o->nr > o->head && time < o->item[o->nr - 1].time) {
		if (SF_GROW(o->run, o->nr_runs + 1, o->run_alloc))
			return -ENOMEM;
		o->run[o->nr_runs++] = o->nr;
	}
	o->item[o->nr++] = (struct sf_pending){ time, place };
	if (time > o->max)
		o->max = time;
	return 0;
}

/* Move what waits to the front once more than half of the array is behind it. */
static void compact(struct sf_order *o)
{
	if (!o->head || o->head < o->nr - o->head)
		return;
	memmove(o->item, o->item + o->head, (o->nr - o->head) * sizeof(*o->item));
	for (size_t i = 0; i < o->nr_runs; i++)
		o->run[i] -= o->head;
	o->nr -= o->head;
	o->ready -= o->head;
	o->head = 0;
}

static void insertion_sort(struct sf_pending *p, size_t sorted, size_t nr)
{
	for (size_t i = sorted; i < nr; i++) {
		struct sf_pending x = p[i];
		size_t k = i;

		for (; k && p[k - 1].time > x.time; k--)
			p[k] = p[k - 1];
		p[k] = x;
	}
}

/* Join runs that are too short to be worth a merge. run[] keeps the borders that remain. */
static void join_short_runs(struct sf_order *o)
{
	size_t out = 0, start = o->head;

	for (size_t i = 0; i < o->nr_runs; i++) {
		size_t border = o->run[i];
		size_t end = i + 1 < o->nr_runs ? o->run[i + 1] : o->nr;

		if (border - start >= MIN_RUN || end - start > 4 * MIN_RUN) {
			o->run[out++] = border;
			start = border;
		} else {
			insertion_sort(o->item + start, border - start, end - start);
		}
	}
	o->nr_runs = out;
}

/* Index of the first of nr sorted items that is younger than time. */
static size_t upper_bound(const struct sf_pending *p, size_t nr, uint64_t time)
{
	size_t lo = 0;

	while (nr) {
		size_t half = nr / 2;

		if (p[lo + half].time <= time) {
			lo += half + 1;
			nr -= half + 1;
		} else {
			nr = half;
		}
	}
	return lo;
}

/*
 * Merge a (before b in the file) and b, which follows it in memory, through tmp. What of a is
 * older than all of b stays where it is; often that is most of it.
 */
static void merge(struct sf_pending *a, size_t na, size_t nb, struct sf_pending *tmp)
{
	const struct sf_pending *b = a + na, *bend = b + nb, *t = tmp, *tend;
	size_t stay = upper_bound(a, na, b->time);

	a += stay;
	na -= stay;
	memcpy(tmp, a, na * sizeof(*a));
	tend = tmp + na;
	while (t < tend && b < bend) {
		bool right = b->time < t->time;

		*a++ = right ? *b : *t;
		b += right;
		t += !right;
	}
	memcpy(a, t, (size_t)(tend - t) * sizeof(*a));
}

/* Merge neighbours, pair by pair, until one run is left. */
static int sort(struct sf_order *o)
{
	compact(o);
	join_short_runs(o);
	if (o->nr_runs && SF_GROW(o->tmp, o->nr - o->head, o->tmp_alloc))
		return -ENOMEM;
	while (o->nr_runs) {
		size_t out = 0, start = o->head;

		for (size_t i = 0; i < o->nr_runs; i += 2) {
			size_t mid = o->run[i];
			size_t end = i + 1 < o->nr_runs ? o->run[i + 1] : o->nr;

			merge(o->item + start, mid - start, end - mid, o->tmp);
			if (end < o->nr)
				o->run[out++] = end;
			start = end;
		}
		o->nr_runs = out;
	}
	return 0;
}

int sf_order_round(struct sf_order *o)
{
	int err = sort(o);

	if (err)
		return err;
	o->ready = o->head;
	if (o->nr > o->head)
		o->ready += upper_bound(o->item + o->head, o->nr - o->head, o->limit);
	o->limit = o->max;
	return 0;
}

int sf_order_half(struct sf_order *o)
{
	int err = sort(o);

	if (!err)
		o->ready = o->head + (o->nr - o->head + 1) / 2;
	return err;
}

int sf_order_all(struct sf_order *o)
{
	int err = sort(o);

	if (!err)
		o->ready = o->nr;
	return err;
}

void sf_order_release(struct sf_order *o)
{
	free(o->item);
	free(o->tmp);
	free(o->run);
	memset(o, 0, sizeof(*o));
}
