/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why are these windows slower than those: the proof, the verdict, the ranked causes.
 *
 *	struct sf_diff *d;
 *	struct sf_diff_input in = { .fast = …, .slow = … };
 *
 *	if (sf_diff_make(&d, &in, NULL, &err))
 *		…
 *	if (d->has_verdict)
 *		puts(d->sentence);
 *	sf_diff_free(d);
 *
 * The unit is the window. The difference is that of the medians of the pauses, attributed to the
 * critical path of the median window of each side (the mean of the middle two where the number is
 * even), so that the parts sum to the whole. See stats.h for the intervals.
 */
#ifndef SNAPFLAME_DIFF_H
#define SNAPFLAME_DIFF_H

#include <snapflame/growth.h>
#include <snapflame/profile.h>

enum sf_side { SF_FAST, SF_SLOW, SF_NR_SIDES };

/* One window of one recording. */
struct sf_window_ref {
	const struct sf_recording *rec;
	const struct sf_window *window;
};

struct sf_diff_input {
	const struct sf_window_ref *ref[SF_NR_SIDES];
	size_t nr[SF_NR_SIDES];
	/* Split of one recording: the series it came from, for the words of the verdict. */
	bool split_found; /* the split was found, not given: the series was tested, not the sides */
	bool trend;       /* it grows all along: the sides are its early and late part */
	double series_p;  /* of "no change"; with split_found */
	const char *split_text; /* "BRANCH 1-2 against 3-5: step at BRANCH 3", NULL */
	bool no_growth;   /* the series was tested and does not grow: no cause is looked for */
};

struct sf_diff_opts {
	double min_growth_ms;  /* 0: 1 ms */
	double min_growth_pct; /* 0: 10 % of the fast median */
};

struct sf_estimate {
	double value, lo, hi; /* 95 % interval */
	bool has_interval;
};

/* Why a part belongs to its cause. */
enum sf_part_of {
	SF_PART_OWN,      /* the cause's own subtree */
	SF_PART_CALL,     /* another kind in the same function of the same thread */
	SF_PART_POOL,     /* another thread of the process in the same frames */
	SF_PART_QUEUE,    /* somebody else who has the CPU, another thread without quota */
	SF_PART_TURNS,    /* the other side of the same exchanges, or their way from one to the other */
	SF_PART_WAITING,  /* what the work waited for a CPU; path is 0 */
};

struct sf_cause_part {
	uint32_t path; /* 0: the run queue */
	uint32_t top;  /* the subtree of owner and kind that it is the sum of */
	bool frame;    /* its time under path is in the cause's frame_ms */
	enum sf_kind kind;
	enum sf_part_of of;
	double fast_ms, slow_ms;
};

/*
 * One ranked cause: a subtree of the profile, with what else belongs to it: time of other kinds in the
 * same function (a fsync waits for the journal, for pages and for the device, and computes a little),
 * threads that do the same, both sides of an exchange. Causes are disjoint and sum to the difference.
 */
struct sf_cause {
	uint32_t path;  /* the deepest path under which it still concentrates */
	uint32_t owner; /* index into profile.owner; 0: everything that is not listed */
	enum sf_kind kind;
	enum sf_state state;
	double fast_ms, slow_ms;  /* of the median windows: the owner's time of this kind */
	struct sf_estimate delta; /* ms */
	double frame_ms;          /* the part of delta that lies under path: at least 80 % */
	double share_pct;         /* of the difference */
	struct sf_cause_part *part; /* [0] is path's own; NULL where there is only that */
	size_t nr_parts;
	bool *turns;              /* by exchange: its number explains the growth */
	uint32_t exchange;        /* index + 1 of the one that its parts have in common; 0: none */
	double *adjust;           /* by column, ms: time in the run queue that belongs to this cause
				     (or, negative, not to it), beyond its path; NULL: none */
	bool lock;                /* owner holds what waiter waits for: "--" is among the frames */
	double p;                 /* of the growth, alone; NAN for n = 1 */
	double q;                 /* of a difference, as one of all causes (sf_fdr); NAN for n = 1 */
	bool significant;         /* q is 5 % or less; false also for n = 1 */
	bool shift;               /* what its owner gained here it lost elsewhere: no growth */
	struct sf_growth growth;  /* over all BRANCHes of the recording; branches is 0: not known */
	const char **frame;       /* leaf to root; the marker "--" between holder and waiter */
	size_t nr_frames;
	uint32_t behind;          /* runqueue: owner index of who had the CPU; 0 */
	uint32_t waiter;          /* owner index of who waited for it; 0: the window itself */
	const char *waits_in;     /* where that one waits, leaf < … < root; NULL */
	uint32_t served_by;       /* io: the device or worker that did the work; 0 unknown */
};

struct sf_passive {
	uint32_t tid, pid;
	const char *comm;
	double ms;                /* waiting, in the median slow window */
	const char *for_comm;     /* NULL: idle, waited for nobody on the path */
	uint32_t for_tid;
	bool idle;
};

struct sf_moved {
	const char *name;
	double fast, slow; /* medians at the window's beginning, or of the change inside it */
	bool during;       /* the change inside the window */
	double score;      /* rank correlation with the pauses (Spearman) */
	double p, p_min;   /* of no relation, alone; how small so few windows can make it */
	int separates;     /* 1: above all fast windows in every slow one; -1: below; 0: neither */
};

/*
 * A function (or owner, or kind) whose time stayed while what is below it swapped: not growth, even if
 * one of the two alone looks like it. Compilers do that, too: names change, functions are inlined.
 */
