/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two sets of stacks without windows: folded text, perf script text, recordings of samples. They do
 * not say how long anybody waited, so there is no verdict: what is compared is the share of the
 * weight that each call path has. Recordings of different lengths and rates compare for that.
 *
 *	struct sf_stackdiff *d;
 *
 *	sf_stackdiff_new(&d, 2, 3, &err);
 *	sf_stackdiff_add(d, SF_FAST, fold, &err)        (each file in a struct sf_fold of its own)
 *		…
 *	sf_stackdiff_finish(d, &err);
 *	for (size_t i = 0; i < d->nr_rows; i++)
 *		…
 *	sf_stackdiff_free(d);
 *
 * A file is the unit of replication: with several on a side, each row has an interval and is tested,
 * as one of all call paths (stats.h). Functions that a compiler split or cloned are one function
 * (same_name.h).
 */
#ifndef SNAPFLAME_STACKDIFF_H
#define SNAPFLAME_STACKDIFF_H

#include <snapflame/diff.h>
#include <snapflame/fold.h>
#include <snapflame/reader.h>
#include <snapflame/stats.h>

enum sf_stackdiff_note {
	SF_STACKDIFF_PLAIN,
	SF_STACKDIFF_NEW,      /* in no file of the fast side */
	SF_STACKDIFF_VANISHED, /* in no file of the slow side */
	SF_STACKDIFF_RENAMED,  /* one of the latter two, and its caller kept its share: see partner */
};

/*
 * A subtree of the call paths: the deepest under which a change still concentrates, less those of
 * its own subtrees that have a row of their own. Rows do not overlap.
 */
struct sf_stackdiff_row {
	const char **frame; /* leaf to root */
	size_t nr_frames;
	double pct[SF_NR_SIDES]; /* of the weight: median of the side's files */
	double delta_pct;        /* percentage points */
	struct sf_interval interval; /* of delta_pct; not known with one file on a side */
	double p, q;             /* of no difference: alone, as one of all call paths; NAN unknown */
	bool significant;        /* q is 5 % or less */
	bool shift;              /* its caller kept its share: it swapped with others below that */
	size_t partner;          /* SF_STACKDIFF_RENAMED: the row that came or went for it */
	enum sf_stackdiff_note note;
};

/* One stack of either side. */
struct sf_stackdiff_line {
	const char *stack; /* "root;…;leaf" */
	uint64_t weight[SF_NR_SIDES];
};

enum { SF_STACKDIFF_HOWS = 8 };

struct sf_stackdiff {
	uint64_t total[SF_NR_SIDES];
	size_t nr[SF_NR_SIDES];         /* files */
	size_t tested;                  /* call paths that were asked at once; 0: n = 1 */
	const char *event[SF_NR_SIDES]; /* what was sampled; NULL: the input does not say */
	struct sf_stackdiff_row *row;   /* by growth, largest first */
	size_t nr_rows, row_alloc;
	struct sf_stackdiff_line *line; /* sorted */
	size_t nr_lines, line_alloc;
	/* Where the sides were recorded in different ways, and what that means. */
	const char *condition[SF_STACKDIFF_HOWS];
	size_t nr_conditions;
	const char *why; /* why there is no verdict */
	struct sf_arena arena;
	struct sf_stackdiff_build *build; /* private, until it is finished */
};

int sf_stackdiff_new(struct sf_stackdiff **d, size_t nr_fast, size_t nr_slow, struct sf_error *err);
/* The next file of a side, as many as new() was told of. -EINVAL where it has no weight at all. */
int sf_stackdiff_add(struct sf_stackdiff *d, enum sf_side side, struct sf_fold *fold,
		     struct sf_error *err);
/*
 * The same for a file of folded text: of files that repeat each other's lines several times faster
 * than by way of a fold. path is for messages.
 */
int sf_stackdiff_add_folded(struct sf_stackdiff *d, enum sf_side side, struct sf_folded *in,
			    const char *path, struct sf_error *err);
/*
 * How a perf.data file was recorded, whose samples of that event (NULL: not known) were added. After its
 * last record has been read. 0 or -ENOMEM.
 */
int sf_stackdiff_recorded(struct sf_stackdiff *d, enum sf_side side, const struct sf_reader *r,
			  const char *event, const char *path);
int sf_stackdiff_finish(struct sf_stackdiff *d, struct sf_error *err);
void sf_stackdiff_free(struct sf_stackdiff *d);

#endif
