/* SPDX-License-Identifier: GPL-2.0-only */
#include <snapflame/sweepdiff.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/str.h>

#include "analysis/split.h"

static const double least_ms = 1, least_pct = 10; /* as diff.h has them: growth worth a word */

struct build {
	struct sf_sweepdiff *d;
	const struct sf_sweepdiff_input *in;
	double *x, *v, *w; /* room for a value of each row */
};

/* ------------------------------------------------------------------------------- rows */

static int by_number(const void *a, const void *b)
{
	const struct sf_sweepdiff_row *x = a, *y = b;

	if (x->pause.trial != y->pause.trial)
		return x->pause.trial < y->pause.trial ? -1 : 1;
	return (x->pause.branch > y->pause.branch) - (x->pause.branch < y->pause.branch);
}

static int add_table(struct sf_sweepdiff *d, const struct sf_sweepdiff_table *t, int side)
{
	const char *file = sf_arena_strndup(&d->arena, t->path, strlen(t->path));
	struct sf_sweepdiff_row *first = d->row + d->nr_rows;

	for (size_t i = 0; i < t->sweep->nr; i++)
		first[i] = (struct sf_sweepdiff_row){ file, t->sweep->row[i], side };
	d->nr_rows += t->sweep->nr;
	qsort(first, t->sweep->nr, sizeof(*first), by_number); /* of equals any is the first */
	return file ? 0 : -ENOMEM;
}

static int add_tables(struct build *b, struct sf_error *err)
{
	const struct sf_sweepdiff_input *in = b->in;
	size_t nr = 0;
	int ret = 0;

	for (int s = 0; s < SF_NR_SIDES; s++)
		for (size_t i = 0; i < in->nr[s]; i++) {
			const struct sf_sweepdiff_table *t = &in->table[s][i];

			if (!t->sweep->nr)
				return sf_error_at(err, -EINVAL, t->path, 0,
						   "no BRANCH is left of this table");
			nr += t->sweep->nr;
		}
	b->d->row = calloc(nr + 1, sizeof(*b->d->row));
	b->x = calloc(3 * nr + 1, sizeof(*b->x));
	if (!b->d->row || !b->x)
		return sf_error_set(err, -ENOMEM, "out of memory");
	b->v = b->x + nr;
	b->w = b->v + nr;
	for (int s = 0; s < SF_NR_SIDES; s++)
		for (size_t i = 0; !ret && i < in->nr[s]; i++)
			ret = add_table(b->d, &in->table[s][i], b->d->one_table ? -1 : s);
	return ret ? sf_error_set(err, ret, "out of memory") : 0;
}

/* -------------------------------------------------------------------- one table's split */

static bool listed(uint32_t branch, const uint32_t *list, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (list[i] == branch)
			return true;
	return false;
}

