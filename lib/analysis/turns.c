/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An exchange is a wait of one thread for another, and what the waiter itself does until it waits for
 * the same one again: its way back from the wait, its turn in the run queue, its next request. Both
 * sides' time in it belongs together, because it comes as often as the exchange does. What the waiter
 * computes for much longer than an exchange usually takes is work of its own.
 */
#include "analysis/turns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LEVELS = 128, LONG_WORK = 4 /* times a usual exchange */ };

/* Segments [first, gap) are the wait, with whatever it was for; [gap, end) the waiter's own,
 * of which it computes for work_ns. */
struct turn {
	uint32_t waiter, server; /* thread indices */
	size_t first, gap, end;
	uint64_t ns, work_ns; /* of both, without the run queue; of the waiter's own */
};

/* A thread that somebody waits for, while the segments go on. */
struct turn_level {
	uint32_t waiter; /* index + 1 of the wait that it is reached by; 0: the root */
	uint32_t actor;
	uint32_t served_by;   /* who ended the last wait of its own; SF_NO_THREAD: none yet */
	size_t served, since; /* that wait's segments: [served, since) */
	size_t first;
};

struct turns {
	const struct sf_critpath *cp;
	struct turn *turn;
	size_t nr, alloc;
	struct turn_level level[MAX_LEVELS];
	int depth;
};

/* Whose time a segment is: in the run queue the waiter's, not of who has the CPU. */
static uint32_t actor(const struct sf_critpath *cp, const struct sf_segment *s, uint32_t *waiter)
{
	if (s->behind == SF_NO_THREAD || !s->waiter) {
		*waiter = s->waiter;
		return s->thread;
	}
	*waiter = cp->waiter[s->waiter - 1].up;
	return cp->waiter[s->waiter - 1].thread;
}

static void push(struct turns *t, uint32_t waiter, uint32_t thread, size_t at)
{
	t->level[t->depth++] = (struct turn_level){
		.waiter = waiter, .actor = thread, .served_by = SF_NO_THREAD, .first = at,
	};
}

/* The wait of the level below is over. */
static void pop(struct turns *t, size_t at)
{
	const struct turn_level *top = &t->level[--t->depth];
	struct turn_level *below = t->depth ? &t->level[t->depth - 1] : NULL;

	if (!below)
		return;
	below->served_by = top->actor;
	below->served = top->first;
	below->since = at;
}

/* A wait of the top level for thread begins: if its last one was for the same, that was an exchange. */
static int begin_wait(struct turns *t, uint32_t thread, size_t at)
{
	struct turn_level *l = &t->level[t->depth - 1];
	struct turn *turn;

	if (l->served_by != thread)
		return 0;
	if (SF_GROW(t->turn, t->nr + 1, t->alloc))
		return -ENOMEM;
	turn = &t->turn[t->nr++];
	*turn = (struct turn){ .waiter = l->actor, .server = thread, .first = l->served,
			       .gap = l->since, .end = at };
	for (size_t i = turn->first; i < at; i++) {
		const struct sf_segment *s = &t->cp->seg[i];

		if (s->state == SF_STATE_RUNNABLE)
			continue;
		turn->ns += s->hi - s->lo;
		if (i >= turn->gap && s->state == SF_STATE_RUNNING)
			turn->work_ns += s->hi - s->lo;
	}
	return 0;
}

/* Make the levels those of segment i: waits that are over go, those that begin come. */
static int enter(struct turns *t, size_t i)
{
	const struct sf_critpath *cp = t->cp;
	uint32_t waiter, thread = actor(cp, &cp->seg[i], &waiter);
	uint32_t chain[MAX_LEVELS], who[MAX_LEVELS];
	int n = 0, keep = 0, ret = 0;

	for (uint32_t w = waiter, actor_of = thread;; w = cp->waiter[w - 1].up) {
		if (n == MAX_LEVELS)
			return 0;
		chain[n] = w;
		who[n++] = actor_of;
		if (!w)
			break;
		actor_of = cp->waiter[w - 1].thread;
	}
	while (keep < t->depth && keep < n && t->level[keep].waiter == chain[n - 1 - keep])
		keep++;
	while (t->depth > keep)
		pop(t, i);
	while (t->depth < n && !ret) {
		int k = n - 1 - t->depth;

		if (t->depth)
			ret = begin_wait(t, who[k], i);
		push(t, chain[k], who[k], i);
	}
	return ret;
}

