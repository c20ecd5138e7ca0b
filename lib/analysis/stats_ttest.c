/* SPDX-License-Identifier: GPL-2.0-only */
/* Welch's test of two groups of windows. */
#include <snapflame/stats.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#include "stats_internal.h"

struct sf_stats_moments sf_stats_moments(const double *v, size_t n)
{
	struct sf_stats_moments m = { 0 };

	for (size_t i = 0; i < n; i++)
		m.mean += v[i] / (double)n;
	for (size_t i = 0; i < n; i++)
		m.squares += (v[i] - m.mean) * (v[i] - m.mean);
	m.n = (double)n;
	m.variance = n > 1 ? m.squares / (m.n - 1) : 0;
	return m;
}

int sf_t_test(const double *fast, size_t n, const double *slow, size_t m, struct sf_t_test *out)
{
	struct sf_stats_moments f, s;
	double vf, vs;

	memset(out, 0, sizeof(*out));
	if (!n || !m || n + m < 3 || !sf_stats_finite(fast, n) || !sf_stats_finite(slow, m))
		return -EINVAL;
	f = sf_stats_moments(fast, n);
	s = sf_stats_moments(slow, m);
	out->delta = s.mean - f.mean;
	/* A window alone has no variance: it borrows the other side's. */
	vf = (n > 1 ? f.variance : s.variance) / f.n;
	vs = (m > 1 ? s.variance : f.variance) / s.n;
	out->se = sqrt(vf + vs);
	if (n == 1 || m == 1)
		out->df = f.n + s.n - 2;
	else if (vf + vs > 0)
		out->df = (vf + vs) * (vf + vs) / (vf * vf / (f.n - 1) + vs * vs / (s.n - 1));
	else
		out->df = f.n + s.n - 2;
	if (out->se > 0)
		out->t = out->delta / out->se;
	else
		out->t = out->delta ? copysign(INFINITY, out->delta) : 0;
	out->p_up = sf_t_upper(out->t, out->df);
	out->p = fmin(1, 2 * sf_t_upper(fabs(out->t), out->df));
	return 0;
}
