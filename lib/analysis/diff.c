/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/diff_internal.h"

static const double default_min_ms = 1, default_min_pct = 10;

struct diff_rec *sf_diff_rec(struct diff_build *b, const struct sf_recording *rec)
{
	for (size_t i = 0; i < b->nr_recs; i++)
		if (b->rec[i].rec == rec)
			return &b->rec[i];
	return NULL;
}

static int add_rec(struct diff_build *b, const struct sf_recording *rec)
{
	struct diff_rec *r;

	if (sf_diff_rec(b, rec))
		return 0;
	r = realloc(b->rec, (b->nr_recs + 1) * sizeof(*r));
	if (!r)
		return -ENOMEM;
	b->rec = r;
	r = &b->rec[b->nr_recs];
	memset(r, 0, sizeof(*r));
	r->rec = rec;
	if (sf_mechanisms_init(&r->mech, rec) || sf_namer_init(&r->namer, &b->d->profile, rec)) {
		sf_mechanisms_release(&r->mech);
		return -ENOMEM;
	}
	r->namer.functions = true;
	b->nr_recs++;
	return 0;
}

/* The pause: the dark window where it is known, else what the BRANCH said, else the API window. */
static double pause_of(const struct sf_window *w)
{
	return (double)(w->hi - w->lo) / 1e6;
}

static int walk_window(struct diff_build *b, const struct sf_window_ref *ref)
{
	const struct sf_window *w = ref->window;
	struct diff_rec *r = sf_diff_rec(b, ref->rec);
	struct sf_critpath cp = { 0 };
	struct sf_timelines ts;
	int ret = sf_timelines_init(&ts, ref->rec, w, w->lo, w->hi);

	if (!ret && w->root != SF_NO_THREAD)
		ret = sf_critpath_walk(&cp, &ts, &r->mech, w->root);
	if (!ret)
		ret = sf_profile_add(&b->d->profile, &r->namer, &cp);
	if (!ret)
		ret = sf_coverage_window(b, ref, &cp);
	if (!ret && b->d->growth)
		ret = sf_profile_add(&b->d->growth->profile, &b->growth_namer, &cp);
	if (!ret && b->d->growth)
		ret = sf_growths_add(b->d->growth, w);
	sf_critpath_release(&cp);
	sf_timelines_release(&ts);
	return ret;
}

static int take_windows(struct diff_build *b, const struct sf_diff_input *in)
{
	struct sf_diff *d = b->d;
	size_t n = 0;

	d->ref = calloc(in->nr[SF_FAST] + in->nr[SF_SLOW], sizeof(*d->ref));
	d->pause_ms = calloc(in->nr[SF_FAST] + in->nr[SF_SLOW], sizeof(*d->pause_ms));
	if (!d->ref || !d->pause_ms)
		return -ENOMEM;
	for (int s = 0; s < SF_NR_SIDES; s++) {
		d->nr[s] = in->nr[s];
		b->side = s;
		for (size_t i = 0; i < in->nr[s]; i++, n++) {
			int ret = add_rec(b, in->ref[s][i].rec);

			d->ref[n] = in->ref[s][i];
			d->pause_ms[n] = pause_of(d->ref[n].window);
			if (!ret)
				ret = walk_window(b, &d->ref[n]);
			if (ret)
				return ret;
		}
	}
	return 0;
}

/* ------------------------------------------------------------------- growth over BRANCHes */

static uint32_t first_branch(const struct sf_diff_input *in)
{
	uint32_t first = UINT32_MAX;

	for (int s = 0; s < SF_NR_SIDES; s++)
		for (size_t i = 0; i < in->nr[s]; i++)
			first = in->ref[s][i].window->branch < first ? in->ref[s][i].window->branch : first;
	return first;
}

/* The recording that all windows are of, if it has enough of them; NULL. */
static const struct sf_recording *series_of(const struct sf_diff_input *in)
{
	const struct sf_recording *rec = in->ref[SF_FAST][0].rec;
	uint32_t first = first_branch(in);
	size_t n = 0;

	for (int s = 0; s < SF_NR_SIDES; s++)
		for (size_t i = 0; i < in->nr[s]; i++)
			if (in->ref[s][i].rec != rec)
				return NULL;
	for (size_t i = 0; i < rec->nr_windows; i++)
		n += rec->window[i].branch >= first;
	return n >= SF_GROWTH_MIN ? rec : NULL;
}

