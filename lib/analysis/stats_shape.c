/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The shape of a growing series. A step and smooth growth are fitted, each with noise that is
 * additive and noise that grows with the pause, and compared by their likelihoods in nats.
 *
 * Why not one kind of noise: 12 52 92 131 175 is a perfect line, and in logarithms a fine step;
 * 288 240 962 1410 1639 is a clear step in logarithms, and in milliseconds a fair line.
 */
#include "stats_shape.h"

#include <math.h>
#include <string.h>

#include "stats_internal.h"

/* How much better a model must be: e^2, a Bayes factor that is "positive" (Kass, Raftery 1995). */
static const double MARGIN = 2;
/* Below this share of the variance explained, a smooth model is not the shape of the series. */
static const double EXPLAINED = 0.8;

enum basis { BASIS_LOG, BASIS_LINEAR, BASIS_SQUARE, BASIS_CUBE, BASIS_EXP, BASIS_COUNT };

static double basis_at(enum basis basis, size_t i)
{
	double k = (double)i + 1;

	switch (basis) {
	case BASIS_LOG:
		return log(k);
	case BASIS_SQUARE:
		return k * k;
	case BASIS_CUBE:
		return k * k * k;
	default:
		return k;
	}
}

struct fit {
	double nats;      /* log likelihood, up to a constant that all models share */
	double explained; /* 1 - residual / total variance, in the scale of the noise */
};

static double sum_squares(const double *y, size_t n)
{
	double mean = 0, sum = 0;

	for (size_t i = 0; i < n; i++)
		mean += y[i] / (double)n;
	for (size_t i = 0; i < n; i++)
		sum += (y[i] - mean) * (y[i] - mean);
	return sum;
}

/* The fit that leaves the sum of squares rss, of v or of log v. */
static struct fit fit_of(const struct sf_stats_view *view, bool in_log, double rss)
{
	const double *y = in_log ? view->log : view->v;
	double floor = SF_STATS_PRECISION * SF_STATS_PRECISION;
	double n = (double)view->n, total = sum_squares(y, view->n);
	struct fit fit;

	if (in_log) {
		floor += view->floor_log;
	} else {
		double median = sf_median(view->v, view->n);

		floor = floor * median * median + view->floor_v;
	}
	fit.explained = total > 0 ? 1 - rss / total : 1;
	fit.nats = -n / 2 * log(rss / n + floor + 1e-300);
	for (size_t i = 0; in_log && i < view->n; i++)
		fit.nats -= view->log[i]; /* the density of v, not of log v */
	return fit;
}

/* Least squares of y over the basis with weights w (NULL: 1); fills the fitted values. */
static void regress(const double *y, size_t n, enum basis basis, const double *w, double *fitted)
{
	double sw = 0, sx = 0, sy = 0, sxx = 0, sxy = 0, slope;

	for (size_t i = 0; i < n; i++) {
		double wi = w ? w[i] : 1;

		sw += wi;
		sx += wi * basis_at(basis, i);
		sy += wi * y[i];
	}
	for (size_t i = 0; i < n; i++) {
		double wi = w ? w[i] : 1, d = basis_at(basis, i) - sx / sw;

		sxx += wi * d * d;
		sxy += wi * d * (y[i] - sy / sw);
	}
	slope = sxx > 0 ? sxy / sxx : 0;
	for (size_t i = 0; i < n; i++)
		fitted[i] = sy / sw + slope * (basis_at(basis, i) - sx / sw);
}

static double residual(const double *y, const double *fitted, size_t n)
{
	double rss = 0;

	for (size_t i = 0; i < n; i++)
		rss += (y[i] - fitted[i]) * (y[i] - fitted[i]);
	return rss;
}

