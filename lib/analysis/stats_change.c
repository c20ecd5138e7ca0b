/* SPDX-License-Identifier: GPL-2.0-only */
/* Does a series of pauses change, where, and which windows to compare. */
#include <snapflame/stats.h>

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "stats_internal.h"
#include "stats_shape.h"

/* From here on the trend is tested by ranks; with fewer windows by the size of the slope. */
enum { RANKS_FROM = 8 };

const char *sf_shape_name(enum sf_shape shape)
{
	static const char *const name[] = { "flat", "step", "linear", "superlinear", "gradual" };

	return (size_t)shape < sizeof(name) / sizeof(name[0]) ? name[shape] : "unknown";
}

/* t of diff with residual squares rss; floor is the variance of rounding, scale that of diff. */
static double t_of(double diff, double rss, double df, double floor, double scale)
{
	double variance = (rss / df + floor) * scale;

	if (variance > 0)
		return diff / sqrt(variance);
	return diff > 0 ? INFINITY : diff < 0 ? -INFINITY : 0;
}

struct step {
	size_t at; /* first position behind it */
	double t;
};

/* The split whose upward step has the largest pooled t. */
static struct step best_step(const double *y, size_t n, double floor)
{
	struct step best = { 1, -INFINITY };
	double all = 0, squares = 0, before = 0, mean;

	for (size_t i = 0; i < n; i++)
		all += y[i];
	mean = all / (double)n;
	for (size_t i = 0; i < n; i++)
		squares += (y[i] - mean) * (y[i] - mean);
	for (size_t k = 1; k < n; k++) {
		double a = (double)k, b = (double)(n - k), diff, rss, t;

		before += y[k - 1] - mean;
		/* The deviations sum to 0: the rest has -before. */
		diff = -before / b - before / a;
		rss = fmax(0, squares - diff * diff * a * b / (a + b));
		t = t_of(diff, rss, (double)n - 2, floor, 1 / a + 1 / b);
		if (t > best.t)
			best = (struct step){ k, t };
	}
	return best;
}

/* One-sided p of the slope of a regression over time. */
static double slope_p(const double *v, size_t n, double floor)
{
	double mean = 0, centre = ((double)n - 1) / 2, df = (double)n - 2;
	double sxx = 0, sxy = 0, syy = 0;

	for (size_t i = 0; i < n; i++)
		mean += v[i] / (double)n;
	for (size_t i = 0; i < n; i++) {
		double x = (double)i - centre, y = v[i] - mean;

		sxx += x * x;
		sxy += x * y;
		syy += y * y;
	}
	return sf_t_upper(t_of(sxy / sxx, fmax(0, syy - sxy * sxy / sxx), df, floor, 1 / sxx), df);
}

/*
 * The best step, on logarithms and on the values themselves: noise that grows with the pause is
 * even on the first, a single disturbed fast window (8 ms, once 76) does not hide a jump of 300 ms
 * on the second. The two nearly always agree, so taking the better one costs little
 * (docs/statistics.md).
 */
static struct step step_of(const struct sf_stats_view *view)
{
	struct step step = best_step(view->v, view->n, view->floor_v), other;

	if (!view->log)
		return step;
	other = best_step(view->log, view->n, view->floor_log);
	return step.t > other.t ? step : other;
}

/* The tests of growth, of values in time order. */
static int test_growth(const struct sf_stats_view *view, struct sf_series *out)
{
	double df = (double)view->n - 2;
	struct step step = step_of(view);
	struct sf_trend trend;

	out->change = step.at;
	out->step_p = fmin(1, sf_t_upper(step.t, df) * (df + 1));
	out->slope = out->slope_lo = out->slope_hi = NAN;
	out->trend_p = slope_p(view->v, view->n, view->floor_v);
	if (view->n <= SF_TREND_MAX) {
		int ret = sf_trend(NULL, view->v, view->n, &trend);

		if (ret)
			return ret;
		out->slope = trend.slope;
		out->slope_lo = trend.lo;
		out->slope_hi = trend.hi;
		if (view->n >= RANKS_FROM)
			out->trend_p = trend.kendall.p_up;
	}
	out->p = fmin(1, 2 * fmin(out->step_p, out->trend_p));
	return 0;
}

static void split_by_time(struct sf_series *out, size_t n, size_t parts)
{
	size_t size = (n + parts - 1) / parts;

	if (2 * size > n)
		size = n / 2;
	out->fast = (struct sf_span){ 0, size };
	out->slow = (struct sf_span){ n - size, size };
	out->by_time = true;
}