static int begin_growth(struct diff_build *b, const struct sf_diff_input *in)
{
	const struct sf_recording *rec = series_of(in);

	if (!rec)
		return 0;
	b->d->growth = sf_growths_new();
	if (!b->d->growth || sf_namer_init(&b->growth_namer, &b->d->growth->profile, rec))
		return -ENOMEM;
	b->growth_namer.functions = true;
	return 0;
}

static bool compared(const struct sf_diff *d, const struct sf_window *w)
{
	for (size_t i = 0; i < d->nr[SF_FAST] + d->nr[SF_SLOW]; i++)
		if (d->ref[i].window == w)
			return true;
	return false;
}

/* The BRANCHes on neither side belong to the series, too. */
static int finish_growth(struct diff_build *b, const struct sf_diff_input *in)
{
	struct sf_growths *g = b->d->growth;
	const struct sf_recording *rec = b->d->ref[0].rec;
	struct diff_rec *r = sf_diff_rec(b, rec);
	int ret = 0;

	for (size_t i = 0; g && !ret && i < rec->nr_windows; i++) {
		const struct sf_window *w = &rec->window[i];

		if (w->branch < first_branch(in) || compared(b->d, w))
			continue;
		ret = sf_profile_add_window(&g->profile, &b->growth_namer, &r->mech, w);
		if (!ret)
			ret = sf_growths_add(g, w);
	}
	if (g && !ret)
		ret = sf_profile_finish(&g->profile);
	if (g && !ret)
		ret = sf_growths_finish(g, rec);
	return ret;
}

int sf_trend_growth(const struct sf_diff *d, const double *v, struct sf_estimate *out, double *p)
{
	size_t n = d->nr[SF_FAST] + d->nr[SF_SLOW];
	double mx = 0, my = 0, sxx = 0, sxy = 0, syy = 0, slope, se, q, apart[SF_NR_SIDES] = { 0 };

	if (n < 3)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		int side = i < d->nr[SF_FAST] ? SF_FAST : SF_SLOW;

		mx += d->ref[i].window->branch / (double)n;
		my += v[i] / (double)n;
		apart[side] += d->ref[i].window->branch / (double)d->nr[side];
	}
	for (size_t i = 0; i < n; i++) {
		double x = d->ref[i].window->branch - mx, y = v[i] - my;

		sxx += x * x;
		sxy += x * y;
		syy += y * y;
	}
	if (!(sxx > 0))
		return -EINVAL;
	slope = sxy / sxx;
	se = sqrt(fmax(0, syy - slope * sxy) / (double)(n - 2) / sxx);
	q = sf_t_quantile(0.975, (double)n - 2);
	out->lo = (slope - q * se) * (apart[SF_SLOW] - apart[SF_FAST]);
	out->hi = (slope + q * se) * (apart[SF_SLOW] - apart[SF_FAST]);
	out->has_interval = true;
	*p = se > 0 ? sf_t_upper(slope / se, (double)n - 2) : slope > 0 ? 0 : 1;
	return 0;
}

/* The windows that make the median of each side, and the difference. */
static int medians(struct diff_build *b)
{
	struct sf_diff *d = b->d;
	struct sf_interval iv;
	int ret;

	for (int s = 0; s < SF_NR_SIDES; s++) {
		size_t base = s == SF_FAST ? 0 : d->nr[SF_FAST], at[2] = { 0, 0 };
		size_t n = sf_median_windows(d->pause_ms + base, d->nr[s], at);

		d->median_column[s][0] = base + at[0];
		d->median_column[s][1] = base + at[n == 2];
		d->median_ms[s] = sf_median(d->pause_ms + base, d->nr[s]);
		if (isnan(d->median_ms[s]))
			return -ENOMEM;
	}
	d->delta.value = d->median_ms[SF_SLOW] - d->median_ms[SF_FAST];
	/* The spread inside a side of a trend is the trend itself: the noise is what is off its line. */
	if (d->trend) {
		double p;

		ret = sf_trend_growth(d, d->pause_ms, &d->delta, &p);
		return ret == -ENOMEM ? ret : 0;
	}
	ret = sf_diff_interval(d->pause_ms, d->nr[SF_FAST], d->pause_ms + d->nr[SF_FAST],
			       d->nr[SF_SLOW], &iv);
	if (ret || !iv.known)
		return ret == -ENOMEM ? ret : 0;
	d->delta.lo = iv.lo;
	d->delta.hi = iv.hi;
	d->delta.has_interval = true;
	return 0;
}

