/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How often the statistics are right, on synthetic windows with a known truth: the tables of
 * docs/statistics.md. Every line names its seed; a line that breaks its limit is marked, and the
 * exit status is then 1. With the argument "table" it checks the constants of
 * lib/analysis/stats_interval.c instead.
 */
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include <snapflame/array.h>

#include "stats_synth.h"

static bool failed;

static const char *verdict(bool good)
{
	failed |= !good;
	return good ? "" : "  <-- outside";
}

static const size_t sizes[][2] = { { 2, 3 }, { 3, 2 }, { 3, 3 },   { 5, 5 },
				   { 3, 7 }, { 4, 8 }, { 10, 10 }, { 20, 20 } };

/* The promise: 93 to 97 % for these sizes and these two kinds of noise; chance adds its share. */
static bool covers(enum noise noise, size_t i, double held, size_t rounds)
{
	bool promised = noise <= NOISE_LOGNORMAL && sizes[i][0] == sizes[i][1];
	double chance = 3 * sqrt(0.05 * 0.95 / (double)rounds);

	return !promised || (held >= 0.93 - chance && held <= 0.97 + chance);
}

static void coverage(size_t rounds)
{
	printf("Coverage of the 95 %% interval of the difference of medians, %zu rounds\n", rounds);
	for (double ratio = 1; ratio < 6; ratio += 4) {
		for (enum noise noise = NOISE_NORMAL; noise <= NOISE_SPIKES; noise++) {
			printf("  slow = %g x fast, %-14s", ratio, noise_name[noise]);
			for (size_t i = 0; i < SF_ARRAY_SIZE(sizes); i++) {
				double held = synth_coverage(1000 + i, noise, sizes[i][0],
							     sizes[i][1], ratio, rounds);

				printf("  %zu+%zu %.3f%s", sizes[i][0], sizes[i][1], held,
				       verdict(covers(noise, i, held, rounds)));
			}
			printf("  (seeds 1000...)\n");
		}
	}
}

static void false_causes(size_t rounds)
{
	static const size_t windows[][2] = { { 1, 4 }, { 2, 3 }, { 3, 3 }, { 5, 5 }, { 10, 10 } };
	double chance = 3 * sqrt(0.05 * 0.95 / (double)rounds);

	printf("False causes: of %zu pairs without a difference, 200 paths each, those in which\n"
	       "a path is named / and the pauses grow too, which is what a verdict needs\n",
	       rounds);
	for (enum sizes s = SIZES_EQUAL; s <= SIZES_ZIPF; s++) {
		for (enum noise noise = NOISE_NORMAL; noise < NOISE_COUNT; noise++) {
			printf("  %s sizes, %-14s", s == SIZES_ZIPF ? "Zipf " : "equal",
			       noise_name[noise]);
			for (size_t i = 0; i < SF_ARRAY_SIZE(windows); i++) {
				struct family_case c = { noise, s, 200, windows[i][0],
							 windows[i][1], 0, 1, false, 0 };
				struct family_rate r = synth_family(2000 + i, &c, rounds);
				bool plain = noise <= NOISE_LOGNORMAL;

				printf("  %zu+%zu %.3f / %.3f%s", c.n, c.m, r.any, r.gated,
				       verdict(r.gated <= 0.05 + chance &&
					       (!plain || r.any <= 0.05 + chance)));
			}
			printf("  (seeds 2000...)\n");
		}
	}
}

/* What no test of known noise can beat: one-sided at level alpha, n + m windows, 5 % noise. */
static double bound(double factor, double n, double m, double alpha)
{
	double shift = (factor - 1) / (0.05 * sqrt(1 / n + factor * factor / m));

	return sf_normal_upper(-sf_normal_quantile(alpha) - shift);
}

