/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whose time a window is: the critical path, walked backwards from the end of a root thread's wait.
 *
 *	walk(thread, lo, hi), backwards:
 *	  running   -> the thread, at its CPU samples
 *	  runnable  -> the thread, in the run queue behind who had the CPU
 *	  blocked in [s, w], woken at w by X in X's own context, for a lock or a message
 *	            -> walk(X, max(s, lo), min(w, hi))
 *	  blocked for I/O, a journal, a throttle, memory, a timer -> the thread, with its stack
 *	  blocked for a device's request -> the device, for the time that the request was there
 *	  blocked, and nobody was seen to wake it -> the thread itself, not proven
 *
 * The segments cover [lo, hi) without gaps or overlaps; each has one owner. Sources: Yang, Miller:
 * "Critical Path Analysis for the Execution of Parallel and Distributed Programs" (ICDCS 1988);
 * Zhou et al.: "wPerf" (OSDI 2018) for devices as owners. Unlike these, an interrupted thread is
 * never taken for the waker.
 */
#ifndef SNAPFLAME_CRITPATH_H
#define SNAPFLAME_CRITPATH_H

#include <snapflame/mechanism.h>
#include <snapflame/states.h>

enum sf_source {
	SF_SOURCE_SEEN,     /* by the scheduler's events */
	SF_SOURCE_SAMPLE,   /* stack of a CPU sample */
	SF_SOURCE_INFERRED, /* no sample fell in between: stack of a nearby one in a run as short, or of
			       the switch-out that ended it */
	SF_SOURCE_REQUEST,  /* proven by a block request */
	SF_SOURCE_STACK,    /* the waker was not seen; the stack says what it waited for */
	SF_SOURCE_MISSING,  /* neither waker nor stack: not attributed */
};

/* Somebody who waited for the owner of a segment: a chain from the owner's waiter to the root. */
struct sf_waiter {
	uint32_t thread, stack;
	enum sf_wait wait;
	uint32_t up; /* index + 1 of the one who waited for this one; 0: none */
};

struct sf_segment {
	uint64_t lo, hi;
	uint32_t thread; /* the owner; for a device: the thread whose wait it is */
	uint32_t dev;    /* the owner is this device; 0: it is the thread */
	uint32_t stack;  /* the owner's, trimmed of the scheduler */
	uint32_t waiter; /* index + 1 into waiter; 0: the root itself */
	uint32_t server; /* a wait for I/O: the kernel's worker (a journal) that ended it; SF_NO_THREAD */
	uint32_t server_dev; /* and the device whose request it was, where that is not the owner; 0 */
	uint32_t behind; /* runnable: who had the CPU most of the time, then the owner; SF_NO_THREAD */
	enum sf_kind kind;
	enum sf_state state;
	enum sf_task_state task;
	enum sf_source source;
	bool lock; /* the waiter's stack, behind the owner's, says which lock it is about */
	bool woken; /* runnable: since it was woken, not since it was taken from the CPU */
};

struct sf_critpath {
	uint64_t lo, hi;
	uint32_t root;
	struct sf_segment *seg; /* in order of time */
	size_t nr, alloc;
	struct sf_waiter *waiter;
	size_t nr_waiters, waiter_alloc;
	uint64_t attributed; /* ns with an owner that is proven */
	uint64_t stacked;    /* ns whose owner has a stack */
};

/*
 * Walk the window of ts from root at its end. cp is zeroed or was filled before. The sum of the
 * segments is ts->hi - ts->lo. 0 or -ENOMEM.
 */
int sf_critpath_walk(struct sf_critpath *cp, struct sf_timelines *ts, struct sf_mechanisms *m,
		     uint32_t root);
void sf_critpath_release(struct sf_critpath *cp);

#endif
