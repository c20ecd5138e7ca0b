/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Synthetic windows with a known truth, and how often the statistics find it. Shared by the
 * calibration (long, tests/bench) and its unit test (short); both give the seeds.
 */
#ifndef BENCH_STATS_SYNTH_H
#define BENCH_STATS_SYNTH_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <snapflame/stats.h>
#include <snapflame/table.h>

struct synth {
	uint64_t seed, count;
};

/* In (0, 1): a counter hashed with the seed. */
static inline double synth_uniform(struct synth *s)
{
	uint64_t bits = sf_hash64(sf_hash64(s->seed + 0x9e3779b97f4a7c15ULL) ^ ++s->count);

	return ((double)(bits >> 11) + 0.5) / 9007199254740992.0;
}

static inline double synth_normal(struct synth *s)
{
	double r = sqrt(-2 * log(synth_uniform(s)));

	return r * cos(2 * M_PI * synth_uniform(s));
}

static inline double synth_poisson(struct synth *s, double mean)
{
	double p = exp(-mean), sum = p, u = synth_uniform(s), k = 0;

	if (mean > 50)
		return fmax(0, round(mean + sqrt(mean) * synth_normal(s)));
	while (u > sum && k < 1000)
		p *= mean / ++k, sum += p;
	return k;
}

enum noise {
	NOISE_NORMAL,    /* 5 % */
	NOISE_LOGNORMAL, /* 5 % */
	NOISE_LOUD,      /* lognormal, 30 % */
	NOISE_HEAVY,     /* 5 % of Student's t with 3 degrees of freedom */
	NOISE_SPIKES,    /* normal, and one window in ten has ten times the deviation */
	NOISE_SAMPLED,   /* counts of samples (Poisson), and lognormal 5 % */
	NOISE_MIXED,     /* lognormal; every tenth path has 50 %, the others 5 % */
	NOISE_RESTLESS,  /* lognormal; every tenth path has 12 %, the others 5 % */
	NOISE_SHARED,    /* lognormal 5 %, half of its variance the window's: all paths have it */
	NOISE_COUNT,
};

static const char *const noise_name[] = {
	"normal 5 %", "lognormal 5 %", "lognormal 30 %", "t3 5 %",
	"spikes",     "sampled",       "mixed",          "restless", "shared",
};

/* A value around mean; path tells paths apart where they differ in noise. */
static inline double synth_value(struct synth *s, enum noise noise, double mean, size_t path)
{
	double z = synth_normal(s), chi = 0;

	switch (noise) {
	case NOISE_NORMAL:
		return mean * (1 + 0.05 * z);
	case NOISE_LOGNORMAL:
		return mean * exp(0.05 * z);
	case NOISE_LOUD:
		return mean * exp(0.3 * z);
	case NOISE_HEAVY:
		for (int i = 0; i < 3; i++) {
			double c = synth_normal(s);

			chi += c * c;
		}
		return mean * (1 + 0.05 * z / sqrt(chi / 3));
	case NOISE_SPIKES:
		return mean * (1 + (synth_uniform(s) < 0.1 ? 0.5 : 0.05) * z);
	case NOISE_SAMPLED:
		return synth_poisson(s, mean * exp(0.05 * z));
	case NOISE_SHARED: /* synth_family() has the window's own half */
		return mean * exp(0.05 * sqrt(0.5) * z);
	default:
		return mean * exp((path % 10 != 3 ? 0.05 : noise == NOISE_MIXED ? 0.5 : 0.12) * z);
	}
}

/* ---- intervals: how often does one of two groups, 1 and ratio, hold the true difference ---- */

static inline double synth_coverage(uint64_t seed, enum noise noise, size_t n, size_t m,
				    double ratio, size_t rounds)
{
	struct sf_interval_plan *plan = sf_interval_plan_new(n, m);
	struct synth s = { .seed = seed };
	double fast[64], slow[64], held = 0;
	struct sf_interval i;

	for (size_t r = 0; r < rounds; r++) {
		for (size_t k = 0; k < n; k++)
			fast[k] = synth_value(&s, noise, 1000, 0);
		for (size_t k = 0; k < m; k++)
			slow[k] = synth_value(&s, noise, 1000 * ratio, 0);
		if (sf_interval_plan_diff(plan, fast, slow, &i))
			abort();
		held += i.lo <= 1000 * (ratio - 1) && 1000 * (ratio - 1) <= i.hi;
	}
	sf_interval_plan_free(plan);
	return held / (double)rounds;
}

/* ---- families of paths ---- */

enum sizes { SIZES_EQUAL, SIZES_ZIPF, SIZES_SHARE };

struct family_case {
	enum noise noise;
	enum sizes sizes;
	size_t paths, n, m;
	size_t grows;  /* which path grows, from 0 (with SIZES_ZIPF the largest) */
	double factor; /* by which; 1: none does */
	bool equal_weights;
	double share; /* SIZES_SHARE: of the first path; the others have the rest alike */
};

struct family_rate {
	double any;   /* pairs in which a path that did not grow was named */
	double gated; /* the same, and the pauses grew too: a false verdict */
	double found; /* pairs in which the path that grew was named */
	double first; /* and had the largest growth of those named */
	double alone; /* its own test says p <= 5 %: found by who asks about this path (or would be) */
	double share; /* mean share of the wrong among the named, none named counting 0 */
};

/* Mean of a path: 100 on average, or 1/rank of the pause, or its share of it. */
static inline double synth_size(const struct family_case *c, size_t path)
{
	double sum = 0;

	if (c->sizes == SIZES_EQUAL || c->paths == 1)
		return 100;
	if (c->sizes == SIZES_SHARE)
		return 100 * (double)c->paths *
		       (path ? (1 - c->share) / (double)(c->paths - 1) : c->share);
	for (size_t i = 1; i <= c->paths; i++)
		sum += 1 / (double)i;
	return 100 * (double)c->paths / sum / (double)(path + 1);
}

