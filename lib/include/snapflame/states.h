/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a thread did: every ns of a span of time in exactly one state.
 *
 * Sources, in this order: context switches and wakings inside the span; the last ones before it and
 * the first ones after it (of another BRANCH the last ones only where these agree); the snapshot of /proc at the window's edges and the polled stacks, for
 * threads that were asleep all the time. A span with no evidence at all is SF_STATE_UNACCOUNTED,
 * never guessed.
 */
#ifndef SNAPFLAME_STATES_H
#define SNAPFLAME_STATES_H

#include <snapflame/recording.h>

enum sf_state {
	SF_STATE_RUNNING,
	SF_STATE_RUNNABLE, /* wants a CPU: preempted, woken, or its quota is used up */
	SF_STATE_BLOCKED,
	SF_STATE_ABSENT,   /* not yet there, or gone */
	SF_STATE_UNACCOUNTED,
	SF_NR_STATES,
};

/* "running", "runnable", … */
const char *sf_state_name(enum sf_state state);
/* "S", "D", … for a blocked thread as ps prints it. */
const char *sf_task_state_letter(enum sf_task_state state);

enum sf_evidence {
	SF_EVIDENCE_NONE,
	SF_EVIDENCE_SWITCH,   /* the stack is from sched_switch */
	SF_EVIDENCE_POLL,     /* polled from /proc */
	SF_EVIDENCE_SNAPSHOT, /* from the snapshot at a window's edge */
};

struct sf_slice {
	uint64_t lo, hi; /* ns; the span is covered without gaps */
	uint64_t since;  /* when the state began, at or before lo */
	uint32_t stack;  /* blocked: where; running: where it was when it was switched out */
	uint32_t waker;  /* blocked: who ended it; SF_NO_THREAD: nobody was seen */
	uint32_t next;   /* running, switched out: who got the CPU */
	uint16_t cpu;    /* running; runnable: the one it got in the end */
	uint8_t state;   /* enum sf_state */
	uint8_t task;    /* enum sf_task_state: blocked: how; running: what it turned into */
	uint8_t wake;    /* enum sf_wake_context */
	uint8_t source;  /* enum sf_evidence of stack */
	bool woken;      /* blocked: a waking was seen at hi (or after it) */
	bool preempted;  /* runnable: it was running before */
};

struct sf_timeline {
	uint32_t thread;
	uint64_t lo, hi;
	struct sf_slice *iv;
	size_t nr, alloc;
	uint64_t total[SF_NR_STATES]; /* ns; they sum to hi - lo */
	size_t switches;              /* switch-ins inside */
	struct sf_timeline *next;     /* private: of a window's others */
};

/*
 * Fill t (zeroed, or filled before) for [lo, hi) of a thread. window may be NULL: no snapshots.
 * 0 or -ENOMEM.
 */
int sf_timeline_build(struct sf_timeline *t, const struct sf_recording *rec, uint32_t thread,
		      const struct sf_window *window, uint64_t lo, uint64_t hi);
void sf_timeline_release(struct sf_timeline *t);
/* The interval that holds the instant time, NULL outside. */
const struct sf_slice *sf_timeline_at(const struct sf_timeline *t, uint64_t time);
/* The same for who goes backwards: it begins with the one at index *last, and sets it. */
const struct sf_slice *sf_timeline_back(const struct sf_timeline *t, uint64_t time, size_t *last);

/* Timelines of a window's threads, built when asked for. */
struct sf_timelines {
	const struct sf_recording *rec;
	const struct sf_window *window;
	uint64_t lo, hi;
	struct sf_timeline **of; /* by thread */
	struct sf_timeline *last; /* private: those that were built */
};

int sf_timelines_init(struct sf_timelines *ts, const struct sf_recording *rec,
		      const struct sf_window *window, uint64_t lo, uint64_t hi);
/* NULL without memory. */
const struct sf_timeline *sf_timelines_get(struct sf_timelines *ts, uint32_t thread);
void sf_timelines_release(struct sf_timelines *ts);

#endif
