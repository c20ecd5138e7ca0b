/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Statistics of pauses and of the paths inside them. The unit of replication is the window: one
 * BRANCH is one pause is one number, however many samples it holds.
 *
 * Everything here is a pure function of its arguments: no I/O, no globals, no random numbers, so
 * the same windows give the same verdict. Units are the caller's (ms throughout, or ns throughout);
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
#include <sys/types.h>

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
 * The one (odd n) or two (even n) windows whose values make the median: their positions in at[],
 * the smaller value first; of equal values the earlier window counts as the smaller. Returns how
 * many.
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
 * is 94 to 97 % for 3 … 20 windows a side, normal or lognormal noise, equal or five times larger on
 * one side. With 2 windows on a side it is 97 %, but 92 % where those 2 have nearly all the noise.
 *
 * With one window on a side there is no interval: known is false, lo and hi are NAN.
 */
struct sf_interval {
	double delta;  /* difference of the medians */
	double lo, hi; /* 95 % interval */
	double se, df; /* standard error of delta, its degrees of freedom; NAN, 0 where unknown */
	bool known;
};

int sf_diff_interval(const double *fast, size_t n, const double *slow, size_t m,
		     struct sf_interval *out);
/* The median of one group with its interval, the same way; delta is the median. */
int sf_median_interval(const double *v, size_t n, struct sf_interval *out);

/*
 * For many paths over the same windows: what depends on the number of windows only is computed
 * once. fast and slow are as in sf_diff_interval, with the numbers of windows of the plan. A plan
 * may be used by several threads at once.
 */
struct sf_interval_plan;
struct sf_interval_plan *sf_interval_plan_new(size_t n, size_t m); /* NULL without memory */
void sf_interval_plan_free(struct sf_interval_plan *plan);
int sf_interval_plan_diff(const struct sf_interval_plan *plan, const double *fast,
			  const double *slow, struct sf_interval *out);

/* ---- rank tests and trends ---- */

/*
 * Kendall's test of x against y, with ties in either. p of "no relation" is exact for n <= 20 where
 * x has no ties, and for n <= 8; beyond that it is the normal approximation with ties in its
 * variance.
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
 * Trend of v over x (BRANCH numbers, say; NULL: 0, 1, 2, …), n from 2 to SF_TREND_MAX: the
 * Theil-Sen slope, which one or two wild windows do not move, with Sen's 95 % interval (exact for n
 * <= 20; NAN below 5 windows, which cannot have one), and the Mann-Kendall test. -EINVAL where all
 * x are equal.
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
	size_t change;   /* first position behind the likeliest step, 1 … n - 1, of any shape */
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
 * steps are tested by their size: pooled t over every split, times the number of splits, on the
 * values or on their logarithms (the noise of a pause grows with it), whichever shows more. The
 * trend is tested by Mann-Kendall, below 8 windows by the t of the regression slope. p is twice the
 * smaller one.
 */
int sf_series_describe(const double *v, size_t n, const struct sf_series_opts *opts,
		       struct sf_series *out);

/*
 * The growth of one path over BRANCH numbers (NULL: 0, 1, 2, …), which may repeat (trials): trend
 * over all windows; series of the medians of each number, in their order, whose positions count the
 * different numbers. -EINVAL with fewer than 3 of them.
 */
struct sf_growth {
	struct sf_trend trend;
	struct sf_series series;
	size_t branches; /* different BRANCH numbers */
};

int sf_growth_describe(const double *branch, const double *v, size_t n,
		       const struct sf_series_opts *opts, struct sf_growth *out);

/* ---- which paths differ ---- */

/*
 * Welch's test of slow - fast (the means). With one window on a side its variance is taken to be
 * the other side's (pooled test), which is fair where noise grows with the pause and the lone
 * window is the fast one. -EINVAL for one window on both sides.
 */
struct sf_t_test {
	double delta; /* mean slow - mean fast */
	double se, t, df;
	double p_up; /* one-sided, of growth */
	double p;    /* two-sided */
};

int sf_t_test(const double *fast, size_t n, const double *slow, size_t m, struct sf_t_test *out);

/*
 * Benjamini and Hochberg (1995): which of n tests may be rejected so that on average at most the
 * share q of the rejected ones is wrong; where nothing is true, any is rejected with probability q
 * at most. weight (NULL: equal) says in advance which tests matter more (Genovese, Roeder and
 * Wasserman 2006); only the ratios count. A p that is NAN is no test. adjusted (least q at which
 * each would be rejected) and reject may be NULL. Returns how many are rejected, or -EINVAL,
 * -ENOMEM.
 */
ssize_t sf_fdr(const double *p, const double *weight, size_t n, double q, double *adjusted,
	       bool *reject);

struct sf_paths_opts {
	double q;           /* false discovery rate; 0: 0.05 */
	double quantum;     /* what one sample stands for, where values are such; 0: not sampled */
	bool two_sided;     /* paths that shrink count too, not only growth */
	bool equal_weights; /* large paths get no larger share of the error */
};

struct sf_path_diff {
	struct sf_interval interval; /* of the difference of medians */
	struct sf_t_test test; /* of this path alone, of the means, with the shared variance */
	double p;     /* as one of many; NAN where there is nothing to test */
	double q;     /* the same, adjusted (sf_fdr) */
	bool differs; /* q <= opts->q */
};

struct sf_paths_info {
	size_t tested, found;
	double prior_df; /* windows' worth of noise that the paths have in common; 0 none */
};

/*
 * Which of many paths differ between n fast and m slow windows. v holds n + m values for each path,
 * fast ones first; out has one entry for each path; opts and info may be NULL. A path with the same
 * value everywhere is not tested. With n = m = 1 nothing is.
 *
 * The tests share what the paths know about noise (Smyth 2004), and large paths get more of the
 * error to spend. The rule for causes has two parts: the pauses themselves grow (sf_t_test or
 * sf_series_describe), and the path differs. Of pairs without a difference 5 % at most then name a
 * cause; docs/statistics.md has the figures, and which growth is found how often.
 */
int sf_paths_diff(const double *v, size_t paths, size_t n, size_t m,
		  const struct sf_paths_opts *opts, struct sf_path_diff *out,
		  struct sf_paths_info *info);

/* ---- which covariate goes with the pause ---- */

/*
 * Spearman's correlation of ranks, ties shared. p (two-sided) is exact for n <= 8, beyond it is by
 * the t approximation, but never below 2/n!. With n <= 4 nothing can be significant, with 5 only
 * perfect order can: p_min says how small p could have become, so that a reader is not told "no
 * relation" where none could be seen.
 */
struct sf_corr {
	double rho;
	double p, p_min;
	size_t n; /* pairs used */
	bool exact;
};

int sf_rank_corr(const double *x, const double *y, size_t n, struct sf_corr *out);

struct sf_corr_covariate {
	size_t at; /* which one, in the caller's order */
	struct sf_corr corr;
	double fast, slow; /* medians over the groups' windows; NAN where nothing was read */
	int separates;     /* 1: above all fast windows in every slow one; -1: below; 0: neither */
};

/*
 * Order count covariates by how well they go with the pauses of n windows: first those that
 * separate the groups, then by |rho|, then by how far they moved. values holds n for each
 * covariate; NAN is "not read". This is a ranking of hints, no test: with few windows and many
 * covariates several fit.
 */
int sf_corr_covariates(const double *pause, size_t n, const double *values, size_t count,
		  struct sf_span fast, struct sf_span slow, struct sf_corr_covariate *out);

#endif