static int by_value(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The different BRANCH numbers, in their order; malloc'd. */
static uint32_t *numbers(const struct sf_sweepdiff *d, size_t *nr)
{
	uint32_t *list = calloc(d->nr_rows + 1, sizeof(*list));
	size_t kept = 0;

	for (size_t i = 0; list && i < d->nr_rows; i++)
		list[i] = d->row[i].pause.branch;
	if (list)
		qsort(list, d->nr_rows, sizeof(*list), by_value);
	for (size_t i = 0; list && i < d->nr_rows; i++)
		if (!kept || list[kept - 1] != list[i])
			list[kept++] = list[i];
	*nr = kept;
	return list;
}

static void take_sides(struct sf_sweepdiff *d, const uint32_t *const list[SF_NR_SIDES],
		       const size_t nr[SF_NR_SIDES])
{
	for (size_t i = 0; i < d->nr_rows; i++)
		for (int s = 0; s < SF_NR_SIDES; s++)
			if (listed(d->row[i].pause.branch, list[s], nr[s]))
				d->row[i].side = s;
}

static int describe(struct build *b, const uint32_t *number, size_t nr, struct sf_error *err)
{
	struct sf_sweepdiff *d = b->d;
	int ret;

	if (d->nr_rows > SF_TREND_MAX)
		return sf_error_at(err, -EINVAL, d->row[0].file, 0,
				   "%zu BRANCHes in one table; a trend is sought in up to %d", d->nr_rows,
				   SF_TREND_MAX);
	for (size_t i = 0; i < d->nr_rows; i++) {
		b->x[i] = d->row[i].pause.branch;
		b->v[i] = d->row[i].pause.pause_ms;
	}
	ret = nr < 3 ? 0 : sf_growth_describe(b->x, b->v, d->nr_rows, NULL, &d->growth);
	if (ret)
		return sf_error_at(err, ret, d->row[0].file, 0, "the pauses cannot be described");
	if (d->growth.branches && d->growth.series.shape == SF_SHAPE_STEP)
		d->step_at = number[d->growth.series.change];
	return 0;
}

static int find_split(struct build *b, const uint32_t *number, size_t nr, struct sf_error *err)
{
	struct sf_sweepdiff *d = b->d;
	const struct sf_series *s = &d->growth.series;
	const uint32_t *list[] = { number + s->fast.first, number + s->slow.first };
	const size_t size[] = { s->fast.n, s->slow.n };
	uint32_t end[SF_NR_SIDES][2];
	char text[256];

	if (nr < 3)
		return sf_error_at(err, -EINVAL, d->row[0].file, 0,
				   "%zu different BRANCH%s: a split is found from 3 on; compare two tables, "
				   "or give --fast and --slow", nr, nr == 1 ? "" : "es");
	d->split_found = true;
	d->series_p = s->p;
	d->trend = s->by_time && s->shape != SF_SHAPE_FLAT;
	take_sides(d, list, size);
	for (int side = 0; side < SF_NR_SIDES; side++) {
		end[side][0] = list[side][0];
		end[side][1] = list[side][size[side] - 1];
	}
	sf_split_words(text, sizeof(text), s, end);
	d->split_text = sf_arena_format(&d->arena, "%s", text);
	return d->split_text ? 0 : sf_error_set(err, -ENOMEM, "out of memory");
}

static int given_split(struct build *b, const uint32_t *number, size_t nr, struct sf_error *err)
{
	const struct sf_sweepdiff_input *in = b->in;
	struct sf_sweepdiff *d = b->d;

	for (int s = 0; s < SF_NR_SIDES; s++)
		for (size_t i = 0; i < in->nr_list[s]; i++)
			if (!listed(in->list[s][i], number, nr))
				return sf_error_at(err, -EINVAL, d->row[0].file, 0, "no BRANCH %u here",
						   in->list[s][i]);
	take_sides(d, in->list, in->nr_list);
	d->split_text = "as given";
	return 0;
}

static int split(struct build *b, struct sf_error *err)
{
	size_t nr;
	uint32_t *number = numbers(b->d, &nr);
	int ret;

	if (!number)
		return sf_error_set(err, -ENOMEM, "out of memory");
	ret = describe(b, number, nr, err);
	if (!ret && b->in->nr_list[SF_FAST])
		ret = given_split(b, number, nr, err);
	else if (!ret)
		ret = find_split(b, number, nr, err);
	free(number);
	return ret;
}

/* ------------------------------------------------------------------------------ figures */

enum column { PAUSE, DIFF, BYTES };

static double value(const struct sf_sweepdiff_row *r, enum column c)
{
	return c == PAUSE ? r->pause.pause_ms : c == DIFF ? r->pause.diff_ms : r->pause.bytes;
}

/* The known values of a column in nr rows. */
static size_t collect(const struct sf_sweepdiff_row *row, size_t nr, int side, enum column c,
		      double *v)
{
	size_t n = 0;

	for (size_t i = 0; i < nr; i++)
		if (row[i].side == side && !isnan(value(&row[i], c)))
			v[n++] = value(&row[i], c);
	return n;
}

/* The slope's interval times how far apart the ends of the trend are. */
static void trend_interval(struct sf_sweepdiff *d)
{
	const struct sf_trend *t = &d->growth.trend;
	double sum[SF_NR_SIDES] = { 0 }, apart;

	for (size_t i = 0; i < d->nr_rows; i++)
		if (d->row[i].side >= 0)
			sum[d->row[i].side] += d->row[i].pause.branch;
	apart = sum[SF_SLOW] / (double)d->nr[SF_SLOW] - sum[SF_FAST] / (double)d->nr[SF_FAST];
	d->delta.lo = t->lo * apart;
	d->delta.hi = t->hi * apart;
	d->delta.has_interval = isfinite(t->lo) && isfinite(t->hi);
}

static void measure(struct build *b)
{
	struct sf_sweepdiff *d = b->d;
	struct sf_interval iv;
	bool flat = d->split_found && d->growth.series.shape == SF_SHAPE_FLAT;

	d->nr[SF_FAST] = collect(d->row, d->nr_rows, SF_FAST, PAUSE, b->v);
	d->nr[SF_SLOW] = collect(d->row, d->nr_rows, SF_SLOW, PAUSE, b->w);
	d->median_ms[SF_FAST] = sf_median(b->v, d->nr[SF_FAST]);
	d->median_ms[SF_SLOW] = sf_median(b->w, d->nr[SF_SLOW]);
	d->delta.value = d->median_ms[SF_SLOW] - d->median_ms[SF_FAST];
	if (d->trend) {
		trend_interval(d);
	} else if (!sf_diff_interval(b->v, d->nr[SF_FAST], b->w, d->nr[SF_SLOW], &iv) && iv.known) {
		d->delta.lo = iv.lo;
		d->delta.hi = iv.hi;
		d->delta.has_interval = true;
	}
	d->grows = !flat && d->delta.value >= least_ms &&
		   d->delta.value >= least_pct / 100 * d->median_ms[SF_FAST] &&
		   (d->split_found || !d->delta.has_interval || d->delta.lo > 0);
}

static bool same_trial(const struct sf_sweepdiff_row *a, const struct sf_sweepdiff_row *b)
{
	return a->file == b->file && a->pause.trial == b->pause.trial;
}

static int add_trials(struct build *b)
{
	struct sf_sweepdiff *d = b->d;

	d->trial = calloc(d->nr_rows + 1, sizeof(*d->trial));
	if (!d->trial)
		return -ENOMEM;
	for (size_t i = 0, n; i < d->nr_rows; i += n) {
		const struct sf_sweepdiff_row *r = &d->row[i];
		struct sf_sweepdiff_trial *t = &d->trial[d->nr_trials++];

		for (n = 1; i + n < d->nr_rows && same_trial(r, &r[n]); n++)
			;
		t->file = r->file;
		t->trial = r->pause.trial;
		for (int s = 0; s < SF_NR_SIDES; s++) {
			size_t known = collect(r, n, s, PAUSE, b->v);

			t->median_ms[s] = known ? sf_median(b->v, known) : NAN;
		}
	}
	return 0;
}

static void ends(const double *v, size_t n, double *lo, double *hi)
{
	*lo = INFINITY;
	*hi = -INFINITY;
	for (size_t i = 0; i < n; i++) {
		*lo = fmin(*lo, v[i]);
		*hi = fmax(*hi, v[i]);
	}
}

/* A column that is known on both sides. */
static int add_moved(struct build *b, enum column c, const char *name)
{
	struct sf_sweepdiff *d = b->d;
	double lo[SF_NR_SIDES], hi[SF_NR_SIDES], median[SF_NR_SIDES];
	struct sf_corr corr = { .p = 1, .p_min = 1 };
	size_t n = 0;

	for (int s = 0; s < SF_NR_SIDES; s++) {
		size_t nr = collect(d->row, d->nr_rows, s, c, b->v);

		if (!nr)
			return 0;
		median[s] = sf_median(b->v, nr);
		ends(b->v, nr, &lo[s], &hi[s]);
	}
	for (size_t i = 0; i < d->nr_rows; i++) {
		const struct sf_sweepdiff_row *r = &d->row[i];

		if (r->side < 0 || isnan(value(r, c)))
			continue;
		b->v[n] = r->pause.pause_ms;
		b->w[n++] = value(r, c);
	}
	if (sf_rank_corr(b->v, b->w, n, &corr) == -ENOMEM)
		return -ENOMEM;
	if (c == DIFF && d->grows)
		d->inside_pct = 100 * (median[SF_SLOW] - median[SF_FAST]) / d->delta.value;
	d->moved[d->nr_moved++] = (struct sf_moved){
		.name = name, .fast = median[SF_FAST], .slow = median[SF_SLOW], .during = true,
		.score = corr.rho, .p = corr.p, .p_min = corr.p_min,
		.separates = lo[SF_SLOW] > hi[SF_FAST] ? 1 : hi[SF_SLOW] < lo[SF_FAST] ? -1 : 0,
	};
	return 0;
}

/* -------------------------------------------------------------------------------- words */

static void put_interval(struct sf_str *s, const struct sf_estimate *e)
{
	if (e->has_interval)
		sf_str_addf(s, " (95 %% interval %+.1f to %+.1f ms)", e->lo, e->hi);
	else
		sf_str_add(s, " (no interval)");
}

/* How it came, where one table says so. */
static void put_course(struct sf_str *s, const struct sf_sweepdiff *d)
{
	if (!d->growth.branches || d->growth.series.shape == SF_SHAPE_FLAT)
		return;
	if (d->step_at)
		sf_str_addf(s, ", in a step at BRANCH %u", d->step_at);
	else
		sf_str_addf(s, ", %s over the BRANCHes", sf_shape_name(d->growth.series.shape));
}

static void put_inside(struct sf_str *s, const struct sf_sweepdiff *d)
{
	if (isnan(d->inside_pct))
		return;
	sf_str_addf(s, " diff_ms, the time of the snapshot itself, grew from %.1f to %.1f ms: %.0f %% of "
		       "the growth.", d->moved[0].fast, d->moved[0].slow, d->inside_pct);
}

static const char *sentence(struct sf_sweepdiff *d)
{
	struct sf_str s = SF_STR_INIT;
	const char *text;

	if (d->grows) {
		sf_str_addf(&s, "The pauses grew from %.1f to %.1f ms, by %.1f ms", d->median_ms[SF_FAST],
			    d->median_ms[SF_SLOW], d->delta.value);
		put_interval(&s, &d->delta);
		put_course(&s, d);
		sf_str_addch(&s, '.');
		put_inside(&s, d);
	} else if (d->delta.has_interval && d->delta.hi < 0 && !d->split_found) {
		sf_str_addf(&s, "The pauses fell from %.1f to %.1f ms", d->median_ms[SF_FAST],
			    d->median_ms[SF_SLOW]);
		put_interval(&s, &d->delta);
		sf_str_add(&s, ": are fast and slow the other way round?");
	} else {
		sf_str_addf(&s, "The pauses did not grow beyond their noise: %.1f ms and %.1f ms",
			    d->median_ms[SF_FAST], d->median_ms[SF_SLOW]);
		if (d->split_found)
			sf_str_addf(&s, ", neither a step nor a trend over %zu BRANCHes",
				    d->growth.branches);
		else
			put_interval(&s, &d->delta);
		sf_str_addch(&s, '.');
	}
	text = sf_str_failed(&s) ? NULL : sf_arena_format(&d->arena, "%s", s.buf);
	sf_str_release(&s);
	return text;
}

static const char *method(struct sf_sweepdiff *d)
{
	return sf_arena_format(&d->arena,
			       "difference of the medians of %zu + %zu BRANCHes; %s%s",
			       d->nr[SF_FAST], d->nr[SF_SLOW],
			       d->trend ? "the sides are the ends of a trend: 95 % interval by the Theil-Sen slope"
			       : d->delta.has_interval ? "95 % interval: bootstrap of the medians, studentised"
					    : "n = 1: no interval",
			       d->one_table && d->nr_trials > 1
			    ? "; step and trend: of each BRANCH number's median over the trials" : "");
}

/* ----------------------------------------------------------------------------- together */

static int finish(struct build *b)
{
	struct sf_sweepdiff *d = b->d;
	int ret;

	measure(b);
	ret = add_trials(b);
	if (!ret)
		ret = add_moved(b, DIFF, "diff_ms");
	if (!ret)
		ret = add_moved(b, BYTES, "diff_physical_bytes");
	if (ret)
		return ret;
	d->why = "a table of pauses has no stacks: it tells which BRANCHes are slow, not why; record them "
		 "with snapflame record";
	d->sentence = sentence(d);
	d->method = method(d);
	return d->sentence && d->method ? 0 : -ENOMEM;
}

int sf_sweepdiff_make(struct sf_sweepdiff **out, const struct sf_sweepdiff_input *in,
		      struct sf_error *err)
{
	struct sf_sweepdiff *d = calloc(1, sizeof(*d));
	struct build b = { .d = d, .in = in };
	int ret;

	*out = NULL;
	if (!d)
		return sf_error_set(err, -ENOMEM, "out of memory");
	d->one_table = !in->nr[SF_SLOW];
	d->series_p = d->inside_pct = NAN;
	ret = add_tables(&b, err);
	if (!ret && d->one_table)
		ret = split(&b, err);
	if (!ret && finish(&b))
		ret = sf_error_set(err, -ENOMEM, "out of memory");
	free(b.x);
	if (ret)
		sf_sweepdiff_free(d);
	else
		*out = d;
	return ret;
}

void sf_sweepdiff_free(struct sf_sweepdiff *d)
{
	if (!d)
		return;
	free(d->row);
	free(d->trial);
	sf_arena_release(&d->arena);
	free(d);
}