static void power(size_t rounds)
{
	static const double factors[] = { 1.1, 1.15, 1.2, 1.3, 1.5, 2 };
	static const size_t windows[][2] = { { 2, 3 }, { 3, 3 }, { 5, 5 }, { 10, 10 } };
	double chance = 3 * sqrt(0.9 * 0.1 / (double)rounds);

	printf("Growth of one of 200 paths, lognormal 5 %%, %zu pairs: found when asked for\n"
	       "(limit of any test) / found among all, equal sizes (limit) / largest of Zipf\n"
	       "sizes / share of the wrong\n", rounds);
	for (size_t i = 0; i < SF_ARRAY_SIZE(windows); i++) {
		for (size_t f = 0; f < SF_ARRAY_SIZE(factors); f++) {
			struct family_case c = { NOISE_LOGNORMAL, SIZES_EQUAL, 200, windows[i][0],
						 windows[i][1], 0, factors[f], false, 0 };
			struct family_rate r = synth_family(3000 + f, &c, rounds), z;
			double n = (double)c.n, m = (double)c.m;

			c.sizes = SIZES_ZIPF;
			z = synth_family(3100 + f, &c, rounds);
			printf("  %zu+%zu  x %.2f  %.3f (%.3f) / %.3f (%.3f) / %.3f / %.3f%s"
			       "  (seeds %zu, %zu)\n", c.n, c.m, c.factor, r.alone,
			       bound(c.factor, n, m, 0.05), r.found,
			       bound(c.factor, n, m, 0.05 / 200), z.found, r.share,
			       verdict(c.n != 5 || r.alone >= 0.9 - chance), 3000 + f, 3100 + f);
		}
	}
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/*
 * What no rule at all can beat, however it combines the paths: by Neyman and Pearson the best test of
 * "nothing grows" against "one of them does, any of them" is that of the likelihood ratio. Of known
 * noise, at 5 %; it does not even have to say which. shift is the growth in standard errors.
 */
static double best_of_any(uint64_t seed, size_t paths, double shift)
{
	enum { ROUNDS = 4000 };
	static double null[ROUNDS];
	double found = 0;
	struct synth s = { .seed = seed };

	for (int pass = 0; pass < 2; pass++) {
		found = 0;
		for (size_t r = 0; r < ROUNDS; r++) {
			double ratio = 0;

			for (size_t i = 0; i < paths; i++)
				ratio += exp(shift * (synth_normal(&s) + (pass && !i ? shift : 0)));
			if (!pass)
				null[r] = ratio;
			else
				found += ratio > null[ROUNDS - ROUNDS / 20];
		}
		if (!pass)
			qsort(null, ROUNDS, sizeof(*null), by_value);
	}
	return found / ROUNDS;
}

/* The least growth, in steps of 1 %, that is found in nine of ten pairs. */
static double least_found(const struct family_case *like, uint64_t seed, size_t rounds)
{
	struct family_case c = *like;

	for (c.factor = 1.1; c.factor < 2; c.factor += 0.01)
		if (synth_family(seed, &c, rounds).found >= 0.9)
			break;
	return c.factor;
}

/* What no test can beat that does not know the noise, where there is one path alone: that of t. */
static double best_alone(uint64_t seed, size_t n, double factor)
{
	enum { ROUNDS = 100000 };
	double critical = sf_t_quantile(0.95, (double)(2 * n - 2)), found = 0;
	struct synth s = { .seed = seed };

	for (size_t r = 0; r < ROUNDS; r++) {
		double mean[2] = { 0 }, squares[2] = { 0 };

		/* In logarithms the noise of both sides is the same, and the pooled test is the best. */
		for (int side = 0; side < 2; side++)
			for (size_t k = 0; k < n; k++) {
				double v = 0.05 * synth_normal(&s) + (side ? log(factor) : 0);

				mean[side] += v / (double)n;
				squares[side] += v * v;
			}
		for (int side = 0; side < 2; side++)
			squares[side] -= (double)n * mean[side] * mean[side];
		found += mean[1] - mean[0] > critical * sqrt((squares[0] + squares[1]) /
							      (double)(2 * n - 2) * 2 / (double)n);
	}
	return found / ROUNDS;
}

static void how_many(size_t rounds)
{
	static const size_t paths[] = { 1, 2, 3, 5, 10, 20, 50, 200 };
	double shift = 0.1 / (0.05 * sqrt(1. / 5 + 1.21 / 5));
	double chance = 3 * sqrt(0.9 * 0.1 / (double)rounds);

	printf("Growth of 10 %% in 5+5 windows, 5 %% noise, one of so many paths of equal size:\n"
	       "found when asked for / found / limit of known noise, one path at a time / limit of any\n"
	       "rule / found if half of the noise is the window's / growth that is found in 90 %%; and if\n"
	       "nothing grows: said to grow when asked for / named\n");
	printf("  limit of unknown noise for one path alone: %.3f  (seed 3299)\n",
	       best_alone(3299, 5, 1.1));
	for (size_t i = 0; i < SF_ARRAY_SIZE(paths); i++) {
		struct family_case c = { NOISE_LOGNORMAL, SIZES_EQUAL, paths[i], 5, 5, 0, 1.1,
					 false, 0 };
		struct family_case shared = c;
		struct family_case none = c;
		struct family_rate r = synth_family(3200 + i, &c, rounds), f;

		none.factor = 1;
		f = synth_family(3250 + i, &none, rounds);
		shared.noise = NOISE_SHARED;
		printf("  %3zu  %.3f / %.3f / %.3f / %.3f / %.3f / %.0f %%; "
		       "%.3f / %.3f%s  (seeds %zu...)\n", c.paths, r.alone, r.found, bound(1.1, 5, 5, 0.05 / (double)c.paths),
		       best_of_any(3300 + i, c.paths, shift),
		       synth_family(3400 + i, &shared, rounds).found,
		       100 * (least_found(&c, 3500 + i, rounds / 2 + 1) - 1),
		       f.alone, f.any, verdict((c.paths < 3 || r.alone >= 0.9 - chance) &&
					       f.alone <= 0.05 + chance && f.any <= 0.05 + chance),
		       3200 + i);
	}
}

/* The level at which known noise would test the first path, by the weights of sf_paths_diff(). */
static double level_of(const struct family_case *c)
{
	double first = c->share * c->share, rest = 1 - c->share, n = (double)c->paths;

	return 0.05 * (0.1 / n + 0.9 * first / (first + rest * rest / (n - 1)));
}

/* Who has most of the pause is asked first. */
static void how_large(size_t rounds)
{
	static const double shares[] = { 0.1, 0.2, 0.3, 0.5, 0.8 };
	static const size_t paths[] = { 5, 20, 200 };
	double chance = 3 * sqrt(0.9 * 0.1 / (double)rounds);

	printf("Growth of 10 %% in 5+5 windows, 5 %% noise, of a path with this share of the pause, the\n"
	       "others having the rest alike: found (limit of known noise with these weights); if nothing\n"
	       "grows: the path said to grow when asked for / any named\n");
	for (size_t i = 0; i < SF_ARRAY_SIZE(shares); i++) {
		struct family_case c = { NOISE_LOGNORMAL, SIZES_SHARE, 0, 5, 5, 0, 1.1, false,
					 shares[i] };

		printf("  %2.0f %%", 100 * shares[i]);
		for (size_t k = 0; k < SF_ARRAY_SIZE(paths); k++) {
			struct family_case none;
			struct family_rate f;
			double found, limit;

			c.paths = paths[k];
			none = c;
			none.factor = 1;
			f = synth_family(3650 + i, &none, rounds);
			found = synth_family(3600 + i, &c, rounds).found;
			limit = bound(1.1, 5, 5, level_of(&c));
			printf("  %zu: %.3f (%.3f); %.3f / %.3f%s", c.paths, found, limit, f.alone, f.any,
			       verdict((c.share < 0.2 || found >= limit - 0.07 - chance) &&
				       f.alone <= 0.05 + chance && f.any <= 0.05 + chance));
		}
		printf("  (seed %zu)\n", 3600 + i);
	}
}

static void series(size_t rounds)
{
	static const size_t length[] = { 3, 4, 5, 6, 8, 10, 20, 50, 200 };
	double chance = 3 * sqrt(0.05 * 0.95 / (double)rounds);

	printf("Series of pauses, %zu each: pure noise said to grow\n", rounds);
	for (enum noise noise = NOISE_NORMAL; noise <= NOISE_SPIKES; noise++) {
		printf("  %-14s", noise_name[noise]);
		for (size_t i = 0; i < SF_ARRAY_SIZE(length); i++) {
			struct series_case c = { TRUTH_NONE, noise, length[i], 0 };
			double grows = synth_series(4000 + i, &c, rounds).grows;

			printf("  %zu: %.3f%s", c.n, grows,
			       verdict(noise > NOISE_LOGNORMAL || grows <= 0.05 + chance));
		}
		printf("  (seeds 4000...)\n");
	}
	printf("Steps: said to grow / change within one window, of those / of all / called a "
	       "step\n");
	for (double sigmas = 3; sigmas < 21; sigmas = sigmas < 10 ? sigmas + 2 : sigmas + 9) {
		printf("  %2g sigma", sigmas);
		for (size_t i = 1; i < SF_ARRAY_SIZE(length); i++) {
			struct series_case c = { TRUTH_STEP, NOISE_NORMAL, length[i], sigmas };
			struct series_rate r = synth_series(5000 + i, &c, rounds);

			printf("  %zu: %.3f %.3f %.3f %.3f%s", c.n, r.grows, r.near_found, r.near,
			       r.step, verdict(r.near_found >= 0.95 - chance));
		}
		printf("  (seeds 5000...)\n");
	}
	printf("Lines: said to grow / called a step\n");
	for (double factor = 1.5; factor < 30; factor *= 2) {
		printf("  x %-4g", factor);
		for (size_t i = 0; i < SF_ARRAY_SIZE(length); i++) {
			struct series_case c = { TRUTH_LINE, NOISE_LOGNORMAL, length[i], factor };
			struct series_rate r = synth_series(6000 + i, &c, rounds);

			printf("  %zu: %.3f %.3f%s", c.n, r.grows, r.step,
			       verdict(factor < 2 || r.step <= 0.05));
		}
		printf("  (seeds 6000...)\n");
	}
}

static void speed(void)
{
	size_t paths = 20000, windows = 100;
	double *v = calloc(paths * windows, sizeof(*v)), seconds;
	struct sf_path_diff *out = calloc(paths, sizeof(*out));
	struct synth s = { .seed = 9 };
	clock_t begin;

	if (!v || !out)
		abort();
	for (size_t i = 0; i < paths * windows; i++)
		v[i] = synth_uniform(&s);
	begin = clock();
	if (sf_paths_diff(v, paths, 50, 50, NULL, out, NULL))
		abort();
	seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
	printf("Speed: %zu paths x %zu windows in %.2f s of CPU%s  (seed 9)\n", paths, windows,
	       seconds, verdict(seconds < 2));
	free(v);
	free(out);
}

/*
 * The constants c and df of n windows: in normal samples the squared standard error of the median
 * has to be its variance on average, and as unsteady as a chi-square of df degrees of freedom. By
 * Basu's theorem Var(median) = Var(median - mean) + 1/n, which sharpens the figure.
 */
static void constants(size_t n, size_t rounds)
{
	struct synth s = { .seed = 7000 + n };
	double sum = 0, squares = 0, true_variance = 0, used = 0;

	for (size_t r = 0; r < rounds; r++) {
		double v[32], mean = 0;
		struct sf_interval i;

		for (size_t k = 0; k < n; k++) {
			v[k] = synth_normal(&s);
			mean += v[k] / (double)n;
		}
		if (sf_median_interval(v, n, &i))
			abort();
		sum += i.se * i.se;
		squares += i.se * i.se * i.se * i.se;
		true_variance += (i.delta - mean) * (i.delta - mean);
		used = i.df;
	}
	sum /= (double)rounds;
	squares /= (double)rounds;
	true_variance = true_variance / (double)rounds + 1 / (double)n;
	printf("%2zu  c should change by %+.2f %%, df %.3f (used %.3f)  (seed %zu)\n", n,
	       100 * (true_variance / sum - 1), 2 * sum * sum / (squares - sum * sum), used,
	       7000 + n);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0); /* it takes minutes: each line when it is known */
	size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;

	if (argc > 1 && !strcmp(argv[1], "table")) {
		for (size_t n = 2; n <= 30; n++)
			constants(n, 200000);
		return 0;
	}
	if (!rounds)
		rounds = 1;
	coverage(10 * rounds);
	false_causes(rounds);
	power(rounds);
	how_many(rounds);
	how_large(rounds);
	series(rounds);
	speed();
	return failed;
}
