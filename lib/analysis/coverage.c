/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The proof: does the recording cover the windows, and do its sums agree with the kernel's own? What
 * is below the limits here is a reason to give no verdict.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/diff_internal.h"

static const double least_attributed_pct = 90; /* of a window's critical path */
static const double most_lost_share = 0.001;   /* of a window's events */
static const double most_cpu_error_pct = 5;
/* Interrupts run on a thread's time, and the kernel's clock does not charge them to it. */
static const double most_interrupt_pct = 40;
static const double least_sampler_pct = 50, poor_sampler_pct = 80;
static const double least_expected_samples = 30; /* below, a share says nothing */
static const double said_factor = 5, said_slack_ms = 10; /* of the vCPUs' pause, to what is said of it */
static const double least_cpu_share = 0.1; /* error is relative to at least this much of the span */

/* A running thread's CPU time in /proc is up to one tick old (CONFIG_HZ=250), at either edge. */
static const double tick_ns = 4e6;

/* What a switch costs between the scheduler's charge and the record's stamp (measured: 4 to 25 µs). */
enum { SWITCH_COST_NS = 25000 };

#define PROBLEM(b, ...) sf_diff_problem((b)->d, sf_diff_keep((b)->d, __VA_ARGS__))
#define NOTE(b, ...) sf_diff_note((b)->d, sf_diff_keep((b)->d, __VA_ARGS__))

static const struct sf_snap_thread *find(const struct sf_snapshot *s, uint32_t tid)
{
	for (size_t i = 0; i < s->nr; i++)
		if (s->thread[i].tid == tid)
			return &s->thread[i];
	return NULL;
}

static double running_at(const struct sf_snapshot *s)
{
	double n = 0;

	for (size_t i = 0; i < s->nr; i++)
		n += s->thread[i].state == 'R';
	return n;
}

/* CPU time of the target between the two snapshots: ours, and the kernel's. */
static int cpu_time(struct diff_build *b, const struct sf_recording *rec, const struct sf_window *w)
{
	const struct sf_snapshot *s0 = &w->snap[SF_EDGE_BEGIN], *s1 = &w->snap[SF_EDGE_END];
	struct sf_timeline t = { 0 };
	double ours = 0, sched = 0, kernel, gap;
	size_t switches = 0;
	int ret = 0;

	if (!s0->t1 || !s1->t1 || s1->t0 <= s0->t0) {
		sf_stolen_add(b, rec, w, NAN);
		return 0;
	}
	for (uint32_t i = 0; !ret && i < rec->nr_threads; i++) {
		const struct sf_snap_thread *a, *z;

		if (!(rec->thread[i].flags & SF_THREAD_TARGET))
			continue;
		ret = sf_timeline_build(&t, rec, i, w, s0->t0, s1->t0);
		ours += (double)t.total[SF_STATE_RUNNING];
		switches += t.switches;
		a = find(s0, rec->thread[i].tid);
		z = find(s1, rec->thread[i].tid);
		if (z && z->run_ns > (a ? a->run_ns : 0))
			sched += (double)(z->run_ns - (a ? a->run_ns : 0));
	}
	sf_timeline_release(&t);
	kernel = s0->cpu_ns && s1->cpu_ns > s0->cpu_ns ? (double)(s1->cpu_ns - s0->cpu_ns) : sched;
	gap = kernel - ours;
	/* What the kernel charges around a switch, and the recorder's work there. */
	if (gap > 0) {
		double most = (double)switches * SWITCH_COST_NS, over = gap < most ? gap : most;

		b->overhead_ns += over;
		ours += over;
	}
	sf_stolen_add(b, rec, w, (ours - kernel) / 1e6);
	b->running_at_edges += running_at(s0) + running_at(s1);
	b->kernel_ns += kernel;
	b->ours_ns += ours;
	b->span_ns += (double)(s1->t0 - s0->t0);
	return ret;
}

static void count_samples(struct diff_build *b, struct sf_timelines *ts)
{
	const struct sf_recording *rec = ts->rec;

	if (!(rec->meta.hz > 0))
		return;
	for (uint32_t i = 0; i < rec->nr_threads; i++) {
		const struct sf_thread *t = &rec->thread[i];
		const struct sf_timeline *tl;

		if (!(t->flags & SF_THREAD_TARGET))
			continue;
		tl = sf_timelines_get(ts, i);
		if (!tl)
			continue;
		b->expected_samples += (double)tl->total[SF_STATE_RUNNING] / 1e9 * rec->meta.hz;
		for (size_t k = 0; k < t->nr_samples; k++)
			b->samples += t->sample[k].time >= ts->lo && t->sample[k].time < ts->hi;
	}
}

static size_t events_inside(const struct sf_recording *rec, const struct sf_window *w)
{
	size_t n = 0;

	for (size_t i = 0; i < rec->nr_threads; i++) {
		const struct sf_thread *t = &rec->thread[i];

		for (size_t k = 0; k < t->nr_sched; k++)
			n += t->sched[k].time >= w->lo && t->sched[k].time <= w->hi;
	}
	return n;
}

