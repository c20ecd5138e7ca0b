/* SPDX-License-Identifier: GPL-2.0-only */
#include "analysis/completion.h"
#include "analysis/running.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 64 };

/* One thread being walked, down to floor. */
struct level {
	uint32_t thread;
	uint64_t floor;
	uint32_t waiter; /* index + 1: who waits for it */
	bool lock;       /* reached through a lock of the kernel */
	enum sf_wait how; /* what its waiter waited for */
	size_t at;        /* in its timeline */
	bool quota_known, quota_seen; /* a quota was seen to take it from the CPU */
};

struct walk {
	struct sf_critpath *cp;
	struct sf_timelines *ts;
	struct sf_mechanisms *m;
	const struct sf_recording *rec;
	struct level level[MAX_DEPTH];
	int depth;
	uint64_t pos;
	/* ns that CPU quotas held threads back during the window, of the target's cgroup and all above it,
	 * and of all cgroups of the machine; -1 unknown */
	int64_t throttled, machine_throttled;
};

static struct level *top(struct walk *w)
{
	return &w->level[w->depth - 1];
}

/* The segment [lo, w->pos); moves pos. Neighbours that differ in nothing become one. */
static int emit(struct walk *w, uint64_t lo, struct sf_segment s)
{
	struct sf_critpath *cp = w->cp;
	struct sf_segment *last = cp->nr ? &cp->seg[cp->nr - 1] : NULL;

	s.lo = lo;
	s.hi = w->pos;
	if (s.hi <= s.lo)
		return 0;
	w->pos = lo;
	if (s.source != SF_SOURCE_MISSING)
		cp->attributed += s.hi - s.lo;
	if (s.stack != SF_NO_STACK)
		cp->stacked += s.hi - s.lo;
	if (last && last->lo == s.hi && last->thread == s.thread && last->dev == s.dev &&
	    last->stack == s.stack && last->kind == s.kind && last->waiter == s.waiter &&
	    last->state == s.state && last->behind == s.behind && last->source == s.source &&
	    last->server == s.server && last->server_dev == s.server_dev && last->woken == s.woken) {
		last->lo = lo;
		return 0;
	}
	if (SF_GROW(cp->seg, cp->nr + 1, cp->alloc))
		return -ENOMEM;
	cp->seg[cp->nr++] = s;
	return 0;
}

static struct sf_segment segment(struct walk *w, const struct sf_slice *iv)
{
	const struct level *l = top(w);

	return (struct sf_segment){
		.thread = l->thread, .waiter = l->waiter, .behind = SF_NO_THREAD,
		.server = SF_NO_THREAD,
		.state = iv->state, .task = iv->task, .lock = l->lock,
	};
}

/* Whoever waits for a vCPU's own time, on a CPU or asleep on purpose, waits for it to stop or resume. */
static enum sf_kind of_vcpu(const struct walk *w, enum sf_kind own)
{
	if (!(w->rec->thread[w->level[w->depth - 1].thread].flags & SF_THREAD_VCPU))
		return own;
	return own == SF_KIND_CPU_USER || own == SF_KIND_CPU_KERNEL || own == SF_KIND_TIMER ||
			       own == SF_KIND_MEMORY || own == SF_KIND_UNKNOWN
		       ? SF_KIND_VCPU
		       : own;
}

/* Through a lock of the kernel, or a fault that another serves, the kind is that of the wait. */
static enum sf_kind through(const struct level *l, enum sf_kind own)
{
	return l->lock ? sf_wait_kind(l->how) : own;
}

/* ------------------------------------------------------------------ running */

static enum sf_kind running_kind(struct walk *w, const struct sf_run_part *p)
{
	const struct level *l = top(w);

	if (l->lock)
		return through(l, SF_KIND_LOCK);
	/* Where it went to sleep does not say what it did before: only a sample does. */
	if (p->kernel && p->source == SF_SOURCE_SAMPLE && sf_mechanism_memory(w->m, p->stack))
		return of_vcpu(w, SF_KIND_MEMORY);
	return of_vcpu(w, p->kernel ? SF_KIND_CPU_KERNEL : SF_KIND_CPU_USER);
}

struct run_walk {
	struct walk *w;
	const struct sf_slice *iv;
};

