/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The time of a thread against the kernel's own account of it. What a switch-in costs between the
 * scheduler's charge and the record's time stamp (4 to 25 µs) looks like waiting: the kernel says how
 * much that is, and it becomes the recorder's overhead. What the kernel did not charge although the
 * thread had a CPU (interrupts, a hypervisor that took it away) is unaccounted. Nothing is spread.
 */
#include <string.h>

#include "analysis/tables_internal.h"

enum {
	SWITCH_COST_NS = 25000,
	TICK_NS = 4000000, /* a running thread's schedstat is up to one tick old (CONFIG_HZ=250) */
};

static const struct sf_snap_thread *snap(const struct sf_window *w, enum sf_window_edge edge,
					 uint32_t tid)
{
	for (size_t i = 0; i < w->snap[edge].nr; i++)
		if (w->snap[edge].thread[i].tid == tid)
			return &w->snap[edge].thread[i];
	return NULL;
}

/* The kernel's run time between the snapshots, and how stale it may be. */
static bool kernel_time(const struct sf_window *w, uint32_t tid, uint64_t *run, uint64_t *stale)
{
	const struct sf_snap_thread *a = snap(w, SF_EDGE_BEGIN, tid), *z = snap(w, SF_EDGE_END, tid);

	if (!z || !w->snap[SF_EDGE_BEGIN].t1 || w->snap[SF_EDGE_END].t0 <= w->snap[SF_EDGE_BEGIN].t0)
		return false;
	*run = z->run_ns - (a && a->run_ns <= z->run_ns ? a->run_ns : 0);
	*stale = ((a && a->state == 'R') + (z->state == 'R')) * (uint64_t)TICK_NS;
	return true;
}

static void take(uint64_t *from, uint64_t *to, uint64_t ns)
{
	if (ns > *from)
		ns = *from;
	*from -= ns;
	*to += ns;
}

/* More than switches cost: it ran where we saw no switch-in. How much of it is in the window? */
static void ran_unseen(struct sf_account *a, uint64_t unseen, uint64_t window, uint64_t span)
{
	double part = span > window ? (double)window / (double)span : 1;

	take(&a->state[SF_STATE_BLOCKED], &a->state[SF_STATE_UNACCOUNTED],
	     (uint64_t)((double)unseen * part));
}

/* The kernel charged more than there was between switch-in and switch-out. */
static void charged_more(struct sf_account *a, uint64_t more, size_t switches)
{
	uint64_t each = switches ? more / switches : 0, ns;

	if (each > SWITCH_COST_NS)
		each = SWITCH_COST_NS;
	ns = each * a->switches;
	/* Behind a waking the time looks runnable, else blocked. */
	if (ns > a->state[SF_STATE_RUNNABLE]) {
		uint64_t rest = ns - a->state[SF_STATE_RUNNABLE];

		take(&a->state[SF_STATE_RUNNABLE], &a->overhead, a->state[SF_STATE_RUNNABLE]);
		take(&a->state[SF_STATE_BLOCKED], &a->overhead, rest);
	} else {
		take(&a->state[SF_STATE_RUNNABLE], &a->overhead, ns);
	}
}

/* It had a CPU for longer than the kernel charged it for. */
static void charged_less(struct sf_account *a, uint64_t less)
{
	double part = (double)a->state[SF_STATE_RUNNING] / (double)a->events_run;

	take(&a->state[SF_STATE_RUNNING], &a->state[SF_STATE_UNACCOUNTED],
	     (uint64_t)((double)less * (part < 1 ? part : 1)));
}

int sf_account(struct sf_account *a, struct table_build *b, const struct sf_window *w,
	       const struct sf_timeline *t)
{
	struct sf_timeline span = { 0 };
	uint64_t stale, more, less, cost;
	int ret;

	memset(a, 0, sizeof(*a));
	memcpy(a->state, t->total, sizeof(a->state));
	a->switches = t->switches;
	a->has_kernel = kernel_time(w, b->rec->thread[t->thread].tid, &a->kernel_run, &stale);
	if (!a->has_kernel)
		return 0;
	ret = sf_timeline_build(&span, b->rec, t->thread, w, w->snap[SF_EDGE_BEGIN].t0,
				w->snap[SF_EDGE_END].t0);
	a->events_run = span.total[SF_STATE_RUNNING];
	more = a->kernel_run > a->events_run ? a->kernel_run - a->events_run : 0;
	less = a->kernel_run < a->events_run ? a->events_run - a->kernel_run : 0;
	stale += a->events_run / 100;
	cost = (uint64_t)span.switches * SWITCH_COST_NS;
	if (more)
		charged_more(a, more, span.switches);
	if (more > cost + stale)
		ran_unseen(a, more - cost - stale, t->hi - t->lo, span.hi - span.lo);
	if (less > stale)
		charged_less(a, less - stale);
	sf_timeline_release(&span);
	return ret;
}
