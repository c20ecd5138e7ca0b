/* SPDX-License-Identifier: GPL-2.0-only */
#include <snapflame/states.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *sf_state_name(enum sf_state state)
{
	static const char *const name[SF_NR_STATES] = {
		"running", "runnable", "blocked", "absent", "unaccounted",
	};

	return state < SF_NR_STATES ? name[state] : "";
}

const char *sf_task_state_letter(enum sf_task_state state)
{
	static const char *const letter[] = { "R", "S", "D", "T", "X", "I", "?" };

	return state < SF_ARRAY_SIZE(letter) ? letter[state] : "?";
}

static struct sf_slice *add(struct sf_timeline *t, struct sf_slice iv)
{
	if (SF_GROW(t->iv, t->nr + 1, t->alloc))
		return NULL;
	t->iv[t->nr] = iv;
	return &t->iv[t->nr++];
}

/* The thread's state between two events, and what the second one says of it. */
struct cursor {
	struct sf_timeline *t;
	const struct sf_thread *th;
	struct sf_slice now; /* the interval that is open */
	uint64_t pos;        /* all before it is told: time may go backwards in a damaged recording */
	bool moved;          /* on a CPU, and was not seen to leave another one */
	int err;
};

/* Close the open interval at time, clipped to the span. */
static void close_at(struct cursor *c, uint64_t time)
{
	struct sf_slice iv = c->now;

	iv.lo = c->pos;
	iv.hi = time < c->t->hi ? time : c->t->hi;
	if (iv.hi <= iv.lo)
		return;
	c->pos = iv.hi;
	if (!c->err && !add(c->t, iv))
		c->err = -ENOMEM;
}

static void open_state(struct cursor *c, enum sf_state state, uint64_t time)
{
	c->now = (struct sf_slice){
		.since = time, .state = (uint8_t)state,
		.waker = SF_NO_THREAD, .next = SF_NO_THREAD,
	};
}

static void on_in(struct cursor *c, const struct sf_sched *e)
{
	if (c->now.state == SF_STATE_RUNNING) {
		/* Said twice; or it came to another CPU before it left the first, as their clocks have it. */
		c->moved = c->now.cpu != e->cpu;
		c->now.cpu = e->cpu;
		return;
	}
	if (c->now.state == SF_STATE_RUNNABLE)
		c->now.cpu = e->cpu;
	close_at(c, e->time);
	open_state(c, SF_STATE_RUNNING, e->time);
	c->now.cpu = e->cpu;
}

/* Nobody is woken twice: the first waking was one of a sleep before, and its clock is wrong. */
static void sleep_on(struct cursor *c, const struct sf_sched *e)
{
	struct sf_slice *sleep = c->t->nr ? &c->t->iv[c->t->nr - 1] : NULL;

	if (c->now.state != SF_STATE_RUNNABLE || c->now.preempted || !sleep || sleep->hi != c->pos ||
	    sleep->state != SF_STATE_BLOCKED || !sleep->woken || e->time < c->pos)
		return;
	sleep->hi = e->time < c->t->hi ? e->time : c->t->hi;
	sleep->waker = e->other;
	sleep->wake = e->state;
	c->pos = sleep->hi;
	c->now.since = e->time;
}

static void on_wake(struct cursor *c, const struct sf_sched *e)
{
	sleep_on(c, e);
	if (c->now.state != SF_STATE_BLOCKED)
		return; /* a race with going to sleep, or woken twice */
	c->now.woken = true;
	c->now.waker = e->other;
	c->now.wake = e->state;
	close_at(c, e->time);
	open_state(c, SF_STATE_RUNNABLE, e->time);
}

static void on_out(struct cursor *c, const struct sf_sched *e)
{
	bool late = c->moved && c->now.state == SF_STATE_RUNNING && c->now.cpu != e->cpu;

	c->moved = false;
	if (late)
		return; /* of the CPU that it was on before */
	/* Its switch-in was lost: nobody knows how long it ran. */
	if (c->now.state == SF_STATE_BLOCKED)
		c->now.state = SF_STATE_UNACCOUNTED;
	if (c->now.state == SF_STATE_RUNNING) {
		c->now.stack = e->stack;
		c->now.source = e->stack ? SF_EVIDENCE_SWITCH : SF_EVIDENCE_NONE;
		c->now.next = e->other;
		c->now.task = e->state;
	}
	close_at(c, e->time);
	if (e->state == SF_TASK_DEAD) {
		open_state(c, SF_STATE_ABSENT, e->time);
		return;
	}
	open_state(c, e->state == SF_TASK_PREEMPTED ? SF_STATE_RUNNABLE : SF_STATE_BLOCKED, e->time);
	c->now.preempted = e->state == SF_TASK_PREEMPTED;
	c->now.task = e->state;
	c->now.stack = e->stack;
	c->now.source = e->stack ? SF_EVIDENCE_SWITCH : SF_EVIDENCE_NONE;
	c->now.cpu = e->cpu;
}

