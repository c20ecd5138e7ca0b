/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads that only waited. Passive: its own running, runnable and timed time is under 5 % of the
 * window, and a walk from it gives at least 90 % of its sleep to others. Idle: asleep all the time,
 * and nobody woke it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/diff_internal.h"

static const double own_share = 0.05, given_share = 0.90;
enum { MAX_WALKS = 512 };

struct waits {
	uint64_t own, given;
	uint32_t top; /* who got most of it */
};

/* Time on the path of root by owner. */
static int shares(struct sf_critpath *cp, uint32_t root, struct waits *w)
{
	struct sf_map64 sum = { 0 };
	uint64_t most = 0;

	*w = (struct waits){ .top = SF_NO_THREAD };
	for (size_t i = 0; i < cp->nr; i++) {
		const struct sf_segment *s = &cp->seg[i];
		uint32_t *us, whom = s->thread;

		/* A turn in the run queue is the time of who wants the CPU, whoever has it. */
		if (s->kind == SF_KIND_RUNQUEUE && s->waiter)
			whom = cp->waiter[s->waiter - 1].thread;
		if (whom == root && !s->dev) {
			w->own += s->hi - s->lo;
			continue;
		}
		w->given += s->hi - s->lo;
		us = sf_map64_at(&sum, whom, NULL);
		if (!us)
			break;
		*us += (uint32_t)((s->hi - s->lo) / 1000);
		if (*us >= most) {
			most = *us;
			w->top = whom;
		}
	}
	sf_map64_release(&sum);
	return 0;
}

static bool is_idle(const struct sf_timeline *t)
{
	return t->nr == 1 && t->iv[0].state == SF_STATE_BLOCKED;
}

static int push(struct sf_diff *d, struct sf_passive p)
{
	struct sf_passive *list = realloc(d->passive, (d->nr_passive + 1) * sizeof(*list));

	if (!list)
		return -ENOMEM;
	d->passive = list;
	d->passive[d->nr_passive++] = p;
	return p.comm ? 0 : -ENOMEM;
}

static int look_at(struct diff_build *b, struct sf_timelines *ts, struct sf_mechanisms *m, uint32_t i,
		   const struct sf_timeline *t)
{
	const struct sf_recording *rec = ts->rec;
	const struct sf_thread *th = &rec->thread[i];
	double span = (double)(ts->hi - ts->lo);
	struct sf_passive p = {
		.tid = th->tid, .pid = th->pid,
		.comm = sf_diff_keep(b->d, "%s", sf_text(rec, th->comm)),
		.ms = (double)t->total[SF_STATE_BLOCKED] / 1e6,
	};
	struct sf_critpath cp = { 0 };
	struct waits w;
	int ret;

	if (is_idle(t)) {
		/* Woken right at the end: it waited for whoever did that. */
		p.idle = !t->iv[0].woken || t->iv[0].hi - t->iv[0].since > 2 * (ts->hi - ts->lo);
	}
	ret = sf_critpath_walk(&cp, ts, m, i);
	if (!ret && !p.idle)
		ret = shares(&cp, i, &w);
	sf_critpath_release(&cp);
	if (ret || p.idle)
		return ret ? ret : push(b->d, p);
	if ((double)w.own > own_share * span || (double)w.given < given_share * span ||
	    w.top == SF_NO_THREAD)
		return is_idle(t) ? (p.idle = true, push(b->d, p)) : 0;
	p.for_tid = rec->thread[w.top].tid;
	p.for_comm = sf_diff_keep(b->d, "%s", sf_text(rec, rec->thread[w.top].comm));
	return push(b->d, p);
}

int sf_list_passive(struct diff_build *b)
{
	struct sf_diff *d = b->d;
	const struct sf_window_ref *ref = &d->ref[d->median_column[SF_SLOW][0]];
	struct diff_rec *dr = sf_diff_rec(b, ref->rec);
	struct sf_timelines ts;
	size_t walks = 0;
	int ret = sf_timelines_init(&ts, ref->rec, ref->window, ref->window->lo, ref->window->hi);

	for (uint32_t i = 0; !ret && i < ref->rec->nr_threads && walks < MAX_WALKS; i++) {
		const struct sf_timeline *t;

		if (!(ref->rec->thread[i].flags & SF_THREAD_TARGET))
			continue;
		t = sf_timelines_get(&ts, i);
		if (!t) {
			ret = -ENOMEM;
			break;
		}
		/* Who is busy or comes and goes is no waiter. */
		if (t->total[SF_STATE_BLOCKED] < (ts.hi - ts.lo) / 2)
			continue;
		walks++;
		ret = look_at(b, &ts, &dr->mech, i, t);
	}
	sf_timelines_release(&ts);
	return ret;
}