static int run_part(void *arg, const struct sf_run_part *p)
{
	struct run_walk *r = arg;
	struct sf_segment s = segment(r->w, r->iv);

	s.stack = p->stack;
	s.source = p->source;
	s.kind = running_kind(r->w, p);
	return emit(r->w, p->lo, s);
}

static int run(struct walk *w, const struct sf_slice *iv, uint64_t lo)
{
	struct run_walk r = { w, iv };

	return sf_running_parts(w->m, &w->rec->thread[top(w)->thread], iv, lo, w->pos, run_part, &r);
}

/* ----------------------------------------------------------------- runnable */

/* Who had cpu for the largest part of [lo, hi), and for how long. In scope vmm nobody knows. */
static uint32_t who_had(const struct sf_recording *rec, uint16_t cpu, uint64_t lo, uint64_t hi,
			uint64_t *longest)
{
	const struct sf_cpu *c = rec->system_scope && cpu < rec->nr_cpus ? &rec->cpu[cpu] : NULL;
	struct { uint32_t thread; uint64_t ns; } who[16];
	size_t n = 0, a = 0, b = c ? c->nr : 0;
	uint32_t best = SF_NO_THREAD;

	*longest = 0;
	while (a < b) {
		size_t mid = a + (b - a) / 2;

		if (c->sw[mid].time <= lo)
			a = mid + 1;
		else
			b = mid;
	}
	for (size_t i = a ? a - 1 : 0; c && i < c->nr && c->sw[i].time < hi; i++) {
		uint64_t from = c->sw[i].time > lo ? c->sw[i].time : lo;
		uint64_t to = i + 1 < c->nr && c->sw[i + 1].time < hi ? c->sw[i + 1].time : hi;
		size_t k = 0;

		while (k < n && who[k].thread != c->sw[i].thread)
			k++;
		if (k == SF_ARRAY_SIZE(who))
			continue;
		if (k == n) {
			who[n].thread = c->sw[i].thread;
			who[n++].ns = 0;
		}
		who[k].ns += to - from;
	}
	for (size_t k = 0; k < n; k++)
		if (who[k].ns > *longest) {
			*longest = who[k].ns;
			best = who[k].thread;
		}
	return best;
}

/* What a counter among the covariates says of the window, in ns; -1: nothing. */
static int64_t throttled_ns(const struct sf_recording *rec, const struct sf_window *w, const char *name)
{
	double us = w ? sf_window_covariate(rec, w, name, true) : NAN;

	return us >= 0 ? (int64_t)(us * 1000) : -1;
}

static uint64_t snap_throttled(const struct sf_window *w, enum sf_window_edge edge, uint32_t tid)
{
	for (size_t i = 0; w && i < w->snap[edge].nr; i++)
		if (w->snap[edge].thread[i].tid == tid)
			return w->snap[edge].thread[i].throttled_ns;
	return 0;
}

/* How long the cgroup of a thread was out of quota in the window; -1: not known. A thread of the
 * target may be in a cgroup of its own, as libvirt's vCPUs are. */
static int64_t throttled_of(const struct walk *w, const struct sf_thread *t)
{
	const struct sf_window *win = w->ts->window;
	uint64_t begin, end;

	if (!(t->flags & SF_THREAD_TARGET))
		return -1;
	begin = snap_throttled(win, SF_EDGE_BEGIN, t->tid);
	end = snap_throttled(win, SF_EDGE_END, t->tid);
	return begin && end >= begin ? (int64_t)(end - begin) : w->throttled;
}

/*
 * Out of quota: the thread's cgroup was throttled, and the thread's stack says so, or the CPU idled
 * meanwhile, or it was throttled for most of the time that the thread was runnable. Where the thread's
 * cgroup is not known some cgroup of the machine must have been throttled; then the stack is proof, whoever
 * had the CPU, and so is an idle CPU for a thread that was taken from it. One that was just woken may wait
 * for the CPU itself to wake, which takes a virtual one some ms. Where nothing at all is known of
 * cgroups, a stack has to show the throttle itself: other work is done on the way to user mode, too.
 * A kernel that throttles threads where they can be seen to leave shows each: one that leaves in
 * another way waits for the CPU.
 */
enum { QUOTA_NS = 1000000, WAKE_UP_NS = 5000000 };