enum sf_shift_kind {
	SF_SHIFT_MOVED,   /* both are there on both sides */
	SF_SHIFT_RENAMED, /* one is only on the fast side, the other only on the slow one */
	SF_SHIFT_INLINED, /* from is gone on the slow side: its time and its calls are path's own */
	SF_SHIFT_SPLIT,   /* the other way round: to is new, and has what was path's own */
};

struct sf_shift {
	enum sf_shift_kind kind;
	uint32_t path;     /* it stayed: of the profile */
	uint32_t from, to; /* below it; path itself where its own code is meant */
	double from_ms[SF_NR_SIDES], to_ms[SF_NR_SIDES]; /* of the median windows */
	double path_ms[SF_NR_SIDES];
	double ms;         /* that swapped: the smaller of what was lost and what was gained */
};

/* A process that wrote to disks during the slow windows. */
struct sf_dirtier {
	const char *comm;
	uint32_t pid;
	double bytes; /* a window; less what was cancelled by truncation */
	bool target;
};

/* What the answer rests on. */
struct sf_coverage {
	double critical_path_pct; /* least attributed window */
	double stack_pct;         /* share of the critical path that has a stack */
	uint64_t lost;            /* events lost inside of the windows */
	double schedstat_error_pct; /* CPU time by events, without stolen_ms, against the kernel's; -1 unknown */
	double stolen_ms;         /* of the target's time on a CPU, by a hypervisor (/proc/stat's steal) */
	double overhead_ms;       /* of the recorder, by that difference */
	double sampler_pct;       /* CPU samples seen against CPU time used; -1 unknown */
	size_t threads, others;   /* of the target; other owners */
	double missing_wakers_pct; /* share of the path whose waker was not seen */
	bool ok;
	const char **problem;
	size_t nr_problems;
	const char **note; /* worth knowing, no reason to refuse */
	size_t nr_notes;
};

struct sf_diff {
	struct sf_profile profile; /* columns: the fast windows, then the slow ones */
	struct sf_window_ref *ref; /* by column */
	double *pause_ms;          /* by column */
	size_t nr[SF_NR_SIDES];
	double median_ms[SF_NR_SIDES];
	size_t median_column[SF_NR_SIDES][2]; /* the windows that are shown; twice the same when odd */
	struct sf_estimate delta;
	struct sf_coverage coverage;
	bool has_verdict;          /* false: coverage.problem says why */
	enum sf_kind kind;         /* SF_KIND_NONE: no growth */
	const char *sentence;      /* NULL without verdict */
	/* Ranked by growth, [0] is the verdict's unless kind is none. Growth that is within its own
	 * noise comes behind a smaller one that is not, if that is a fifth of the whole or more. */
	struct sf_cause *cause;
	size_t nr_causes;
	struct sf_passive *passive;
	size_t nr_passive;
	struct sf_moved *moved;    /* covariates, most telling first */
	size_t nr_moved;
	struct sf_shift *shift;    /* largest first */
	size_t nr_shifts;
	/* All BRANCHes of the one recording that was split, from the first one compared on; NULL where
	 * there are several recordings, or fewer than SF_GROWTH_MIN BRANCHes. */
	struct sf_growths *growth;
	const char *method;        /* how many windows, which tests: one line */
	struct sf_dirtier *dirtier; /* most bytes first */
	size_t nr_dirtiers;
	const char *advice;        /* one line, NULL */
	const char *split_text;
	bool trend;
	double series_p;           /* NAN unless the split was found */
	struct sf_arena arena;     /* all text above */
};

int sf_diff_make(struct sf_diff **d, const struct sf_diff_input *in, const struct sf_diff_opts *opts,
		 struct sf_error *err);
void sf_diff_free(struct sf_diff *d);

/* Who does the same work as the cause's owner, from index 0 on; 0: nobody else. */
uint32_t sf_cause_other_owner(const struct sf_diff *d, const struct sf_cause *c, size_t index);

/* What the cause took in one window (a column of the profile), ms: all causes sum to the window. And
 * what of it lies under its path. */
double sf_cause_ms(const struct sf_diff *d, const struct sf_cause *c, size_t column);
double sf_cause_frame_ms(const struct sf_diff *d, const struct sf_cause *c, size_t column);

/* Another process that wrote much more than the target during the slow windows; NULL: none. */
const struct sf_dirtier *sf_other_dirtier(const struct sf_diff *d);

/* Difference of a path's inclusive ms between the median windows. */
double sf_diff_path_ms(const struct sf_diff *d, enum sf_side side, uint32_t path);

/* How often the owners of an exchange (an index) took turns, in the median windows of a side. */
double sf_diff_exchanges(const struct sf_diff *d, uint32_t exchange, enum sf_side side);

const char *sf_diff_text(const struct sf_diff *d, uint32_t string_id);

/*
 * Fast and slow of one recording: by lists of BRANCH numbers, or (both empty) by the change point of
 * the pauses. *out is filled for sf_diff_make; refs is the caller's array of rec->nr_windows
 * entries. skip leaves out the first BRANCHes (warm-up). -EINVAL where there is nothing to compare,
 * with the reason in err.
 */
int sf_diff_split(const struct sf_recording *rec, const uint32_t *fast, size_t nr_fast,
		  const uint32_t *slow, size_t nr_slow, size_t skip, struct sf_window_ref *refs,
		  struct sf_diff_input *out, char *text, size_t text_size, struct sf_error *err);

#endif