/* A smooth mean under noise that grows with it: reweighted until it stands (work: 2 n). */
static double relative_residual(const struct sf_stats_view *view, enum basis basis, double *work)
{
	double *fitted = work, *w = work + view->n, least = INFINITY, rss = 0;

	for (size_t i = 0; i < view->n; i++)
		least = fmin(least, view->v[i]);
	for (size_t i = 0; i < view->n; i++)
		w[i] = 1 / (view->v[i] * view->v[i]);
	for (int round = 0; round < 6; round++) {
		rss = 0;
		regress(view->v, view->n, basis, w, fitted);
		for (size_t i = 0; i < view->n; i++) {
			double f = fmax(fitted[i], least / 2), d = view->log[i] - log(f);

			w[i] = 1 / (f * f);
			rss += d * d;
		}
	}
	return rss;
}

static struct fit better(struct fit a, struct fit b)
{
	return a.nats >= b.nats ? a : b;
}

static struct fit fit_smooth(const struct sf_stats_view *view, enum basis basis, double *work)
{
	struct fit fit = { -INFINITY, 0 };

	if (basis != BASIS_EXP) {
		regress(view->v, view->n, basis, NULL, work);
		fit = fit_of(view, false, residual(view->v, work, view->n));
		if (view->log)
			fit = better(fit, fit_of(view, true, relative_residual(view, basis, work)));
	} else if (view->log) {
		regress(view->log, view->n, BASIS_LINEAR, NULL, work);
		fit = fit_of(view, true, residual(view->log, work, view->n));
	}
	return fit;
}

static struct fit fit_step(const struct sf_stats_view *view)
{
	struct fit best = { -INFINITY, 0 };

	for (size_t k = 1; k < view->n; k++) {
		double rss = sum_squares(view->v, k) + sum_squares(view->v + k, view->n - k);

		best = better(best, fit_of(view, false, rss));
		if (!view->log)
			continue;
		rss = sum_squares(view->log, k) + sum_squares(view->log + k, view->n - k);
		best = better(best, fit_of(view, true, rss));
	}
	return best;
}

static void range(const double *y, size_t n, double *lo, double *hi)
{
	*lo = INFINITY;
	*hi = -INFINITY;
	for (size_t i = 0; i < n; i++) {
		*lo = fmin(*lo, y[i]);
		*hi = fmax(*hi, y[i]);
	}
}

/* Nothing lies in between, and the gap is wider than either regime. */
static bool clean_gap(const double *y, size_t n, size_t change)
{
	double fast_lo, fast_hi, slow_lo, slow_hi, gap;

	range(y, change, &fast_lo, &fast_hi);
	range(y + change, n - change, &slow_lo, &slow_hi);
	gap = slow_lo - fast_hi;
	return gap > 0 && gap > fast_hi - fast_lo && gap > slow_hi - slow_lo;
}

/* In either scale: 288 240 962 1410 1639 has its gap in logarithms, 8 76 310 300 305 in values. */
static bool separates(const struct sf_stats_view *view, size_t change)
{
	return clean_gap(view->v, view->n, change) ||
	       (view->log && clean_gap(view->log, view->n, change));
}

enum sf_shape sf_stats_shape(const struct sf_stats_view *view, size_t change, double *work)
{
	struct fit fit[BASIS_COUNT], step = fit_step(view);
	enum basis best = BASIS_LOG;
	double margin;

	for (enum basis b = BASIS_LOG; b < BASIS_COUNT; b++) {
		fit[b] = fit_smooth(view, b, work);
		if (fit[b].nats > fit[best].nats)
			best = b;
	}
	margin = step.nats - fit[best].nats;
	if (margin >= MARGIN || (margin > 0 && separates(view, change)))
		return SF_SHAPE_STEP;
	if (fit[best].nats - fit[BASIS_LINEAR].nats < MARGIN)
		best = BASIS_LINEAR;
	if (best == BASIS_LOG || fit[best].explained < EXPLAINED)
		return SF_SHAPE_GRADUAL;
	return best == BASIS_LINEAR ? SF_SHAPE_LINEAR : SF_SHAPE_SUPERLINEAR;
}