static bool throttles_in_sight(struct walk *w, struct level *l, const struct sf_timeline *tl)
{
	for (size_t i = 0; tl && !l->quota_known && i < tl->nr; i++)
		l->quota_seen |= tl->iv[i].state == SF_STATE_RUNNABLE && tl->iv[i].preempted &&
				 tl->iv[i].hi - tl->iv[i].lo >= QUOTA_NS &&
				 sf_mechanism_quota_sign(w->m, tl->iv[i].stack);
	l->quota_known = true;
	return l->quota_seen;
}

static bool out_of_quota(struct walk *w, const struct sf_slice *iv, uint32_t behind, uint64_t had)
{
	const struct sf_timeline *tl = sf_timelines_get(w->ts, top(w)->thread);
	int64_t throttled = throttled_of(w, &w->rec->thread[top(w)->thread]);
	bool idle = behind != SF_NO_THREAD && w->rec->thread[behind].flags & SF_THREAD_IDLE &&
		    had * 2 > iv->hi - iv->lo;
	enum sf_quota_sign sign = iv->preempted ? sf_mechanism_quota_sign(w->m, iv->stack) : SF_QUOTA_NO_SIGN;

	if (iv->hi - iv->lo < QUOTA_NS)
		return false;
	if (throttled > 0 && throttles_in_sight(w, top(w), tl))
		return sign;
	if (throttled >= 0)
		return throttled && (idle || (tl && (uint64_t)throttled * 2 >
							    tl->total[SF_STATE_RUNNABLE]));
	if (sign == SF_QUOTA_THROTTLES)
		return true;
	if (!w->machine_throttled)
		return false;
	return (sign && w->machine_throttled > 0) ||
	       (idle && (iv->preempted || iv->hi - iv->lo >= WAKE_UP_NS));
}

/* Somebody waits in the thread of the top level: index + 1. */
static int add_waiter(struct walk *w, uint32_t stack, enum sf_wait wait, uint32_t *index)
{
	struct sf_critpath *cp = w->cp;
	const struct level *l = top(w);

	if (SF_GROW(cp->waiter, cp->nr_waiters + 1, cp->waiter_alloc))
		return -ENOMEM;
	cp->waiter[cp->nr_waiters++] = (struct sf_waiter){
		.thread = l->thread, .stack = sf_mechanism_trim(w->m, stack), .wait = wait,
		.up = l->waiter,
	};
	*index = (uint32_t)cp->nr_waiters;
	return 0;
}

/* The time in the run queue is blamed on who had the CPU. */
static int runnable(struct walk *w, const struct sf_slice *iv, uint64_t lo)
{
	struct sf_segment s = segment(w, iv);
	uint64_t ns;

	s.behind = who_had(w->rec, iv->cpu, iv->lo, iv->hi, &ns);
	s.kind = SF_KIND_RUNQUEUE;
	s.stack = iv->preempted ? sf_mechanism_trim(w->m, iv->stack) : SF_NO_STACK;
	s.source = SF_SOURCE_SEEN;
	s.woken = !iv->preempted;
	if (s.behind == s.thread)
		s.behind = SF_NO_THREAD;
	if (out_of_quota(w, iv, s.behind, ns)) {
		s.kind = SF_KIND_CPU_QUOTA;
		s.behind = SF_NO_THREAD;
	}
	if (s.behind != SF_NO_THREAD && w->rec->thread[s.behind].flags & SF_THREAD_IDLE)
		s.behind = SF_NO_THREAD;
	if (s.behind != SF_NO_THREAD) {
		if (add_waiter(w, iv->stack, SF_WAIT_UNKNOWN, &s.waiter))
			return -ENOMEM;
		s.thread = s.behind;
		s.lock = false;
	}
	return emit(w, lo, s);
}

/* ------------------------------------------------------------------ blocked */

static bool on_path(const struct walk *w, uint32_t thread)
{
	for (int i = 0; i < w->depth; i++)
		if (w->level[i].thread == thread)
			return true;
	return false;
}

/* Is the waker's own context the cause, and does this kind of wait belong to whoever ends it? */
static bool follows(const struct walk *w, const struct sf_slice *iv, enum sf_wait wait)
{
	if (!iv->woken || iv->waker == SF_NO_THREAD || !sf_wake_is_task(iv->wake) ||
	    w->depth == MAX_DEPTH || on_path(w, iv->waker) ||
	    w->rec->thread[iv->waker].flags & SF_THREAD_IDLE)
		return false;
	switch (wait) {
	case SF_WAIT_UNKNOWN:
	case SF_WAIT_FUTEX:
	case SF_WAIT_PEER:
	case SF_WAIT_LOCK:
	case SF_WAIT_MM_LOCK:
	case SF_WAIT_FAULT:
	case SF_WAIT_WORKER:
	case SF_WAIT_VCPU:
		return true;
	default:
		return false;
	}
}