static void on_event(struct cursor *c, const struct sf_sched *e)
{
	if (c->now.state == SF_STATE_ABSENT)
		return;
	if (e->kind == SF_SCHED_IN)
		on_in(c, e);
	else if (e->kind == SF_SCHED_WAKE)
		on_wake(c, e);
	else
		on_out(c, e);
}

static const struct sf_snap_thread *snap_of(const struct sf_window *w, enum sf_window_edge edge,
					    uint32_t tid)
{
	for (size_t i = 0; w && i < w->snap[edge].nr; i++)
		if (w->snap[edge].thread[i].tid == tid)
			return &w->snap[edge].thread[i];
	return NULL;
}

/* What /proc's letter means where no event says anything. */
static enum sf_state snap_state(char letter, uint8_t *task)
{
	switch (letter) {
	case 'S':
		*task = SF_TASK_INTERRUPTIBLE;
		return SF_STATE_BLOCKED;
	case 'D':
		*task = SF_TASK_UNINTERRUPTIBLE;
		return SF_STATE_BLOCKED;
	case 'I':
		*task = SF_TASK_IDLE;
		return SF_STATE_BLOCKED;
	case 'T':
	case 't':
		*task = SF_TASK_STOPPED;
		return SF_STATE_BLOCKED;
	case 'X':
	case 'Z':
		return SF_STATE_ABSENT;
	default:
		return SF_STATE_UNACCOUNTED; /* R: running or runnable, and /proc does not say which */
	}
}

/*
 * A thread is put on a CPU first, and nobody was seen to wake it: it waited for the CPU when recording
 * began, unless it was seen asleep then or not all wakings were recorded.
 */
static bool waited_already(const struct sf_recording *rec, const struct sf_snap_thread *s)
{
	uint8_t task;

	if (s)
		return snap_state(s->state, &task) == SF_STATE_UNACCOUNTED;
	return rec->system_scope && !strcmp(sf_text(rec, rec->meta.wakings), "ftrace");
}

/* Since when all that happens is recorded that w needs: the end of the window before it. */
static uint64_t on_since(const struct sf_recording *rec, const struct sf_window *w)
{
	uint64_t begin = w ? w->snap[SF_EDGE_BEGIN].t0 : 0, on = 0;

	for (size_t i = 0; i < rec->nr_windows; i++) {
		uint64_t end = rec->window[i].snap[SF_EDGE_END].t1;

		if (end < begin && end > on)
			on = end;
	}
	return on;
}

/* State at the span's beginning from what comes first after it. */
static void from_future(struct cursor *c, const struct sf_recording *rec, const struct sf_sched *e,
			const struct sf_window *w)
{
	const struct sf_snap_thread *s = snap_of(w, SF_EDGE_BEGIN, c->th->tid);
	uint64_t start = c->th->start, on = on_since(rec, w);

	open_state(c, SF_STATE_UNACCOUNTED, start > on ? start : on);
	if (e && e->kind == SF_SCHED_OUT) {
		c->now.state = SF_STATE_RUNNING;
		c->now.cpu = e->cpu;
	} else if (e) {
		/* Woken, or put on a CPU without a waking that was seen: it slept. What was started
		 * while recording first waits for a CPU, and so did what was woken before it began. */
		c->now.state = e->kind == SF_SCHED_IN && (start || waited_already(rec, s))
				       ? SF_STATE_RUNNABLE : SF_STATE_BLOCKED;
		c->now.task = SF_TASK_BLOCKED;
		if (s && snap_state(s->state, &c->now.task) != SF_STATE_BLOCKED)
			c->now.task = SF_TASK_BLOCKED;
	} else if (s) {
		c->now.state = (uint8_t)snap_state(s->state, &c->now.task);
	} else if (!(c->th->flags & SF_THREAD_TARGET)) {
		/* Others are only heard of when they run. */
		c->now.state = SF_STATE_BLOCKED;
		c->now.task = SF_TASK_BLOCKED;
	}
}

