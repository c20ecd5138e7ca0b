/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Statistics of pauses and of the paths inside them. The unit of replication is the window: one
 * BRANCH is one pause is one number, however many samples it holds.
 *
 * Everything here is a pure function of its arguments: no I/O, no globals, no random numbers, so the
 * same windows give the same verdict. Units are the caller's (ms throughout, or ns throughout);
 * results have the unit of the values. Values must be finite: functions that return int answer
 * -EINVAL where they are not, or where there are too few; the others return NAN. Positions count
 * from 0; BRANCH numbers are the caller's.
 *
 * docs/statistics.md has the methods, their sources, and how often each is right, measured.
 */
#ifndef SNAPFLAME_STATS_H
#define SNAPFLAME_STATS_H

#include <stdbool.h>
#include <stddef.h>

/* ---- distributions ---- */

double sf_normal_upper(double z);     /* P(Z > z) */
double sf_normal_quantile(double p);  /* z with P(Z <= z) = p, 0 < p < 1 */
/* Student's t with df > 0 degrees of freedom, fractions and INFINITY allowed. */
double sf_t_upper(double t, double df);    /* P(T > t), exact far into the tail */
double sf_t_quantile(double p, double df); /* t with P(T <= t) = p */

/* ---- medians and quantiles ---- */

/* NAN where n is 0 or there is no memory. v is left alone. */
double sf_median(const double *v, size_t n);
/* Quantile q (0 … 1) of type 7 (Hyndman and Fan 1996; the default of R and numpy). */
double sf_quantile(const double *v, size_t n, double q);
/* Median of |v - median|, unscaled: times 1.4826 it estimates a normal standard deviation. */
double sf_mad(const double *v, size_t n);
/*
 * The one (odd n) or two (even n) windows whose values make the median: their positions in at[], the
 * smaller value first; of equal values the earlier window counts as the smaller. Returns how many.
 */
size_t sf_median_windows(const double *v, size_t n, size_t at[2]);

/* ---- difference of medians ---- */

/*
 * median(slow) - median(fast) with a 95 % interval.
 *
 * The standard error of each median is the one of the bootstrap, in closed form (Maritz and Jarrett
 * 1978; Hutson and Ernst 2000): what infinitely many resamples would give, without resampling. Few
 * windows make it too large and unsteady, so it is scaled and given the degrees of freedom that it
 * has in normal samples of that size, and the difference is studentised (Welch). Measured coverage
 * is 94.5 to 97 % for 3 … 50 windows a side, normal or lognormal, equal or five times larger noise
 * on one side. With 2 windows on a side it is 96 to 98 %, but 91 % where those 2 are the noisy side.
 *
 * With one window on a side there is no interval: known is false, lo and hi are NAN.
 */
struct sf_interval {
	double delta;  /* difference of the medians */
	double lo, hi; /* 95 % interval */
	double se, df; /* standard error of delta and its degrees of freedom; NAN, 0 where unknown */
	bool known;
};

int sf_diff_interval(const double *fast, size_t n, const double *slow, size_t m,
		     struct sf_interval *out);
/* The median of one group with its interval, the same way; delta is the median. */
int sf_median_interval(const double *v, size_t n, struct sf_interval *out);

/*
 * For many paths over the same windows: what depends on the number of windows only is computed once.
 * fast and slow are as in sf_diff_interval, with the numbers of windows of the plan. A plan may be
 * used by several threads at once.
 */
struct sf_interval_plan;
struct sf_interval_plan *sf_interval_plan_new(size_t n, size_t m); /* NULL without memory */
void sf_interval_plan_free(struct sf_interval_plan *plan);
int sf_interval_plan_diff(const struct sf_interval_plan *plan, const double *fast,
			  const double *slow, struct sf_interval *out);

/* ---- rank tests and trends ---- */

/*
 * Kendall's test of x against y, with ties in either. p of "no relation" is exact for n <= 20 where x
 * has no ties, and for n <= 8; beyond that it is the normal approximation with ties in its variance.
 */
struct sf_kendall {
	double s;      /* concordant - discordant pairs */
	double tau;    /* tau-b, -1 … 1; 0 where x or y is constant */
	double p_up;   /* one-sided: P(S as large or larger) */
	double p_down; /* P(S as small or smaller) */
	double p;      /* two-sided */
	double p_min;  /* least two-sided p that so few values can give; 0 where p is not exact */
	bool exact;
};

int sf_kendall(const double *x, const double *y, size_t n, struct sf_kendall *out);

enum { SF_TREND_MAX = 4096 };

/*
 * Trend of v over x (BRANCH numbers, say; NULL: 0, 1, 2, …), n from 2 to SF_TREND_MAX: the Theil-Sen
 * slope, which one or two wild windows do not move, with Sen's 95 % interval (exact for n <= 20; NAN
 * below 5 windows, which cannot have one), and the Mann-Kendall test. -EINVAL where all x are equal.
 */
struct sf_trend {
	double slope; /* units of v per unit of x */
	double lo, hi;
	struct sf_kendall kendall;
};

int sf_trend(const double *x, const double *v, size_t n, struct sf_trend *out);

/* ---- how a series of pauses goes ---- */

enum sf_shape {
	SF_SHAPE_FLAT,        /* no growth that noise would not show too */
	SF_SHAPE_STEP,        /* two regimes, a jump between them */
	SF_SHAPE_LINEAR,      /* about the same more each time */
	SF_SHAPE_SUPERLINEAR, /* more and more each time */
	SF_SHAPE_GRADUAL,     /* grows, but neither along a line nor in one clean step */
};

/* "flat", "step", "linear", "superlinear", "gradual" */
const char *sf_shape_name(enum sf_shape shape);

struct sf_span {
	size_t first, n; /* positions first … first + n - 1 */
};

struct sf_series_opts {
	double alpha;      /* error rate of "it grows" on pure noise; 0: 0.05 */
	double min_effect; /* least growth worth a word, relative to the fast group; 0: 0.05 */
	double resolution; /* values are rounded to multiples of this; 0: 1 if all are integers */
	bool two_sided;    /* falling series count too, fast and slow then swap places */
};

struct sf_series {
	enum sf_shape shape;
	int direction;   /* 1 grows, -1 falls (two_sided only), 0 flat */
	double p;        /* of "no change", of the step and the trend test together */
	double step_p;   /* of the best step, over all splits */
	double trend_p;  /* of the trend */
	size_t change;   /* first position behind the likeliest step, 1 … n - 1, whatever the shape */
	double effect;   /* (median slow - median fast) / |median fast|; INFINITY from a fast 0 */
	double slope;    /* Theil-Sen, per window */
	double slope_lo, slope_hi; /* 95 % interval, NAN where n is too small for one */
	/*
	 * The groups to compare. Of a step: its regimes. Of a growing series without a step: the
	 * early and the late third (by_time is set: this is a trend cut into two, not two regimes).
	 * Of a flat one: its halves, for whoever wants to see that they do not differ.
	 */
	struct sf_span fast, slow;
	bool by_time;
};

/*
 * Describe the n >= 3 pauses v in the order of their BRANCHes; opts may be NULL.
 *
 * With 5 windows no permutation test of a step reaches 5 % (10 of 120 orders are as extreme), so
 * steps are tested by their size: pooled t over every split, on logarithms where all values are
 * positive (the noise of a pause grows with it), times the number of splits. The trend is tested by
 * Mann-Kendall, below 8 windows by the t of the regression slope. p is twice the smaller one.
 */
int sf_series_describe(const double *v, size_t n, const struct sf_series_opts *opts,
		       struct sf_series *out);

#endif