static int check_lost(struct diff_build *b, const struct sf_recording *rec, const struct sf_window *w)
{
	uint64_t lost = sf_recording_lost(rec, w->lo, w->hi);

	b->d->coverage.lost += lost;
	if (!lost)
		return 0;
	if ((double)lost > most_lost_share * (double)events_inside(rec, w))
		return PROBLEM(b, "%llu events were lost in BRANCH %u: record it again on a less busy "
			       "machine, or with fewer events (-F 199, --call-graph fp, --scope vmm)",
			       (unsigned long long)lost, w->branch);
	return NOTE(b, "%llu events were lost in BRANCH %u", (unsigned long long)lost, w->branch);
}

/* Events end well before the window does, or begin after it: the recording is of something else. */
static int check_span(struct diff_build *b, const struct sf_recording *rec, const struct sf_window *w)
{
	uint64_t slack = (w->hi - w->lo) / 10 + 20000000;

	if (!rec->has_switches)
		return PROBLEM(b, "%s has no context switches: who waited for whom is not known "
			       "(record it with snapflame record, or perf record --switch-events "
			       "-e sched:sched_switch)", rec->path);
	if (rec->first > w->lo + slack || rec->last + slack < w->hi)
		return PROBLEM(b, "BRANCH %u lies outside of what was recorded (events from %.3f to "
			       "%.3f s, BRANCH from %.3f to %.3f s)", w->branch,
			       (double)rec->first / 1e9, (double)rec->last / 1e9,
			       (double)w->lo / 1e9, (double)w->hi / 1e9);
	return 0;
}

static int check_root(struct diff_build *b, const struct sf_recording *rec, const struct sf_window *w)
{
	if (!rec->meta.pid && rec->system_scope)
		return PROBLEM(b, "%s is of the whole machine and does not say which process it is "
			       "about: record it with snapflame record -p PID", rec->path);
	if (w->root == SF_NO_THREAD)
		return PROBLEM(b, "BRANCH %u: no thread of the target was seen", w->branch);
	if (w->status)
		return NOTE(b, "the command of BRANCH %u ended with status %d", w->branch, w->status);
	return 0;
}

/*
 * The VMM, or who asked it, told how long the pause was, and the vCPUs stood for a fraction of it by what was
 * recorded. (More is no contradiction: some tell only the time of the call. Nor is twice as much: who asks may
 * have waited for a CPU.)
 */
static int check_said(struct diff_build *b, const struct sf_window *w)
{
	double dark = (double)(w->dark_hi - w->dark_lo) / 1e6;

	if (w->pause_ms <= said_factor * dark + said_slack_ms || w->dark_hi <= w->dark_lo ||
	    w->lo != w->dark_lo)
		return 0;
	return PROBLEM(b, "BRANCH %u paused for %.1f ms by its pause_ms, its vCPUs stood still for %.1f ms: "
		       "switches are missing or late (--api takes the whole request)", w->branch, w->pause_ms,
		       dark);
}

/* A clock that is set is none of ours. */
static int check_upsets(struct diff_build *b, const struct sf_window *w)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < w->nr_upsets; i++) {
		const struct sf_upset *u = &w->upset[i];

		if (u->text && u->kind == SF_UPSET_CLOCK)
			ret = NOTE(b, "in BRANCH %u %s", w->branch, u->text);
		else if (u->text)
			ret = PROBLEM(b, "in BRANCH %u %s: record it again", w->branch, u->text);
	}
	return ret;
}

int sf_coverage_window(struct diff_build *b, const struct sf_window_ref *ref,
		       const struct sf_critpath *cp)
{
	const struct sf_recording *rec = ref->rec;
	const struct sf_window *w = ref->window;
	double span = (double)(w->hi - w->lo), pct = 100.0 * (double)cp->attributed / span;
	struct sf_timelines ts;
	int ret = check_lost(b, rec, w);

	if (!ret)
		ret = check_span(b, rec, w);
	if (!ret)
		ret = sf_check_clocks(b, rec, w);
	if (!ret)
		ret = check_root(b, rec, w);
	if (!ret)
		ret = check_said(b, w);
	if (!ret)
		ret = check_upsets(b, w);
	if (!ret)
		ret = cpu_time(b, rec, w);
	if (ret)
		return ret;
	ret = sf_timelines_init(&ts, rec, w, w->lo, w->hi);
	if (ret)
		return ret;
	count_samples(b, &ts);
	sf_timelines_release(&ts);
	b->path_ns += span;
	b->missing_ns += span - (double)cp->attributed;
	b->stack_ns += (double)cp->stacked;
	if (pct < b->least_attributed)
		b->least_attributed = pct;
	if (pct < least_attributed_pct)
		return PROBLEM(b, "only %.1f %% of the critical path of BRANCH %u have an owner: %s",
			       pct, w->branch, rec->has_wakings
			       ? "wakings are missing in the recording, or where somebody slept before"
			       : "the recording has no wakings (sched:sched_waking; needs root and tracefs)");
	return 0;
}

