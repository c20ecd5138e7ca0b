/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a diff is made, in the order of its files: diff.c drives, diff_notes.c keeps what is said,
 * coverage.c proves, causes.c ranks, shifts.c finds what merely swapped, grew.c asks whether there is
 * a growth at all, stolen.c whether a hypervisor made it, passive.c and moved.c list what goes with it,
 * conditions.c says what else differs between the sides, verdict.c finds the words.
 */
#ifndef SNAPFLAME_ANALYSIS_DIFF_INTERNAL_H
#define SNAPFLAME_ANALYSIS_DIFF_INTERNAL_H

#include <snapflame/diff.h>
#include <snapflame/stats.h>
#include <snapflame/str.h>

#include "analysis/profile_internal.h"

/* What is kept for a recording while its windows are walked. */
struct diff_rec {
	const struct sf_recording *rec;
	struct sf_mechanisms mech;
	struct sf_namer namer;
};

/* CPU time that a hypervisor took, in the windows of one side. */
struct stolen {
	size_t nr, known, measured; /* windows; with all_ms; with target_ms */
	double all_ms, most_ms;     /* from all CPUs: sum, most in one window */
	double target_ms;           /* ran by the switches, and not charged to the target */
};

struct diff_build {
	struct sf_diff *d;
	struct diff_rec *rec;
	size_t nr_recs;
	struct sf_namer growth_namer; /* d->growth has a profile of its own */
	double min_ms, min_pct;
	bool no_growth, split_found;
	/* sums over all windows, for the proof */
	double path_ns, missing_ns, stack_ns;
	double kernel_ns, ours_ns, overhead_ns, span_ns; /* CPU time */
	double running_at_edges;
	enum sf_side side; /* of the window that is walked */
	struct stolen stolen[SF_NR_SIDES];
	double samples, expected_samples;
	double least_attributed;
};

/* Add a window's evidence to the proof. */
int sf_coverage_window(struct diff_build *b, const struct sf_window_ref *ref,
		       const struct sf_critpath *cp);
int sf_check_clocks(struct diff_build *b, const struct sf_recording *rec, const struct sf_window *w);
/* After the last window: the figures, what speaks against a verdict, ok. */
int sf_coverage_finish(struct diff_build *b);

/* What speaks against a verdict, and what is worth knowing; -ENOMEM also for a text that is NULL. */
int sf_diff_problem(struct sf_diff *d, const char *text);
int sf_diff_note(struct sf_diff *d, const char *text);
/* Where the two sides were recorded in different ways or on different machines. */
int sf_check_conditions(struct sf_diff *d);

/* uncharged_ms: NAN where there is no snapshot. */
void sf_stolen_add(struct diff_build *b, const struct sf_recording *rec, const struct sf_window *w,
		   double uncharged_ms);
/* From all CPUs, in all windows. */
double sf_stolen_ms(const struct diff_build *b);
/* After ranking: is the first cause the first without that time, too? If not: a problem. */
int sf_check_stolen(struct diff_build *b);
/* The medians differ by as much as counts as growth. */
bool sf_medians_apart(const struct diff_build *b);
/* A series grew by so little that it would have to be surer of it. */
bool sf_too_few_ms(const struct diff_build *b);
/* They do, and by more than their noise; or the first cause does, whatever the noise of the rest. */
bool sf_pauses_grew(const struct diff_build *b);
bool sf_cause_grew(const struct diff_build *b);

int sf_rank_causes(struct diff_build *b);
/* The node of owner and kind that a path lies under. */
uint32_t sf_diff_kind_node(const struct sf_diff *d, uint32_t path);
/* What stayed while its parts swapped; marks the causes that are no more than that. Before ranking
 * is final: b->d->cause is in any order. */
int sf_find_shifts(struct diff_build *b);
/* Give the growth in the run queue to the work that grew. */
int sf_credit_queues(struct sf_diff *d);
/* Which exchanges between two threads explain the growth of which cause, by their number. */
int sf_find_turns(struct sf_diff *d);
/* An exchange that explains both, index + 1; 0: none. */
uint32_t sf_common_turns(const struct sf_diff *d, const struct sf_cause *a, const struct sf_cause *b);
/* Put together what is one cause; the one that comes first takes the others in. */
int sf_merge_causes(struct sf_diff *d);
int sf_cause_add_part(struct sf_diff *d, struct sf_cause *c, struct sf_cause_part part);
int sf_list_passive(struct diff_build *b);
int sf_list_moved(struct diff_build *b);
int sf_list_dirtiers(struct diff_build *b);
/* The cgroup whose quota took more CPU time from the owner in the slow windows ("/a/b"); NULL: not known. */
const char *sf_throttling_cgroup(struct sf_diff *d, uint32_t owner);
/* kind, sentence, advice. */
int sf_find_verdict(struct diff_build *b);

/*
 * Interval of a growth over BRANCH numbers, for sides that are the early and the late part of a
 * trend: the slope of the regression of v (by column) with its t interval, times the distance of the
 * sides. *p is one-sided. -EINVAL with fewer than three windows.
 */
int sf_trend_growth(const struct sf_diff *d, const double *v, struct sf_estimate *out, double *p);

struct diff_rec *sf_diff_rec(struct diff_build *b, const struct sf_recording *rec);

/* First frame from path's leaf on that is (not) in the kernel, skipping some; NULL: none. */
const char *sf_cause_frame(const struct sf_diff *d, uint32_t path, bool kernel, size_t skip);
/* First function of the program itself: neither the kernel's nor the C library's; NULL: none. */
const char *sf_cause_function(const struct sf_diff *d, uint32_t path);

/* Text that lives as long as the diff; NULL without memory. */
const char *sf_diff_keep(struct sf_diff *d, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
