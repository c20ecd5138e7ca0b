/* SPDX-License-Identifier: GPL-2.0-only */
/* How a series grows: models compared by likelihood. */
#ifndef ANALYSIS_STATS_SHAPE_H
#define ANALYSIS_STATS_SHAPE_H

#include <stdbool.h>
#include <stddef.h>

#include <snapflame/stats.h>

/*
 * Pauses in time order, in two scales: noise may be additive (v) or grow with the pause (log v,
 * NULL where a value is not positive). floor_* is the variance that rounding alone brings.
 */
struct sf_stats_view {
	const double *v, *log;
	size_t n;
	double floor_v, floor_log;
};

/*
 * The shape of a series that is known to grow; change is its likeliest step. work holds 2 n values.
 */
enum sf_shape sf_stats_shape(const struct sf_stats_view *view, size_t change, double *work);

#endif