static void split_by_step(struct sf_series *out, size_t n)
{
	out->fast = (struct sf_span){ 0, out->change };
	out->slow = (struct sf_span){ out->change, n - out->change };
	out->by_time = false;
}

static double effect_of(const double *v, const struct sf_series *out, double resolution)
{
	double fast = sf_median(v + out->fast.first, out->fast.n);
	double delta = sf_median(v + out->slow.first, out->slow.n) - fast;
	double base = fmax(fabs(fast), resolution);

	return base > 0 ? delta / base : delta > 0 ? INFINITY : 0;
}

/* Test, shape and groups of a series that can only grow. */
static int describe_growth(const struct sf_stats_view *view, const struct sf_series_opts *opts,
			   double *work, struct sf_series *out)
{
	int ret = test_growth(view, out);

	if (ret)
		return ret;
	out->shape = SF_SHAPE_FLAT;
	if (out->p <= opts->alpha)
		out->shape = sf_stats_shape(view, out->change, work);
	if (out->shape == SF_SHAPE_STEP)
		split_by_step(out, view->n);
	else
		split_by_time(out, view->n, out->shape == SF_SHAPE_FLAT ? 2 : 3);
	out->effect = effect_of(view->v, out, opts->resolution);
	if (out->shape != SF_SHAPE_FLAT && out->effect < opts->min_effect) {
		out->shape = SF_SHAPE_FLAT;
		split_by_time(out, view->n, 2);
		out->effect = effect_of(view->v, out, opts->resolution);
	}
	out->direction = out->shape != SF_SHAPE_FLAT;
	return 0;
}

static struct sf_span mirror(struct sf_span span, size_t n)
{
	return (struct sf_span){ n - span.first - span.n, span.n };
}

/* The description of a series from the one of its mirror image in time. */
static void turn_back(struct sf_series *s, size_t n)
{
	double lo = s->slope_lo;

	s->direction = -s->direction;
	s->change = n - s->change;
	s->slope = -s->slope;
	s->slope_lo = -s->slope_hi;
	s->slope_hi = -lo;
	s->fast = mirror(s->fast, n);
	s->slow = mirror(s->slow, n);
}

static double rounding_of(const double *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] != floor(v[i]))
			return 0;
	return 1;
}

/* Both scales of v, turned around in time where backwards; room holds 4 n. */
static struct sf_stats_view view_of(const double *v, size_t n, bool backwards, double resolution,
				    double *room)
{
	double *value = room, *logarithm = room + n, mean = 0;
	struct sf_stats_view view = { value, logarithm, n, resolution * resolution / 12, 0 };

	for (size_t i = 0; i < n; i++) {
		value[i] = v[backwards ? n - 1 - i : i];
		mean += value[i] / (double)n;
		if (value[i] > 0)
			logarithm[i] = log(value[i]);
		else
			view.log = NULL;
	}
	if (view.log)
		view.floor_log = view.floor_v / (mean * mean);
	return view;
}

int sf_series_describe(const double *v, size_t n, const struct sf_series_opts *opts,
		       struct sf_series *out)
{
	struct sf_series_opts o = opts ? *opts : (struct sf_series_opts){ 0 };
	struct sf_stats_view view;
	double *room;
	int ret;

	memset(out, 0, sizeof(*out));
	if (n < 3 || n > SIZE_MAX / (8 * sizeof(*room)) || !sf_stats_finite(v, n))
		return -EINVAL;
	o.alpha = o.alpha > 0 ? o.alpha : 0.05;
	o.min_effect = o.min_effect > 0 ? o.min_effect : 0.05;
	o.resolution = o.resolution > 0 ? o.resolution : rounding_of(v, n);
	room = calloc(n, 4 * sizeof(*room));
	if (!room)
		return -ENOMEM;
	view = view_of(v, n, false, o.resolution, room);
	if (o.two_sided)
		o.alpha /= 2;
	ret = describe_growth(&view, &o, room + 2 * n, out);
	if (!ret && o.two_sided) {
		struct sf_series falling = { 0 };

		view = view_of(v, n, true, o.resolution, room);
		ret = describe_growth(&view, &o, room + 2 * n, &falling);
		if (!ret && falling.p < out->p && falling.shape != SF_SHAPE_FLAT) {
			*out = falling;
			turn_back(out, n);
		}
		out->p = fmin(1, 2 * out->p);
	}
	free(room);
	return ret;
}