static int by_pair_and_time(const void *a, const void *b)
{
	const struct turn *x = a, *y = b;

	if (x->waiter != y->waiter)
		return x->waiter < y->waiter ? -1 : 1;
	if (x->server != y->server)
		return x->server < y->server ? -1 : 1;
	return x->ns < y->ns ? -1 : x->ns > y->ns;
}

/* The exchange of two owners, made where there is none; NULL without memory. */
static struct sf_exchange *exchange_of(struct sf_profile *p, uint32_t waiter, uint32_t server,
				       uint32_t *index)
{
	struct sf_exchange *x;

	for (*index = 0; *index < p->nr_exchanges; ++*index)
		if (p->exchange[*index].waiter == waiter && p->exchange[*index].server == server)
			break;
	if (*index == p->nr_exchanges) {
		if (SF_GROW(p->exchange, p->nr_exchanges + 1, p->exchange_alloc))
			return NULL;
		p->exchange[p->nr_exchanges++] =
			(struct sf_exchange){ .waiter = waiter, .server = server };
	}
	x = &p->exchange[*index];
	if (SF_GROW(x->column, p->nr_columns + 1, x->alloc))
		return NULL;
	while (x->nr <= p->nr_columns)
		x->column[x->nr++] = 0;
	return x;
}

static int add_turn(struct sf_profile *p, struct sf_namer *n, const struct sf_critpath *cp,
		    const struct turn *turn, uint32_t exchange)
{
	for (size_t i = turn->first; i < turn->end; i++) {
		const struct sf_segment *s = &cp->seg[i];
		uint32_t path;

		/* A third one that has the CPU is none of theirs. */
		if (s->behind != SF_NO_THREAD && s->behind != turn->waiter && s->behind != turn->server)
			continue;
		if (sf_profile_path(p, n, cp, s, &path) ||
		    sf_profile_link(p, &(struct sf_link){ .path = path, .owner = exchange,
							  .relation = SF_TAKES_TURNS },
				    (double)(s->hi - s->lo) / 1e6))
			return -ENOMEM;
	}
	return 0;
}

/* All turns of one pair, shortest first. */
static int add_pair(struct sf_profile *p, struct sf_namer *n, const struct sf_critpath *cp,
		    const struct turn *turn, size_t nr)
{
	uint64_t usual = turn[nr / 2].ns;
	uint32_t waiter = sf_profile_owner(p, n->rec, turn->waiter, 0), exchange;
	uint32_t server = sf_profile_owner(p, n->rec, turn->server, 0);
	struct sf_exchange *x = waiter && server ? exchange_of(p, waiter, server, &exchange) : NULL;
	int ret = x ? 0 : -ENOMEM;

	for (size_t i = 0; !ret && i < nr; i++) {
		if (turn[i].work_ns > LONG_WORK * usual)
			continue;
		x->column[p->nr_columns]++;
		ret = add_turn(p, n, cp, &turn[i], exchange);
	}
	return ret;
}

int sf_turns_add(struct sf_profile *p, struct sf_namer *n, const struct sf_critpath *cp)
{
	struct turns t = { .cp = cp };
	int ret = 0;

	for (size_t i = 0; !ret && i < cp->nr; i++)
		ret = enter(&t, i);
	if (t.nr)
		qsort(t.turn, t.nr, sizeof(*t.turn), by_pair_and_time);
	for (size_t i = 0, k; !ret && i < t.nr; i = k) {
		for (k = i + 1; k < t.nr && t.turn[k].waiter == t.turn[i].waiter &&
				t.turn[k].server == t.turn[i].server;)
			k++;
		ret = add_pair(p, n, cp, t.turn + i, k - i);
	}
	free(t.turn);
	return ret;
}
