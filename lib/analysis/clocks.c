/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Do the CPUs' clocks agree? A thread is on one CPU at a time, and is woken once before it runs again.
 * Where the records say otherwise, their order in time is not the one in which they happened, or some
 * are missing, and nothing that follows from order can be believed: who woke whom, who had a CPU. In
 * 184 good windows with 47 thousand wakings neither was ever seen; where the clock of one of two CPUs is
 * 1 ms behind, 3 % of the wakings are.
 *
 * And does the clock of the events agree with the one that the windows' ends were read from? The recorder
 * has just been woken to read it, or got a CPU: in good recordings of the whole machine that was 0.1 ms
 * before, unless a hypervisor had the CPU.
 */
#include <math.h>

#include "analysis/diff_internal.h"

static const double most_silent_ns = 3e6;

static const double most_wrong_pct = 1;
enum { LEAST_WRONG = 2 };

struct order {
	size_t all, wrong; /* wakings and moves to another CPU */
};

static void count(struct order *o, const struct sf_thread *t, uint64_t lo, uint64_t hi)
{
	const struct sf_sched *last = NULL;
	bool woken = false;

	for (size_t i = sf_thread_sched_from(t, lo); i < t->nr_sched && t->sched[i].time < hi; i++) {
		const struct sf_sched *e = &t->sched[i];

		if (e->kind == SF_SCHED_WAKE) {
			/* Who is on a CPU, or was taken from it, may be woken from the sleep it prepares for. */
			if (last && last->kind == SF_SCHED_OUT && last->state != SF_TASK_PREEMPTED) {
				o->all++;
				o->wrong += woken;
				woken = true;
			}
			continue;
		}
		if (last && e->cpu != last->cpu && e->kind == SF_SCHED_IN) {
			o->all++;
			o->wrong += last->kind == SF_SCHED_IN;
		}
		last = e;
		woken = false;
	}
}

/* When anybody was woken last before time, or the recorder got a CPU; 0: never. */
static uint64_t last_sign(const struct sf_recording *rec, uint64_t time)
{
	uint64_t last = 0;

	for (size_t i = 0; i < rec->nr_threads; i++) {
		const struct sf_thread *t = &rec->thread[i];
		bool ours = t->flags & SF_THREAD_RECORDER;

		for (size_t k = sf_thread_sched_from(t, time); k && t->sched[k - 1].time > last; k--) {
			enum sf_sched_kind kind = t->sched[k - 1].kind;

			if (kind == SF_SCHED_WAKE || (ours && kind == SF_SCHED_IN))
				last = t->sched[k - 1].time;
		}
	}
	return last;
}

static int check_end(struct diff_build *b, const struct sf_recording *rec, const struct sf_window *w)
{
	double silent, stolen;

	if (!rec->meta.recorder || !rec->system_scope || !rec->has_wakings || w->unannounced || w->error ||
	    w->api_hi > rec->last)
		return 0;
	silent = (double)(w->api_hi - last_sign(rec, w->api_hi));
	stolen = fmax(sf_window_covariate(rec, w, "cpu_steal_ms", true), 0) * 1e6;
	if (silent < most_silent_ns + stolen)
		return 0;
	return sf_diff_problem(b->d, sf_diff_keep(b->d,
		"nobody is woken in the last %.1f ms of BRANCH %u: the clock of the events is behind, or was put "
		"back", silent / 1e6, w->branch));
}

int sf_check_clocks(struct diff_build *b, const struct sf_recording *rec, const struct sf_window *w)
{
	struct order o = { 0 };
	int ret = check_end(b, rec, w);

	if (ret)
		return ret;
	for (size_t i = 0; i < rec->nr_threads; i++)
		if (!(rec->thread[i].flags & SF_THREAD_IDLE))
			count(&o, &rec->thread[i], w->lo, w->hi);
	if (o.wrong < LEAST_WRONG || (double)o.wrong < most_wrong_pct / 100 * (double)o.all)
		return 0;
	return sf_diff_problem(b->d, sf_diff_keep(b->d,
		"in BRANCH %u %zu of %zu wakings and moves contradict each other: the CPUs' clocks differ, or "
		"went backwards, or events are missing", w->branch, o.wrong, o.all));
}
