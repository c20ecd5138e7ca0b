/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A limit for the growth of the pauses, for CI. It is exceeded only where noise is ruled out: by the
 * lower end of the 95 % interval of the growth, never by a point estimate.
 */
#ifndef SNAPFLAME_GATE_H
#define SNAPFLAME_GATE_H

#include <snapflame/diff.h>
#include <snapflame/str.h>

enum { SF_GATE_MAX = 5 };

struct sf_gate {
	bool exceeded;
	bool decided;        /* false: there is no interval (n = 1, a short trend) */
	double growth_pct;   /* of the fast median; INFINITY from 0 */
	double least_pct;    /* lower end of the interval; NAN where there is none */
	char text[256];      /* one line that says it */
	/* What grew, largest first: causes of the diff that are beyond their noise. */
	const struct sf_cause *grew[SF_GATE_MAX];
	size_t nr_grew;
};

/* "+1071.2 ms: firecracker (main), io-throttle in wbt_wait < … < create_snapshot" */
void sf_gate_cause(struct sf_str *out, const struct sf_diff *d, const struct sf_cause *c);

/*
 * limit: % of the fast median. The sides of a trend leave out what lies between them; its slope is
 * taken of all BRANCHes of their recording from the first one compared on. 0 or -ENOMEM.
 */
int sf_gate_check(struct sf_gate *g, const struct sf_diff *d, double limit_pct);
/* The same of pauses that are known by themselves: nothing is listed as what grew. */
void sf_gate_pauses(struct sf_gate *g, double fast_ms, const struct sf_estimate *delta,
		    double limit_pct);

#endif