static int follow(struct walk *w, const struct sf_slice *iv, enum sf_wait wait, uint64_t lo)
{
	const struct level *l = top(w);
	bool lock = wait == SF_WAIT_LOCK || wait == SF_WAIT_MM_LOCK || wait == SF_WAIT_FAULT;
	struct level next = {
		.thread = iv->waker, .floor = lo, .lock = lock || l->lock, .how = lock ? wait : l->how,
	};

	if (add_waiter(w, iv->stack, wait, &next.waiter))
		return -ENOMEM;
	w->level[w->depth++] = next;
	return 0;
}

/* A wait that rq ended (NULL: not known). Was it the device, or did something hold the request back before? */
static int request_wait(struct walk *w, const struct sf_slice *iv, enum sf_wait wait,
			const struct sf_request *rq, uint64_t lo)
{
	struct sf_segment s = segment(w, iv);
	uint64_t issue;

	s.stack = sf_mechanism_trim(w->m, iv->stack);
	s.kind = through(top(w), sf_wait_kind(wait));
	s.source = rq ? SF_SOURCE_REQUEST : SF_SOURCE_STACK;
	if (!rq)
		return emit(w, lo, s);
	issue = rq->issue > lo ? rq->issue : lo;
	if (issue > w->pos)
		issue = w->pos;
	if (wait == SF_WAIT_DEVICE && !top(w)->lock)
		s.dev = rq->dev;
	else
		s.server_dev = rq->dev;
	if (emit(w, issue, s))
		return -ENOMEM;
	/* Before its issue the request was in the hands of the block cgroup's throttle. */
	s.dev = 0;
	if (!top(w)->lock && sf_mechanism_blk_throttled(w->m, rq->issue_stack))
		s.kind = SF_KIND_IO_THROTTLE;
	return emit(w, lo, s);
}

static bool timed(enum sf_wait wait)
{
	return wait == SF_WAIT_FUTEX || wait == SF_WAIT_PEER || wait == SF_WAIT_TIMER;
}

/* Does the recording know what the thread did? In scope vmm it knows the target's threads only. */
static bool is_recorded(const struct walk *w, uint32_t thread)
{
	const struct sf_thread *t = &w->rec->thread[thread];

	if (w->rec->system_scope || t->flags & SF_THREAD_TARGET)
		return true;
	/* A CPU-wide sampler sees it, too: what counts is when it came and went. */
	for (size_t i = 0; i < t->nr_sched; i++)
		if (t->sched[i].kind != SF_SCHED_WAKE)
			return true;
	return false;
}

/* Woken by a process that was not recorded: it has the answer, and what it did is not known. */
static int peer(struct walk *w, const struct sf_slice *iv, enum sf_wait wait, uint64_t lo)
{
	struct sf_segment s = segment(w, iv);

	s.stack = sf_mechanism_trim(w->m, iv->stack);
	s.kind = SF_KIND_PEER;
	s.source = SF_SOURCE_SEEN;
	if (add_waiter(w, iv->stack, wait, &s.waiter))
		return -ENOMEM;
	s.thread = iv->waker;
	return emit(w, lo, s);
}