static inline bool synth_pauses_grow(const struct family_case *c, const double *v)
{
	double pause[64] = { 0 };
	struct sf_t_test t;

	for (size_t i = 0; i < c->paths; i++)
		for (size_t k = 0; k < c->n + c->m; k++)
			pause[k] += *v++;
	if (sf_t_test(pause, c->n, pause + c->n, c->m, &t))
		abort();
	return t.p_up <= 0.05;
}

static inline void synth_score(const struct family_case *c, const struct sf_path_diff *path,
			       bool pauses_grow, struct family_rate *rate)
{
	double wrong = 0, named = 0, most = -INFINITY;
	size_t first = c->paths;

	for (size_t i = 0; i < c->paths; i++) {
		if (!path[i].differs)
			continue;
		named++;
		wrong += c->factor == 1 || i != c->grows;
		if (path[i].interval.delta > most) {
			most = path[i].interval.delta;
			first = i;
		}
	}
	rate->any += wrong > 0;
	rate->gated += wrong > 0 && pauses_grow;
	rate->share += named ? wrong / named : 0;
	if (c->factor != 1) {
		rate->found += path[c->grows].differs;
		rate->first += first == c->grows;
	}
	rate->alone += path[c->grows].test.p_up <= 0.05;
}

static inline struct family_rate synth_family(uint64_t seed, const struct family_case *c,
					      size_t rounds)
{
	struct sf_paths_opts opts = { .quantum = c->noise == NOISE_SAMPLED,
				      .equal_weights = c->equal_weights };
	struct sf_path_diff *path = calloc(c->paths, sizeof(*path));
	double *v = calloc(c->paths * (c->n + c->m), sizeof(*v)), *size = calloc(c->paths, 8);
	struct family_rate rate = { 0 };
	struct synth s = { .seed = seed };
	double window[64];

	if (!path || !v || !size)
		abort();
	for (size_t i = 0; i < c->paths; i++)
		size[i] = synth_size(c, i);
	for (size_t r = 0; r < rounds; r++) {
		double *next = v;

		for (size_t k = 0; k < c->n + c->m; k++)
			window[k] = c->noise == NOISE_SHARED ?
					    exp(0.05 * sqrt(0.5) * synth_normal(&s)) : 1;
		for (size_t i = 0; i < c->paths; i++)
			for (size_t k = 0; k < c->n + c->m; k++)
				*next++ = window[k] *
					  synth_value(&s, c->noise,
						      size[i] * (k >= c->n && i == c->grows ?
									 c->factor : 1), i);
		if (sf_paths_diff(v, c->paths, c->n, c->m, &opts, path, NULL))
			abort();
		synth_score(c, path, synth_pauses_grow(c, v), &rate);
	}
	rate.any /= (double)rounds;
	rate.gated /= (double)rounds;
	rate.alone /= (double)rounds;
	rate.found /= (double)rounds;
	rate.first /= (double)rounds;
	rate.share /= (double)rounds;
	free(path);
	free(v);
	free(size);
	return rate;
}

/* ---- series ---- */

enum truth { TRUTH_NONE, TRUTH_STEP, TRUTH_LINE };

struct series_case {
	enum truth truth;
	enum noise noise;
	size_t n;
	double sigmas; /* height of a step, in deviations of 5 %; of a line: last over first */
};

struct series_rate {
	double grows, step; /* said to grow; said to be a step */
	double near;        /* change within one window of the true one (TRUTH_STEP) */
	double near_found;  /* the same among those said to grow */
};

/* The value of window k (from 0) without noise, a step being at window at. */
static inline double synth_mean(const struct series_case *c, size_t k, size_t at)
{
	if (c->truth == TRUTH_STEP)
		return k < at ? 1000 : 1000 + 50 * c->sigmas;
	if (c->truth == TRUTH_LINE)
		return 1000 * (1 + (c->sigmas - 1) * (double)k / (double)(c->n - 1));
	return 1000;
}

static inline struct series_rate synth_series(uint64_t seed, const struct series_case *c,
					      size_t rounds)
{
	struct series_rate rate = { 0 };
	struct synth s = { .seed = seed };
	double v[200];

	for (size_t r = 0; r < rounds; r++) {
		/* Anywhere with two windows on either side, or one of few. */
		size_t edge = c->n < 6 ? 1 : 2;
		size_t at = edge + (size_t)(synth_uniform(&s) * (double)(c->n - 2 * edge + 1));
		struct sf_series found;
		bool near;

		for (size_t k = 0; k < c->n; k++) {
			double mean = synth_mean(c, k, at);

			/* A step in units of sigma wants the same sigma on both sides. */
			v[k] = c->truth == TRUTH_STEP && c->noise == NOISE_NORMAL ?
				       mean + 50 * synth_normal(&s) :
				       synth_value(&s, c->noise, mean, 0);
		}
		if (sf_series_describe(v, c->n, NULL, &found))
			abort();
		near = found.change + 1 >= at && found.change <= at + 1;
		rate.grows += found.shape != SF_SHAPE_FLAT;
		rate.step += found.shape == SF_SHAPE_STEP;
		rate.near += near;
		rate.near_found += near && found.shape != SF_SHAPE_FLAT;
	}
	rate.near_found /= fmax(1, rate.grows);
	rate.grows /= (double)rounds;
	rate.step /= (double)rounds;
	rate.near /= (double)rounds;
	return rate;
}

#endif