static void count_owners(struct sf_diff *d)
{
	const struct sf_profile *p = &d->profile;
	const struct sf_recording *rec = d->ref[d->nr[SF_FAST] + d->nr[SF_SLOW] - 1].rec;

	for (size_t i = 0; i < rec->nr_threads; i++)
		d->coverage.threads += (rec->thread[i].flags & SF_THREAD_TARGET) != 0;
	for (size_t i = 1; i < p->nr_owners; i++)
		d->coverage.others += !p->owner[i].target;
}

static int check_cpu(struct diff_build *b)
{
	struct sf_coverage *c = &b->d->coverage;
	double base = b->kernel_ns, off = fabs(b->ours_ns - b->kernel_ns), stale;
	bool uncharged = b->ours_ns > b->kernel_ns;
	double stolen = uncharged ? fmin(off, sf_stolen_ms(b) * 1e6) : 0;

	c->schedstat_error_pct = -1;
	c->overhead_ms = b->overhead_ns / 1e6;
	if (!(b->span_ns > 0))
		return NOTE(b, "no snapshot of the threads: CPU time is not checked against the kernel's");
	if (base < least_cpu_share * b->span_ns)
		base = least_cpu_share * b->span_ns;
	/* The kernel says itself why it charged less: sf_check_stolen asks what follows from it. */
	c->stolen_ms = stolen / 1e6;
	off -= stolen;
	c->schedstat_error_pct = 100 * off / base;
	/* The edges' errors are independent of each other. */
	stale = tick_ns * sqrt(2 * b->running_at_edges);
	if (off <= most_cpu_error_pct / 100 * base + stale)
		return 0;
	if (uncharged && off < most_interrupt_pct / 100 * base + stale)
		return NOTE(b, "%.1f ms on a CPU were not charged to the target: interrupts", off / 1e6);
	return PROBLEM(b, "CPU time by context switches is %.1f ms, by the kernel's clock %.1f ms: "
		       "switches are missing", b->ours_ns / 1e6, b->kernel_ns / 1e6);
}

/* After check_cpu: a CPU that a hypervisor took is not sampled. */
static int check_sampler(struct diff_build *b)
{
	struct sf_coverage *c = &b->d->coverage;
	double due = b->expected_samples;

	c->sampler_pct = -1;
	if (b->ours_ns > 0)
		due *= 1 - c->stolen_ms * 1e6 / b->ours_ns;
	if (due < least_expected_samples)
		return 0;
	c->sampler_pct = 100 * b->samples / due;
	if (c->sampler_pct < least_sampler_pct)
		return PROBLEM(b, "the CPU sampler saw %.0f samples where %.0f were due: it does not see "
			       "every CPU (snapflame doctor tells which)", b->samples, due);
	if (c->sampler_pct < poor_sampler_pct)
		return NOTE(b, "the CPU sampler saw %.0f of %.0f samples", b->samples, due);
	return 0;
}

/*
 * Names of events, and the marks that depend on them, come last in a file: what is left of one that
 * was cut off looks whole, as a recording of one long BRANCH.
 */
static int check_whole(struct diff_build *b)
{
	const struct sf_diff *d = b->d;
	const struct sf_recording *last = NULL;
	int ret = 0;

	for (size_t i = 0; !ret && i < d->nr[SF_FAST] + d->nr[SF_SLOW]; i++) {
		const struct sf_recording *rec = d->ref[i].rec;

		if (rec != last && (rec->stats.truncated || rec->stats.unfinished))
			ret = PROBLEM(b, "%s is cut off: BRANCHes and names in its end are missing "
				      "(copy it again, or record again)", rec->path);
		else if (rec != last && rec->stats.bad)
			ret = NOTE(b, "%llu records of %s cannot be right and were left out",
				   (unsigned long long)rec->stats.bad, rec->path);
		last = rec;
	}
	return ret;
}

int sf_coverage_finish(struct diff_build *b)
{
	struct sf_coverage *c = &b->d->coverage;
	int ret;

	c->critical_path_pct = b->least_attributed;
	c->stack_pct = b->path_ns > 0 ? 100 * b->stack_ns / b->path_ns : 0;
	c->missing_wakers_pct = b->path_ns > 0 ? 100 * b->missing_ns / b->path_ns : 0;
	count_owners(b->d);
	ret = check_whole(b);
	if (!ret)
		ret = sf_check_conditions(b->d);
	if (!ret)
		ret = check_cpu(b);
	if (!ret)
		ret = check_sampler(b);
	c->ok = !c->nr_problems;
	return ret;
}
