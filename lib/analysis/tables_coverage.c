/* SPDX-License-Identifier: GPL-2.0-only */
/* The proof of a diff, for each BRANCH by itself. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/diff_internal.h"
#include "analysis/tables_internal.h"

enum { BRANCH, WINDOW, PATH, STACKS, LOST, CPU_ERROR, SAMPLER, OVERHEAD, STOLEN, THREADS, OTHERS, OK,
       PROBLEMS, NR };

#define BOTH (SF_COLUMN_TEXT | SF_COLUMN_DATA)

static const struct sf_column columns[NR] = {
	[BRANCH] = { "branch", "BRANCH", BOTH, 0 },
	[WINDOW] = { "window_ms", "window ms", BOTH, 1 },
	[PATH] = { "critical_path_pct", "path %", BOTH, 1 },
	[STACKS] = { "stack_pct", "stacks %", BOTH, 1 },
	[LOST] = { "lost", "lost", BOTH, 0 },
	[CPU_ERROR] = { "schedstat_error_pct", "CPU off %", BOTH, 1 },
	[SAMPLER] = { "sampler_pct", "sampler %", BOTH, 0 },
	[OVERHEAD] = { "overhead_ms", "recorder", BOTH, 1 },
	[STOLEN] = { "stolen_ms", "", SF_COLUMN_DATA, 1 },
	[THREADS] = { "threads", "threads", SF_COLUMN_DATA, 0 },
	[OTHERS] = { "others", "others", SF_COLUMN_DATA, 0 },
	[OK] = { "ok", "ok", BOTH | SF_COLUMN_LEFT, 0 },
	[PROBLEMS] = { "problems", "", SF_COLUMN_DATA, 0 },
};

/* Owners on the path that are not the target's. */
static size_t others(const struct table_build *b, const struct sf_critpath *cp)
{
	struct sf_map64 seen = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < cp->nr; i++) {
		const struct sf_segment *s = &cp->seg[i];
		uint64_t key = s->dev ? (uint64_t)s->dev << 32 | 1u << 31 : s->thread;
		bool made = false;

		if (!s->dev && (b->rec->thread[s->thread].flags & SF_THREAD_TARGET))
			continue;
		if (sf_map64_at(&seen, key, &made))
			n += made;
	}
	sf_map64_release(&seen);
	return n;
}

static int prove(struct table_build *b, struct diff_build *p, const struct sf_window_ref *ref,
		 size_t *nr_others)
{
	const struct sf_window *w = ref->window;
	struct sf_critpath cp = { 0 };
	struct sf_timelines ts;
	int ret = sf_timelines_init(&ts, b->rec, w, w->lo, w->hi);

	if (!ret && w->root != SF_NO_THREAD)
		ret = sf_critpath_walk(&cp, &ts, &b->mech, w->root);
	if (!ret)
		ret = sf_coverage_window(p, ref, &cp);
	if (!ret)
		ret = sf_coverage_finish(p);
	*nr_others = others(b, &cp);
	sf_critpath_release(&cp);
	sf_timelines_release(&ts);
	return ret;
}

static void set_problems(struct table_build *b, const struct sf_coverage *c)
{
	struct sf_str s = SF_STR_INIT;

	for (size_t i = 0; i < c->nr_problems; i++)
		sf_str_addf(&s, "%s%s", i ? "; " : "", c->problem[i]);
	sf_set_text(b, PROBLEMS, s.buf);
	b->failed |= s.failed;
	sf_str_release(&s);
}

static int add_row(struct table_build *b, const struct sf_window *w, const struct sf_coverage *c,
		   size_t nr_others)
{
	int ret = sf_row(b);

	if (ret)
		return ret;
	sf_set_int(b, BRANCH, w->branch);
	sf_set_ms(b, WINDOW, w->hi - w->lo);
	sf_set_real(b, PATH, c->critical_path_pct);
	sf_set_real(b, STACKS, c->stack_pct);
	sf_set_int(b, LOST, (int64_t)c->lost);
	if (c->schedstat_error_pct >= 0)
		sf_set_real(b, CPU_ERROR, c->schedstat_error_pct);
	if (c->sampler_pct >= 0)
		sf_set_real(b, SAMPLER, c->sampler_pct);
	sf_set_real(b, OVERHEAD, c->overhead_ms);
	sf_set_real(b, STOLEN, c->stolen_ms);
	sf_set_int(b, THREADS, (int64_t)c->threads);
	sf_set_int(b, OTHERS, (int64_t)nr_others);
	sf_set_text(b, OK, c->ok ? "yes" : "no");
	set_problems(b, c);
	for (size_t i = 0; !ret && i < c->nr_problems; i++)
		ret = sf_table_note(b, "BRANCH %u: %s", w->branch, c->problem[i]);
	return ret;
}

static int add_window(struct table_build *b, const struct sf_window *w)
{
	struct sf_window_ref ref = { b->rec, w };
	struct sf_diff d = { .ref = &ref, .nr = { 1, 0 } };
	struct diff_build p = { .d = &d, .least_attributed = 100 };
	size_t nr_others = 0;
	int ret = prove(b, &p, &ref, &nr_others);

	if (!ret)
		ret = add_row(b, w, &d.coverage, nr_others);
	free(d.coverage.problem);
	free(d.coverage.note);
	sf_arena_release(&d.arena);
	return ret;
}

static int fill(struct table_build *b)
{
	const char *line;
	int ret = 0;

	for (size_t i = 0; !ret && i < b->nr_windows; i++)
		ret = add_window(b, b->window[i]);
	for (size_t i = 0; !ret && (line = sf_recording_problem(b->rec, i)); i++)
		ret = sf_table_note(b, "%s", line);
	return ret;
}

const struct table_def sf_def_coverage = { "coverage", columns, NR, fill };
