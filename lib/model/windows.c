/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Windows: what each BRANCH's pause was and whose wait it is. The dark window goes from the first
 * vCPU that left the guest for good to the last one back in it; without vCPUs the API window counts.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/loader.h"
#include "model/vcpu.h"

/* The thread that the end of the window waited for when no vCPU tells: the one of the target that
 * woke somebody outside of it last, for that is the reply. */
static uint32_t replier(const struct sf_recording *rec, const struct sf_window *w)
{
	uint32_t best = SF_NO_THREAD;
	uint64_t when = 0;

	for (size_t i = 0; i < rec->nr_threads; i++) {
		const struct sf_thread *t = &rec->thread[i];

		/* The recorder itself may be the client: its drivers are. */
		if (t->flags & (SF_THREAD_TARGET | SF_THREAD_KERNEL))
			continue;
		for (size_t k = 0; k < t->nr_sched; k++) {
			const struct sf_sched *e = &t->sched[k];

			if (e->kind != SF_SCHED_WAKE || !sf_wake_is_task(e->state) ||
			    e->other == SF_NO_THREAD || e->time < w->lo || e->time > w->hi)
				continue;
			if (!(rec->thread[e->other].flags & SF_THREAD_TARGET) || e->time < when)
				continue;
			when = e->time;
			best = e->other;
		}
	}
	return best;
}

/* The process's first thread; for a foreign recording that of the busiest process. */
static uint32_t main_thread(const struct sf_recording *rec)
{
	uint32_t best = SF_NO_THREAD;
	size_t most = 0;

	for (size_t i = 0; i < rec->nr_threads; i++) {
		const struct sf_thread *t = &rec->thread[i];
		size_t n = t->nr_sched + t->nr_samples;

		if (t->tid != t->pid || !t->tid || (t->flags & SF_THREAD_KERNEL))
			continue;
		if (t->flags & SF_THREAD_TARGET)
			return (uint32_t)i;
		if (n > most) {
			most = n;
			best = (uint32_t)i;
		}
	}
	return best;
}

static void find_dark(struct sf_recording *rec, struct sf_vcpu_memo *memo, struct sf_window *w)
{
	uint64_t begin, end, lo = w->api_lo, hi = w->api_hi;
	bool told = w->dark_hi > w->dark_lo;
	uint64_t last = 0;

	for (size_t i = 0; i < rec->nr_threads; i++) {
		const struct sf_thread *t = &rec->thread[i];

		if ((t->flags & (SF_THREAD_VCPU | SF_THREAD_TARGET)) !=
		    (SF_THREAD_VCPU | SF_THREAD_TARGET))
			continue;
		if (!sf_vcpu_pause(rec, memo, t, lo, hi, &begin, &end))
			continue;
		if (end >= last) {
			last = end;
			w->root = (uint32_t)i;
		}
		if (told)
			continue;
		if (!w->dark_hi || begin < w->dark_lo)
			w->dark_lo = begin;
		if (end > w->dark_hi)
			w->dark_hi = end;
	}
}

static bool is_vcpu_target(const struct sf_recording *rec)
{
	for (size_t i = 0; i < rec->nr_threads; i++)
		if (rec->thread[i].flags & SF_THREAD_VCPU)
			return true;
	return false;
}

/*
 * CMD's time is from when the recorder lets it go to its exit: before, and until the recorder hears of
 * its end, a busy machine may keep the recorder from its CPU.
 */
static void fit_to_command(struct sf_recording *rec, struct sf_window *w)
{
	const struct sf_thread *t;
	size_t i;

	if (!w->cmd_pid || !rec->system_scope)
		return;
	w->root = sf_recording_thread(rec, w->cmd_pid, w->api_hi);
	if (w->root == SF_NO_THREAD)
		return;
	t = &rec->thread[w->root];
	if (t->exit > w->lo && t->exit < w->hi)
		w->hi = w->api_hi = t->exit;
	i = sf_thread_sched_from(t, w->lo);
	if (i < t->nr_sched && t->sched[i].kind == SF_SCHED_WAKE && t->sched[i].time < w->hi &&
	    t->sched[i].other != SF_NO_THREAD &&
	    rec->thread[t->sched[i].other].flags & SF_THREAD_RECORDER)
		w->lo = w->api_lo = t->sched[i].time;
}

static void settle(struct sf_recording *rec, struct sf_vcpu_memo *memo, struct sf_window *w,
		   bool api_windows)
{
	w->lo = w->api_lo;
	w->hi = w->api_hi;
	find_dark(rec, memo, w);
	if (w->dark_hi > w->dark_lo && !api_windows) {
		w->lo = w->dark_lo;
		w->hi = w->dark_hi;
	} else {
		w->unpaused = !w->dark_hi && is_vcpu_target(rec) && !w->whole;
		if (w->unpaused)
			sf_recording_note(rec, "BRANCH %u: no vCPU stopped in its window", w->branch);
		w->root = SF_NO_THREAD;
		fit_to_command(rec, w);
		if (w->root == SF_NO_THREAD)
			w->root = replier(rec, w);
	}
	if (w->root == SF_NO_THREAD)
		w->root = main_thread(rec);
}

static int by_branch(const void *a, const void *b)
{
	const struct sf_window *x = a, *y = b;

	return x->branch < y->branch ? -1 : x->branch > y->branch;
}

/* No marks, but the scheduler's events: the recording as a whole is the window. */
static int whole_window(struct sf_recording *rec)
{
	struct sf_window *w;

	if (!rec->has_switches || rec->last <= rec->first)
		return 0;
	if (SF_GROW(rec->window, 1, rec->window_alloc))
		return -ENOMEM;
	w = &rec->window[rec->nr_windows++];
	*w = (struct sf_window){
		.branch = 1, .trial = 1, .root = SF_NO_THREAD, .whole = true,
		.pause_ms = -1, .diff_ms = -1, .diff_physical_bytes = -1,
		.api_lo = rec->first, .api_hi = rec->last,
	};
	return 0;
}

/* A window whose end never came (the recorder was killed) is none. */
static void drop_unfinished(struct sf_recording *rec)
{
	size_t n = 0;

	for (size_t i = 0; i < rec->nr_windows; i++) {
		struct sf_window *w = &rec->window[i];

		if (w->api_hi > w->api_lo) {
			rec->window[n++] = *w;
			continue;
		}
		sf_recording_note(rec, "BRANCH %u never ended in this recording: left out", w->branch);
		sf_window_release(w);
	}
	rec->nr_windows = n;
}

int sf_find_windows(struct sf_recording *rec, bool api_windows)
{
	struct sf_vcpu_memo memo = { 0 };
	int ret = 0;

	drop_unfinished(rec);
	if (!rec->nr_windows && !rec->meta.pid)
		ret = whole_window(rec);
	if (!ret)
		ret = sf_find_vcpus(rec, &memo);
	if (!ret)
		ret = sf_find_unannounced(rec, &memo);
	if (rec->nr_windows)
		qsort(rec->window, rec->nr_windows, sizeof(*rec->window), by_branch);
	for (size_t i = 0; !ret && i < rec->nr_windows; i++)
		settle(rec, &memo, &rec->window[i], api_windows);
	sf_vcpu_memo_release(&memo);
	return ret;
}
