/* SPDX-License-Identifier: GPL-2.0-only */
/* Noise that many paths share: see the .c. */
#ifndef ANALYSIS_STATS_PRIOR_H
#define ANALYSIS_STATS_PRIOR_H

#include <stdbool.h>
#include <stddef.h>

struct sf_stats_noise {
	double mean;         /* over all windows */
	double log_variance; /* pooled within the groups, of df degrees of freedom */
	double trend;        /* result: log of the variance that paths of this size have */
	double known;        /* result: degrees of freedom that the trend is worth here */
	double leverage;     /* of the trend: its variance, in that of one path's log variance */
	bool fitted;         /* has a variance above 0 */
	bool dense;          /* is there in most windows */
};

/*
 * Fill trend and known of n paths, and *prior with the degrees of freedom that a trend known exactly
 * is worth; 0 where there are too few paths (known then stays 0). 0, or -1 without memory.
 */
int sf_stats_prior(struct sf_stats_noise *noise, size_t n, double df, double *prior);

#endif
