/* SPDX-License-Identifier: GPL-2.0-only */
/* False discovery rate of Benjamini and Hochberg, with weights. */
#include <snapflame/stats.h>

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "stats_internal.h"

struct entry {
	double p; /* divided by its weight */
	size_t at;
};

static int by_p(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->p != y->p)
		return x->p < y->p ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

/* The tests there are, with weights whose mean is 1; -EINVAL for what is no p or no weight. */
static ssize_t collect(const double *p, const double *weight, size_t n, struct entry *entry)
{
	double sum = 0;
	size_t nr = 0;

	for (size_t i = 0; i < n; i++) {
		double w = weight ? weight[i] : 1;

		if (isnan(p[i]))
			continue;
		if (p[i] < 0 || p[i] > 1 || !(w >= 0) || isinf(w))
			return -EINVAL;
		sum += w;
		entry[nr++] = (struct entry){ p[i], i };
	}
	for (size_t k = 0; k < nr && weight && sum > 0; k++)
		entry[k].p *= sum / (double)nr / weight[entry[k].at];
	for (size_t k = 0; k < nr; k++)
		if (isnan(entry[k].p)) /* p 0 with weight 0 */
			entry[k].p = INFINITY;
	return (ssize_t)nr;
}

ssize_t sf_fdr(const double *p, const double *weight, size_t n, double q, double *adjusted,
	       bool *reject)
{
	struct entry *entry = NULL;
	ssize_t nr, found = 0;
	double least = 1;

	if (n > SIZE_MAX / sizeof(*entry))
		return -ENOMEM;
	entry = malloc((n ? n : 1) * sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	nr = collect(p, weight, n, entry);
	for (size_t i = 0; i < n && nr >= 0; i++) {
		if (adjusted)
			adjusted[i] = NAN;
		if (reject)
			reject[i] = false;
	}
	if (nr > 0)
		qsort(entry, (size_t)nr, sizeof(*entry), by_p);
	/* From the largest p down: the adjusted value is the least of those behind it. */
	for (ssize_t k = nr; k-- > 0;) {
		least = fmin(least, entry[k].p * (double)nr / (double)(k + 1));
		if (adjusted)
			adjusted[entry[k].at] = least;
		if (reject)
			reject[entry[k].at] = least <= q;
		found += least <= q;
	}
	free(entry);
	return nr < 0 ? nr : found;
}
