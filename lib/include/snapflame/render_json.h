/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Results as JSON, for programs.
 *
 * Schema snapflame.diff/1. Fields are added, never renamed or removed. Numbers are finite or null;
 * times are ms, sizes as the name says. A cause (and the verdict, which is the first one):
 *
 *	kind         a name of sf_kind_name(); "none": the pauses did not grow
 *	state        "running", "runnable", "blocked"
 *	delta_ms     slow - fast, in the windows that make the medians; share_pct of delta_ms.median;
 *	             frame_ms of it lies under frames
 *	ci95_ms      [low, high] of delta_ms, or null: n = 1 has no interval
 *	fast_ms, slow_ms
 *	p            of the growth, null for n = 1; significant: after control of false discoveries
 *	owner        {comm, tid, pid, process, label, device, kernel, vcpu}: device is "major:minor",
 *	             and comm its name, or null for a thread; null where nobody is blamed
 *	frames       leaf to root; "--" stands between the holder of a lock and who waits for it
 *	behind       owner: who had the CPU (runqueue), or null
 *	waiter       owner: who waited for this one, or null: the window itself did
 *	parts        [{kind, of, owner, delta_ms, fast_ms, slow_ms}]: what delta_ms is made of, its own
 *	             kind first. of: "own"; "function": another kind in the same function; "pool":
 *	             another thread that does the same; "queue": who else has the CPU or no quota;
 *	             "turns": exchanges; "waiting": the owner's waits for a CPU
 *	exchange     {waiter, server, fast, slow}: of parts "turns", who hands over to whom, how often
 *	waits_in     where that one waits, frames leaf to root
 *	served_by    owner: the device or worker that did the work, or null
 *	q            of a difference, as one of all causes (false discoveries); null for n = 1
 *	shift        true: what its owner gained here it lost elsewhere
 *	growth       as below, of this cause; null where it is not known
 *	sentence     of the verdict only
 *
 * At the top:
 *
 *	fast, slow   {windows: [{branch, trial, pause_ms, api_ms, dark_ms, file}], pause_ms: {median},
 *	             n}
 *	delta_ms     {median, ci95, grows, trend, series_p}; ci95 as above. trend: the sides are the
 *	             early and the late part of a series that grows all along, and ci95 is null;
 *	             series_p: of "the series does not change", where the split was found
 *	coverage     {critical_path_pct, stack_pct, lost, schedstat_error_pct, sampler_pct,
 *	             missing_wakers_pct, overhead_ms, stolen_ms, threads, others, ok, problems,
 *	             notes}; stolen_ms: of the target's time on a CPU, by a hypervisor
 *	verdict      a cause, or null: coverage.problems says why
 *	causes       all of them, ranked; they are disjoint and sum to the difference
 *	passive      [{comm, tid, pid, ms, idle, waits_for: {comm, tid} or null}]
 *	covariates   [{name, fast, slow, during, score, p, separates}]; during: the change inside the
 *	             windows; score: Spearman's correlation with the pauses; separates: 1 (-1) where it
 *	             is higher (lower) in every slow window than in any fast one
 *	growth       {shape, direction, p, trend: {ms_per_branch, ci95, p}, branches, step_at} of the
 *	             pauses of one recording with 5 BRANCHes or more, or null; step_at: a BRANCH, or null
 *	shifts       [{kind: "moved", "renamed", "inlined" or "split", owner, frames, ms, fast_ms,
 *	             slow_ms, from: {name, fast_ms, slow_ms}, to}]: frames took as long as before, while
 *	             ms went from one part of it to another; name null: its own code
 *	paths        {tested, rows, rest}: every path, diff_paths.h. rows: [{parent, level: "root",
 *	             "owner", "kind", "frame" or "lock", name, class, inclusive: {fast_ms, slow_ms,
 *	             delta_ms, medians_ms, ci95_ms, p, q}, exclusive}]; parent is an index into rows,
 *	             null of the root. delta_ms is of the median windows: the root's inclusive one is
 *	             delta_ms.median, and the exclusive ones of the rows and of rest {paths, fast_ms,
 *	             slow_ms, delta_ms} sum to it. medians_ms is that of the path's own medians, with
 *	             its interval. p is of growth and of this path alone, for who asks about it; q as
 *	             one of all tested. class: "grew", "shrank", "new", "vanished", "shift", "unclear"
 *	             (noise would do that), "untested"
 *	method       how the numbers were found, and of how many windows
 *	advice       a line, or null
 *	split        how one recording was split, or null
 *
 * Without windows (folded stacks, perf script text) fast and slow are {windows: [], pause_ms:
 * {median: null}, n: 0, weight, event, files}, and stacks is [{frames, fast_pct, slow_pct, delta_pct,
 * ci95_pct, p, q, significant, shift, note}]: ci95_pct, p and q are null with one file a side.
 *
 * Of tables of pauses (render_sweepdiff.h) windows have diff_ms and diff_physical_bytes, too; verdict
 * is null; change is the sentence about the pauses, inside_pct the share of the growth that diff_ms
 * has, trials [{file, trial, fast_ms, slow_ms}] the medians of each trial.
 */
#ifndef SNAPFLAME_RENDER_JSON_H
#define SNAPFLAME_RENDER_JSON_H

#include <snapflame/diff.h>
#include <snapflame/str.h>

/* Append the text, with a newline at its end. 0 or -ENOMEM. */
int sf_json_diff(struct sf_str *out, const struct sf_diff *d);

#endif