static int blocked(struct walk *w, const struct sf_slice *iv, uint64_t lo)
{
	enum sf_wait wait = sf_mechanism_wait(w->m, iv->stack);
	const struct sf_request *rq = NULL;
	struct sf_segment s;

	if (wait == SF_WAIT_PEER || wait == SF_WAIT_UNKNOWN)
		rq = sf_completed_for_event(w->ts, top(w)->thread, iv);
	if (rq)
		return request_wait(w, iv, SF_WAIT_DEVICE, rq, lo);
	if (follows(w, iv, wait))
		return is_recorded(w, iv->waker) ? follow(w, iv, wait, lo) : peer(w, iv, wait, lo);
	if (wait == SF_WAIT_DEVICE || wait == SF_WAIT_WRITEBACK)
		return request_wait(w, iv, wait,
				    sf_completed_for_io(w->ts, iv, wait == SF_WAIT_WRITEBACK), lo);
	s = segment(w, iv);
	s.stack = sf_mechanism_trim(w->m, iv->stack);
	s.kind = sf_wait_kind(wait);
	s.source = iv->stack ? SF_SOURCE_STACK : SF_SOURCE_MISSING;
	if (wait == SF_WAIT_TIMER || (iv->woken && iv->wake == SF_WAKE_IRQ && timed(wait))) {
		/* A hard interrupt that ends a wait for a lock or a message is its time-out. */
		s.kind = SF_KIND_TIMER;
		s.source = SF_SOURCE_SEEN;
	} else if (s.kind == SF_KIND_UNKNOWN && !iv->woken) {
		s.source = SF_SOURCE_MISSING;
	}
	if (wait == SF_WAIT_JOURNAL && iv->woken && iv->wake == SF_WAKE_TASK &&
	    iv->waker != SF_NO_THREAD && w->rec->thread[iv->waker].flags & SF_THREAD_KERNEL)
		s.server = iv->waker;
	s.kind = through(top(w), of_vcpu(w, s.kind));
	return emit(w, lo, s);
}

/* --------------------------------------------------------------------- walk */

static int lost(struct walk *w, const struct sf_slice *iv, uint64_t lo)
{
	struct sf_segment s = segment(w, iv);

	s.kind = SF_KIND_UNKNOWN;
	s.source = SF_SOURCE_MISSING;
	return emit(w, lo, s);
}

/* Before it was there, a thread's time is its creator's. */
static bool born(struct walk *w, const struct sf_slice *iv, uint64_t lo)
{
	const struct sf_thread *t = &w->rec->thread[top(w)->thread];
	struct level next = *top(w);

	if (iv->state != SF_STATE_ABSENT || t->creator == SF_NO_THREAD || t->start < w->pos ||
	    w->depth == MAX_DEPTH || on_path(w, t->creator))
		return false;
	next.thread = t->creator;
	next.floor = lo;
	next.quota_known = next.quota_seen = false;
	w->level[w->depth++] = next;
	return true;
}

static int step(struct walk *w)
{
	struct level *l = top(w);
	const struct sf_timeline *t = sf_timelines_get(w->ts, l->thread);
	const struct sf_slice *iv;
	uint64_t lo;

	if (!t)
		return -ENOMEM;
	iv = sf_timeline_back(t, w->pos - 1, &l->at);
	if (!iv) {
		struct sf_slice none = { .state = SF_STATE_UNACCOUNTED };

		return lost(w, &none, l->floor);
	}
	lo = iv->lo > l->floor ? iv->lo : l->floor;
	switch (iv->state) {
	case SF_STATE_RUNNING:
		return run(w, iv, lo);
	case SF_STATE_RUNNABLE:
		return runnable(w, iv, lo);
	case SF_STATE_BLOCKED:
		return blocked(w, iv, lo);
	default:
		return born(w, iv, lo) ? 0 : lost(w, iv, lo);
	}
}

static void reverse(struct sf_critpath *cp)
{
	for (size_t i = 0, k = cp->nr; i + 1 < k; i++) {
		struct sf_segment s = cp->seg[i];

		cp->seg[i] = cp->seg[--k];
		cp->seg[k] = s;
	}
}

int sf_critpath_walk(struct sf_critpath *cp, struct sf_timelines *ts, struct sf_mechanisms *m,
		     uint32_t root)
{
	struct walk w = { .cp = cp, .ts = ts, .m = m, .rec = ts->rec, .pos = ts->hi,
			  .throttled = throttled_ns(ts->rec, ts->window, "cgroup_throttled_us"),
			  .machine_throttled = throttled_ns(ts->rec, ts->window, "machine_throttled_us") };
	int ret = 0;

	cp->nr = cp->nr_waiters = 0;
	cp->attributed = cp->stacked = 0;
	cp->lo = ts->lo;
	cp->hi = ts->hi;
	cp->root = root;
	w.level[w.depth++] = (struct level){ .thread = root, .floor = ts->lo };
	while (!ret && w.pos > ts->lo) {
		/* Below its floor a thread has told what it can: back to whoever waited for it. */
		while (w.depth > 1 && w.pos <= top(&w)->floor)
			w.depth--;
		ret = step(&w);
	}
	reverse(cp);
	return ret;
}

void sf_critpath_release(struct sf_critpath *cp)
{
	free(cp->seg);
	free(cp->waiter);
	memset(cp, 0, sizeof(*cp));
}