/* Every number that is printed comes with how it was found, and of how many windows. */
static const char *method(struct sf_diff *d)
{
	size_t n = d->nr[SF_FAST], m = d->nr[SF_SLOW], causes = 0;
	struct sf_str s = SF_STR_INIT;
	const char *text;

	for (size_t i = 0; i < d->nr_causes; i++)
		causes += !isnan(d->cause[i].q);
	sf_str_addf(&s, "difference of the medians of %zu + %zu windows", n, m);
	if (d->trend)
		sf_str_addf(&s, "; the sides are the ends of a trend: 95 %% intervals by the regression "
				"over the BRANCH numbers, n = %zu", n + m);
	else if (d->delta.has_interval)
		sf_str_add(&s, "; 95 % intervals: bootstrap of the medians, studentised");
	else
		sf_str_add(&s, "; n = 1: no interval");
	if (causes)
		sf_str_addf(&s, "; false discoveries among %zu causes held to 5 %% (Benjamini-Hochberg)",
			    causes);
	if (d->growth)
		sf_str_addf(&s, "; growth over %zu BRANCHes: Theil-Sen slopes, Mann-Kendall",
			    d->growth->nr);
	text = sf_str_failed(&s) ? NULL : sf_diff_keep(d, "%s", s.buf);
	sf_str_release(&s);
	return text;
}

static void build_release(struct diff_build *b)
{
	sf_namer_release(&b->growth_namer);
	for (size_t i = 0; i < b->nr_recs; i++) {
		sf_namer_release(&b->rec[i].namer);
		sf_mechanisms_release(&b->rec[i].mech);
	}
	free(b->rec);
}

static int make(struct diff_build *b, const struct sf_diff_input *in)
{
	int ret = begin_growth(b, in);

	if (!ret)
		ret = take_windows(b, in);
	if (!ret)
		ret = sf_profile_finish(&b->d->profile);
	if (!ret)
		ret = finish_growth(b, in);
	if (ret)
		return ret;
	ret = medians(b);
	if (!ret)
		ret = sf_coverage_finish(b);
	if (!ret)
		ret = sf_rank_causes(b);
	if (!ret)
		ret = sf_check_stolen(b);
	if (!ret)
		ret = sf_list_passive(b);
	if (!ret)
		ret = sf_list_moved(b);
	if (!ret)
		ret = sf_list_dirtiers(b);
	if (!ret)
		ret = sf_find_verdict(b);
	if (!ret) {
		b->d->method = method(b->d);
		ret = b->d->method ? 0 : -ENOMEM;
	}
	return ret;
}

int sf_diff_make(struct sf_diff **out, const struct sf_diff_input *in, const struct sf_diff_opts *opts,
		 struct sf_error *err)
{
	struct diff_build b = { .least_attributed = 100, .no_growth = in->no_growth,
				.split_found = in->split_found };
	int ret;

	*out = NULL;
	for (int s = 0; s < SF_NR_SIDES; s++)
		if (!in->nr[s])
			return sf_error_set(err, -EINVAL, "no window on the %s side: nothing to compare",
					    s == SF_FAST ? "fast" : "slow");
	b.d = calloc(1, sizeof(*b.d));
	if (!b.d)
		return sf_error_set(err, -ENOMEM, "out of memory");
	b.min_ms = opts && opts->min_growth_ms > 0 ? opts->min_growth_ms : default_min_ms;
	b.min_pct = opts && opts->min_growth_pct > 0 ? opts->min_growth_pct : default_min_pct;
	b.d->trend = in->trend;
	b.d->series_p = in->split_found ? in->series_p : NAN;
	if (in->split_text)
		b.d->split_text = sf_diff_keep(b.d, "%s", in->split_text);
	ret = in->split_text && !b.d->split_text ? -ENOMEM : make(&b, in);
	for (size_t i = 0; !ret && i < b.d->nr[SF_FAST] + b.d->nr[SF_SLOW]; i++)
		ret = sf_symbols_no_memory(b.d->ref[i].rec->symbols) ? -ENOMEM : 0;
	build_release(&b);
	if (ret) {
		sf_diff_free(b.d);
		return sf_error_set(err, ret, "out of memory");
	}
	*out = b.d;
	return 0;
}

void sf_diff_free(struct sf_diff *d)
{
	if (!d)
		return;
	sf_profile_release(&d->profile);
	free(d->ref);
	free(d->pause_ms);
	free(d->cause);
	free(d->passive);
	free(d->moved);
	free(d->shift);
	sf_growths_free(d->growth);
	free(d->dirtier);
	free(d->coverage.problem);
	free(d->coverage.note);
	sf_arena_release(&d->arena);
	free(d);
}
