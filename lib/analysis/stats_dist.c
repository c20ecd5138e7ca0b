/* SPDX-License-Identifier: GPL-2.0-only */
/* Normal and Student distributions. */
#include <snapflame/stats.h>

#include <math.h>

#include "stats_internal.h"

double sf_normal_upper(double z)
{
	return 0.5 * erfc(z * M_SQRT1_2);
}

/* Upper quantile for 0 < p <= 0.5: a rough start (first term of the tail), then Halley's steps. */
static double upper_quantile(double p)
{
	double z = p > 0.1 ? (0.5 - p) * 2.5066 : sqrt(-2 * log(p * sqrt(-4 * M_PI * log(p))));

	for (int i = 0; i < 20; i++) {
		double density = exp(-0.5 * z * z) / sqrt(2 * M_PI);
		double step = (sf_normal_upper(z) - p) / density;

		step /= 1 - 0.5 * z * step;
		z += step;
		if (fabs(step) < 1e-14 * (1 + z))
			break;
	}
	return z;
}

double sf_normal_quantile(double p)
{
	if (!(p > 0 && p < 1))
		return p == 0 ? -INFINITY : p == 1 ? INFINITY : NAN;
	return p < 0.5 ? -upper_quantile(p) : p > 0.5 ? upper_quantile(1 - p) : 0;
}

/* Continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method. */
static double beta_fraction(double a, double b, double x)
{
	const double tiny = 1e-300;
	double c = 1, d = 1 - (a + b) * x / (a + 1), f;

	d = 1 / (fabs(d) < tiny ? tiny : d);
	f = d;
	for (int m = 1; m < 1000; m++) {
		double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		double step;

		d = 1 + even * d;
		c = 1 + even / c;
		d = 1 / (fabs(d) < tiny ? tiny : d);
		c = fabs(c) < tiny ? tiny : c;
		f *= c * d;
		d = 1 + odd * d;
		c = 1 + odd / c;
		d = 1 / (fabs(d) < tiny ? tiny : d);
		c = fabs(c) < tiny ? tiny : c;
		step = c * d;
		f *= step;
		if (fabs(step - 1) < 1e-15)
			break;
	}
	return f;
}

/* lgamma() writes the global signgam. */
double sf_stats_log_gamma(double x)
{
	int sign;

	return lgamma_r(x, &sign);
}

double sf_stats_beta(double a, double b, double x, double y)
{
	double front;

	if (x <= 0)
		return 0;
	if (y <= 0)
		return 1;
	front = exp(sf_stats_log_gamma(a + b) - sf_stats_log_gamma(a) - sf_stats_log_gamma(b) +
		    a * log(x) + b * log(y));
	if (x < (a + 1) / (a + b + 2))
		return front * beta_fraction(a, b, x) / a;
	return 1 - front * beta_fraction(b, a, y) / b;
}

double sf_t_upper(double t, double df)
{
	double x, y, tail;

	if (isnan(t) || !(df > 0))
		return NAN;
	if (isinf(df))
		return sf_normal_upper(t);
	if (isinf(t))
		return t > 0 ? 0 : 1;
	x = df / (df + t * t);
	y = t * t / (df + t * t);
	tail = 0.5 * sf_stats_beta(df / 2, 0.5, x, y);
	return t >= 0 ? tail : 1 - tail;
}

static double t_density(double t, double df)
{
	return exp(sf_stats_log_gamma((df + 1) / 2) - sf_stats_log_gamma(df / 2) -
		   (df + 1) / 2 * log1p(t * t / df)) /
	       sqrt(df * M_PI);
}

/*
 * Newton's steps for the upper quantile. A tail is close to a power of t: far out the steps are
 * taken in log t and log p, where that is a straight line.
 */
static double t_upper_quantile(double p, double df)
{
	double z = upper_quantile(p), t = z + z * (z * z + 1) / (4 * df);

	for (int i = 0; i < 100; i++) {
		double tail = sf_t_upper(t, df), density = t_density(t, df), next;

		if (p > 0.25)
			next = t + (tail - p) / density;
		else
			next = t * exp(log(tail / p) * tail / (density * t));
		if (fabs(next - t) <= 1e-13 * t || !isfinite(next))
			return next;
		t = next;
	}
	return t;
}

double sf_t_quantile(double p, double df)
{
	if (!(p > 0 && p < 1) || !(df > 0))
		return df > 0 && (p == 0 || p == 1) ? copysign(INFINITY, p - 0.5) : NAN;
	if (isinf(df))
		return sf_normal_quantile(p);
	if (p == 0.5)
		return 0;
	return p > 0.5 ? t_upper_quantile(1 - p, df) : -t_upper_quantile(p, df);
}
