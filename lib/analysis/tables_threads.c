/* SPDX-License-Identifier: GPL-2.0-only */
/* What each thread of the target did, and others who own a part of the critical path. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/tables_internal.h"

enum { THREAD, TID, PID, ROLE, RUNNING, RUNNABLE, BLOCKED, ABSENT, OVERHEAD, UNACCOUNTED, PATH,
       SWITCHES, KERNEL, NR };

#define BOTH (SF_COLUMN_TEXT | SF_COLUMN_DATA)

static const struct sf_column columns[NR] = {
	[THREAD] = { "thread", "thread", BOTH | SF_COLUMN_LEFT | SF_COLUMN_CUT, 0 },
	[TID] = { "tid", "tid", BOTH | SF_COLUMN_SPARE, 0 },
	[PID] = { "pid", "pid", SF_COLUMN_DATA, 0 },
	[ROLE] = { "role", "", BOTH | SF_COLUMN_LEFT, 0 },
	[RUNNING] = { "running_ms", "running", BOTH, 1 },
	[RUNNABLE] = { "runnable_ms", "runnable", BOTH, 1 },
	[BLOCKED] = { "blocked_ms", "blocked", BOTH, 1 },
	[ABSENT] = { "absent_ms", "absent", SF_COLUMN_DATA, 1 },
	[OVERHEAD] = { "overhead_ms", "recorder", BOTH, 1 },
	[UNACCOUNTED] = { "unaccounted_ms", "unacc.", BOTH, 1 },
	[PATH] = { "path_ms", "on path", BOTH, 1 },
	[SWITCHES] = { "switches", "switches", BOTH | SF_COLUMN_SPARE, 0 },
	[KERNEL] = { "schedstat_ms", "schedstat", SF_COLUMN_DATA, 1 },
};

struct sum {
	uint64_t state[SF_NR_STATES], overhead, path, kernel;
	size_t switches;
	bool has_kernel;
};

static int add_path(struct table_build *b, struct sf_timelines *ts, struct sum *sum)
{
	struct sf_critpath cp = { 0 };
	int ret = 0;

	if (ts->window->root != SF_NO_THREAD)
		ret = sf_critpath_walk(&cp, ts, &b->mech, ts->window->root);
	for (size_t i = 0; !ret && i < cp.nr; i++)
		if (!cp.seg[i].dev)
			sum[cp.seg[i].thread].path += cp.seg[i].hi - cp.seg[i].lo;
	sf_critpath_release(&cp);
	return ret;
}

static int add_thread(struct table_build *b, struct sf_timelines *ts, uint32_t i, struct sum *s)
{
	const struct sf_timeline *t = sf_timelines_get(ts, i);
	struct sf_account a;
	int ret;

	if (!t)
		return -ENOMEM;
	ret = sf_account(&a, b, ts->window, t);
	for (int k = 0; k < SF_NR_STATES; k++)
		s->state[k] += a.state[k];
	s->overhead += a.overhead;
	s->switches += a.switches;
	s->kernel += a.kernel_run;
	s->has_kernel |= a.has_kernel;
	return ret;
}

/* The path first: it tells which of the others matter in any of the windows. */
static int add_windows(struct table_build *b, struct sum *sum)
{
	int ret = 0;

	for (size_t w = 0; !ret && w < b->nr_windows; w++) {
		const struct sf_window *win = b->window[w];
		struct sf_timelines ts;

		ret = sf_timelines_init(&ts, b->rec, win, win->lo, win->hi);
		if (!ret)
			ret = add_path(b, &ts, sum);
		sf_timelines_release(&ts);
	}
	for (size_t w = 0; !ret && w < b->nr_windows; w++) {
		const struct sf_window *win = b->window[w];
		struct sf_timelines ts;

		ret = sf_timelines_init(&ts, b->rec, win, win->lo, win->hi);
		for (uint32_t i = 0; !ret && i < b->rec->nr_threads; i++)
			if (sf_table_wants(b, i) || sum[i].path)
				ret = add_thread(b, &ts, i, &sum[i]);
		sf_timelines_release(&ts);
	}
	return ret;
}

static const char *role(const struct table_build *b, uint32_t i, const struct sum *s)
{
	const struct sf_thread *t = &b->rec->thread[i];

	if (t->flags & SF_THREAD_VCPU)
		return "vCPU";
	if (t->flags & SF_THREAD_KERNEL)
		return "kernel";
	if (b->rec->meta.pid && !(t->flags & SF_THREAD_TARGET))
		return "other";
	if (!s->switches && !s->state[SF_STATE_RUNNING] && !s->state[SF_STATE_RUNNABLE])
		return "idle";
	return t->tid == t->pid ? "main" : "";
}

static int add_row(struct table_build *b, uint32_t i, const struct sum *s)
{
	const struct sf_thread *t = &b->rec->thread[i];
	int ret = sf_row(b);

	if (ret)
		return ret;
	sf_set_text(b, THREAD, sf_thread_name(b, i));
	sf_set_int(b, TID, t->tid);
	if (t->pid != UINT32_MAX)
		sf_set_int(b, PID, t->pid);
	sf_set_text(b, ROLE, role(b, i, s));
	sf_set_ms(b, RUNNING, s->state[SF_STATE_RUNNING]);
	sf_set_ms(b, RUNNABLE, s->state[SF_STATE_RUNNABLE]);
	sf_set_ms(b, BLOCKED, s->state[SF_STATE_BLOCKED]);
	sf_set_ms(b, ABSENT, s->state[SF_STATE_ABSENT]);
	sf_set_ms(b, OVERHEAD, s->overhead);
	sf_set_ms(b, UNACCOUNTED, s->state[SF_STATE_UNACCOUNTED]);
	sf_set_ms(b, PATH, s->path);
	sf_set_int(b, SWITCHES, (int64_t)s->switches);
	if (s->has_kernel)
		sf_set_ms(b, KERNEL, s->kernel);
	return 0;
}

/* Absent all the time: it lived in other windows. */
static bool was_there(const struct sum *s)
{
	return s->path || s->overhead || s->state[SF_STATE_RUNNING] || s->state[SF_STATE_RUNNABLE] ||
	       s->state[SF_STATE_BLOCKED] || s->state[SF_STATE_UNACCOUNTED];
}

/* Of others only those that own enough of the path to be worth a line. */
static const double least_path = 0.005;

static bool is_listed(const struct table_build *b, uint32_t i, const struct sum *s, bool others)
{
	if (sf_table_wants(b, i))
		return !others && was_there(s);
	return others && (double)s->path >= least_path * (double)sf_table_span(b);
}

static int fill(struct table_build *b)
{
	struct sum *sum = calloc(b->rec->nr_threads + 1, sizeof(*sum));
	int ret = sum ? add_windows(b, sum) : -ENOMEM;

	/* The target's threads, and then the others. */
	for (int others = 0; others < 2; others++)
		for (uint32_t i = 0; !ret && i < b->rec->nr_threads; i++)
			if (is_listed(b, i, &sum[i], others))
				ret = add_row(b, i, &sum[i]);
	free(sum);
	if (!ret)
		ret = sf_table_note(b, "ms in %zu window%s of %.1f ms together; the states of a thread "
				    "sum to it", b->nr_windows, b->nr_windows == 1 ? "" : "s",
				    (double)sf_table_span(b) / 1e6);
	return ret;
}

const struct table_def sf_def_threads = { "threads", columns, NR, fill };