/* Another process's thread was looked at before w began: it may wait for something else than the last time.
 * The target's are looked at all the time, and what they were seen to wait for has no user stack. */
static bool seen_asleep(const struct sf_thread *th, uint64_t lo, uint64_t hi)
{
	size_t i = sf_thread_poll_from(th, lo);

	if (th->flags & SF_THREAD_TARGET)
		return false;
	while (i < th->nr_polls && th->poll[i].time < hi && !th->poll[i].stack)
		i++;
	return i < th->nr_polls && th->poll[i].time < hi;
}

/*
 * The last event before the span may be of an earlier BRANCH, and nothing was recorded since. What
 * comes next then says more than what came last; a sleep that goes on keeps its stack.
 */
static void after_a_gap(struct cursor *c, const struct sf_recording *rec, const struct sf_sched *last,
			const struct sf_sched *next, const struct sf_window *w)
{
	struct sf_slice before = c->now;
	uint64_t on = on_since(rec, w);

	if (!next || last->time > on || before.state == SF_STATE_ABSENT)
		return;
	from_future(c, rec, next, w);
	if ((c->now.state == before.state && !seen_asleep(c->th, on, next->time)) ||
	    c->now.state == SF_STATE_UNACCOUNTED)
		c->now = before;
}

/* Sleeps without a stack get the one that /proc showed meanwhile. */
static void fill_stacks(struct sf_timeline *t, const struct sf_thread *th,
			const struct sf_window *w)
{
	for (size_t i = 0; i < t->nr; i++) {
		struct sf_slice *iv = &t->iv[i];

		if (iv->state != SF_STATE_BLOCKED || iv->stack != SF_NO_STACK)
			continue;
		for (size_t k = 0; k < th->nr_polls; k++)
			if (th->poll[k].stack && th->poll[k].time >= iv->since &&
			    th->poll[k].time < iv->hi) {
				iv->stack = th->poll[k].stack;
				iv->source = SF_EVIDENCE_POLL;
				break;
			}
		for (int e = 0; e < SF_NR_EDGES && !iv->stack; e++) {
			const struct sf_snap_thread *s = snap_of(w, e, th->tid);

			if (!s || !s->stack || w->snap[e].t0 < iv->since || w->snap[e].t0 >= iv->hi)
				continue;
			iv->stack = s->stack;
			iv->source = SF_EVIDENCE_SNAPSHOT;
		}
	}
}

/* A thread that was seen asleep at the beginning, in a span that begins after the snapshot. */
static void snapshot_before(struct sf_timeline *t, const struct sf_thread *th,
			    const struct sf_window *w)
{
	const struct sf_snap_thread *s = snap_of(w, SF_EDGE_BEGIN, th->tid);
	struct sf_slice *iv = t->nr ? &t->iv[0] : NULL;

	if (!s || !iv || iv->state != SF_STATE_BLOCKED || iv->stack || !s->stack)
		return;
	/* No switch was seen between the snapshot and the span, so it still slept there. */
	if (iv->since <= w->snap[SF_EDGE_BEGIN].t0) {
		iv->stack = s->stack;
		iv->source = SF_EVIDENCE_SNAPSHOT;
	}
}

static void born_and_gone(struct cursor *c)
{
	struct sf_slice absent = { .state = SF_STATE_ABSENT, .waker = SF_NO_THREAD,
				      .next = SF_NO_THREAD };

	if (c->th->start > c->t->lo) {
		absent.since = absent.lo = c->t->lo;
		absent.hi = c->th->start < c->t->hi ? c->th->start : c->t->hi;
		c->pos = absent.hi;
		if (!add(c->t, absent))
			c->err = -ENOMEM;
	}
}

static void finish(struct cursor *c)
{
	if (c->th->exit < c->t->hi && c->now.state != SF_STATE_ABSENT) {
		close_at(c, c->th->exit > c->now.since ? c->th->exit : c->now.since);
		open_state(c, SF_STATE_ABSENT,
			   c->th->exit > c->now.since ? c->th->exit : c->now.since);
	}
	close_at(c, c->t->hi);
	memset(c->t->total, 0, sizeof(c->t->total));
	for (size_t i = 0; i < c->t->nr; i++)
		c->t->total[c->t->iv[i].state] += c->t->iv[i].hi - c->t->iv[i].lo;
}

