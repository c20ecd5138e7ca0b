/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Folding the time of windows: what threads did, in µs, by stack.
 *
 *   wall      every ns of every thread of the target: their sum is threads times window
 *   oncpu     the running part of it
 *   offcpu    the waiting part: blocked, and runnable
 *   critical  the critical path: its owners, whoever they are; the sum is the window
 *
 * The root is the thread's name (comm, comm-PID, comm-PID/TID); kernel frames end in _[k]. Where a
 * state has no stack, or the stack does not say it, a last frame in brackets does: [runnable],
 * [blocked], [unaccounted], [device vda]. Each line is rounded once.
 */
#ifndef SNAPFLAME_FOLD_VIEW_H
#define SNAPFLAME_FOLD_VIEW_H

#include <snapflame/diff.h>
#include <snapflame/fold.h>

enum sf_view { SF_VIEW_WALL, SF_VIEW_ONCPU, SF_VIEW_OFFCPU, SF_VIEW_CRITICAL };

struct sf_view_opts {
	enum sf_view view;
	bool pid, tid;
	uint64_t begin, end;        /* ns; clips the windows; 0, 0: all */
	const char *const *threads; /* patterns of fnmatch; the critical view takes the owners' names */
	size_t nr_threads;
};

/* Add the windows to f. 0, -ENOMEM, or -EINVAL where the recording cannot tell (said in err). */
int sf_fold_windows(struct sf_fold *f, const struct sf_window_ref *ref, size_t nr,
		    const struct sf_view_opts *opts, struct sf_error *err);

#endif