/* The event that ends a sleep after the span tells who will have woken it. */
static void look_ahead(struct cursor *c, size_t i)
{
	if (c->now.state != SF_STATE_BLOCKED)
		return;
	for (; i < c->th->nr_sched && c->th->sched[i].kind != SF_SCHED_OUT; i++) {
		const struct sf_sched *e = &c->th->sched[i];

		if (e->kind == SF_SCHED_IN)
			return;
		c->now.woken = true;
		c->now.waker = e->other;
		c->now.wake = e->state;
		return;
	}
}

int sf_timeline_build(struct sf_timeline *t, const struct sf_recording *rec, uint32_t thread,
		      const struct sf_window *window, uint64_t lo, uint64_t hi)
{
	const struct sf_thread *th = &rec->thread[thread];
	struct cursor c = { .t = t, .th = th, .pos = lo };
	size_t first = sf_thread_sched_from(th, lo + 1), i = first;

	t->thread = thread;
	t->lo = lo;
	t->hi = hi;
	t->nr = 0;
	t->switches = 0;
	born_and_gone(&c);
	/* The state at lo: replay from the last switch before it. */
	while (i > 0 && th->sched[i - 1].kind == SF_SCHED_WAKE)
		i--;
	if (i > 0) {
		open_state(&c, SF_STATE_UNACCOUNTED, th->start);
		for (i--; i < first; i++)
			on_event(&c, &th->sched[i]);
		after_a_gap(&c, rec, &th->sched[first - 1], i < th->nr_sched ? &th->sched[i] : NULL, window);
	} else {
		from_future(&c, rec, i < th->nr_sched ? &th->sched[i] : NULL, window);
	}
	for (; i < th->nr_sched && th->sched[i].time < hi; i++) {
		t->switches += th->sched[i].kind == SF_SCHED_IN && th->sched[i].time >= lo;
		on_event(&c, &th->sched[i]);
	}
	look_ahead(&c, i);
	finish(&c);
	fill_stacks(t, th, window);
	snapshot_before(t, th, window);
	return c.err;
}

void sf_timeline_release(struct sf_timeline *t)
{
	free(t->iv);
	memset(t, 0, sizeof(*t));
}

const struct sf_slice *sf_timeline_at(const struct sf_timeline *t, uint64_t time)
{
	size_t lo = 0, hi = t->nr;

	if (!t->nr || time < t->lo || time >= t->hi)
		return NULL;
	while (lo + 1 < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (t->iv[mid].lo <= time)
			lo = mid;
		else
			hi = mid;
	}
	return &t->iv[lo];
}

static bool holds(const struct sf_timeline *t, size_t i, uint64_t time)
{
	return i < t->nr && t->iv[i].lo <= time && time < t->iv[i].hi;
}

const struct sf_slice *sf_timeline_back(const struct sf_timeline *t, uint64_t time, size_t *last)
{
	const struct sf_slice *iv;

	if (holds(t, *last, time))
		return &t->iv[*last];
	if (*last && holds(t, *last - 1, time))
		return &t->iv[--*last];
	iv = sf_timeline_at(t, time);
	if (iv)
		*last = (size_t)(iv - t->iv);
	return iv;
}

int sf_timelines_init(struct sf_timelines *ts, const struct sf_recording *rec,
		      const struct sf_window *window, uint64_t lo, uint64_t hi)
{
	*ts = (struct sf_timelines){ .rec = rec, .window = window, .lo = lo, .hi = hi };
	ts->of = calloc(rec->nr_threads ? rec->nr_threads : 1, sizeof(*ts->of));
	return ts->of ? 0 : -ENOMEM;
}

const struct sf_timeline *sf_timelines_get(struct sf_timelines *ts, uint32_t thread)
{
	struct sf_timeline *t = ts->of[thread];

	if (t)
		return t;
	t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	if (sf_timeline_build(t, ts->rec, thread, ts->window, ts->lo, ts->hi)) {
		sf_timeline_release(t);
		free(t);
		return NULL;
	}
	t->next = ts->last;
	ts->of[thread] = ts->last = t;
	return t;
}

void sf_timelines_release(struct sf_timelines *ts)
{
	while (ts->last) {
		struct sf_timeline *t = ts->last;

		ts->last = t->next;
		sf_timeline_release(t);
		free(t);
	}
	free(ts->of);
	memset(ts, 0, sizeof(*ts));
}
