/* SPDX-License-Identifier: GPL-2.0-only */
#include <snapflame/growth.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double worth = 0.01;  /* of the longest pause: a path that is larger somewhere is listed */
static const double same = 0.98;   /* of a path's time in one below it: that one says it all */
static const double alpha = 0.05;

/* ------------------------------------------------------------------------ windows */

struct sf_growths *sf_growths_new(void)
{
	return calloc(1, sizeof(struct sf_growths));
}

void sf_growths_free(struct sf_growths *g)
{
	if (!g)
		return;
	sf_profile_release(&g->profile);
	sf_arena_release(&g->arena);
	free(g->window);
	free(g->column);
	free(g->line);
	free(g);
}

/* Kept in the order of their BRANCH numbers; column says where the profile has them. */
int sf_growths_add(struct sf_growths *g, const struct sf_window *w)
{
	size_t at = g->nr, columns = g->window_alloc; /* both arrays grow alike */

	if (SF_GROW(g->column, g->nr + 1, columns) ||
	    SF_GROW(g->window, g->nr + 1, g->window_alloc))
		return -ENOMEM;
	for (; at && g->window[at - 1]->branch > w->branch; at--) {
		g->window[at] = g->window[at - 1];
		g->column[at] = g->column[at - 1];
	}
	g->window[at] = w;
	g->column[at] = g->nr++;
	return 0;
}

/* ------------------------------------------------------------------------ a line */

static struct sf_growth_line *new_line(struct sf_growths *g, enum sf_growth_of of)
{
	struct sf_growth_line *l;

	if (SF_GROW(g->line, g->nr_lines + 1, g->line_alloc))
		return NULL;
	l = &g->line[g->nr_lines];
	*l = (struct sf_growth_line){ .of = of, .p = NAN, .q = NAN };
	l->v = sf_arena_alloc(&g->arena, (g->nr ? g->nr : 1) * sizeof(*l->v));
	if (!l->v)
		return NULL;
	g->nr_lines++;
	return l;
}

static double median_of(const double *v, size_t n)
{
	double *known = calloc(n ? n : 1, sizeof(*known)), median;
	size_t nr = 0;

	for (size_t i = 0; known && i < n; i++)
		if (isfinite(v[i]))
			known[nr++] = v[i];
	median = nr ? sf_median(known, nr) : NAN;
	free(known);
	return median;
}

/* What was not read (NAN) does not count. */
static bool constant(const double *v, size_t n)
{
	size_t first = 0;

	while (first < n && isnan(v[first]))
		first++;
	for (size_t i = first; i < n; i++)
		if (!isnan(v[i]) && v[i] != v[first])
			return false;
	return true;
}

/* Values that were not read are left out, with their BRANCHes. */
static int describe(const struct sf_growths *g, const double *v, struct sf_growth *out, double *p)
{
	static const struct sf_series_opts both = { .two_sided = true };
	double *x = calloc(2 * g->nr + 1, sizeof(*x)), *y;
	size_t n = 0;
	int ret;

	memset(out, 0, sizeof(*out));
	*p = NAN;
	if (!x)
		return -ENOMEM;
	y = x + g->nr;
	for (size_t i = 0; i < g->nr; i++) {
		if (!isfinite(v[i]))
			continue;
		x[n] = g->window[i]->branch;
		y[n++] = v[i];
	}
	out->trend.lo = out->trend.hi = NAN;
	ret = n < 3 || constant(y, n) ? 0 : sf_growth_describe(x, y, n, &both, out);
	if (!ret && out->branches)
		*p = out->series.p;
	free(x);
	return ret == -EINVAL ? 0 : ret; /* too few different BRANCHes: nothing is said of it */
}

static int fill(struct sf_growths *g, struct sf_growth_line *l)
{
	size_t third = (g->nr + 2) / 3;
	const double *pause = g->line[0].v;
	double *x = calloc(2 * g->nr + 1, sizeof(*x));
	size_t n = 0;
	int ret;

	if (!x)
		return -ENOMEM;
	l->first = median_of(l->v, third);
	l->last = median_of(l->v + g->nr - third, third);
	/* Paths are parts of the pause: that they go with it is no news. */
	for (size_t i = 0; l->of == SF_GROWTH_COVARIATE && i < g->nr; i++) {
		if (!isfinite(l->v[i]))
			continue;
		x[n] = pause[i];
		x[g->nr + n++] = l->v[i];
	}
	l->corr = (struct sf_corr){ .n = n, .p = 1, .p_min = 1 };
	ret = n < 2 ? 0 : sf_rank_corr(x, x + g->nr, n, &l->corr);
	free(x);
	return ret ? ret : describe(g, l->v, &l->growth, &l->p);
}

int sf_growths_describe(const struct sf_growths *g, const double *by_column, struct sf_growth *out)
{
	double *v = calloc(g->nr + 1, sizeof(*v)), p;
	int ret = v ? 0 : -ENOMEM;

	for (size_t i = 0; !ret && i < g->nr; i++)
		v[i] = by_column[g->column[i]];
	if (!ret)
		ret = describe(g, v, out, &p);
	free(v);
	return ret;
}

uint32_t sf_growths_branch(const struct sf_growths *g, const struct sf_growth *growth)
{
	size_t at = 0;

	if (!growth->branches)
		return 0;
	/* Positions count different numbers. */
	for (size_t i = 0; i < g->nr; i++) {
		if (i && g->window[i]->branch != g->window[i - 1]->branch)
			at++;
		if (at == growth->series.change)
			return g->window[i]->branch;
	}
	return 0;
}

/* ------------------------------------------------------------------------ all lines */

static int add_pause(struct sf_growths *g)
{
	struct sf_growth_line *l = new_line(g, SF_GROWTH_PAUSE);

	if (!l)
		return -ENOMEM;
	for (size_t i = 0; i < g->nr; i++)
		l->v[i] = (double)(g->window[i]->hi - g->window[i]->lo) / 1e6;
	return 0;
}

/* Which paths are worth a line: large somewhere, and not said by a single one below. */
static bool *wanted(const struct sf_growths *g)
{
	const struct sf_profile *p = &g->profile;
	bool *want = calloc(p->nr_paths + 1, sizeof(*want));
	double longest = 0;

	for (size_t i = 0; i < g->nr; i++)
		longest = fmax(longest, g->line[0].v[i]);
	for (size_t i = 1; want && i < p->nr_paths; i++)
		for (size_t c = 0; c < p->nr_columns && !want[i]; c++)
			want[i] = sf_profile_total(p, i, c) > worth * longest;
	for (size_t i = 1; want && i < p->nr_paths; i++) {
		size_t up = p->path[i].parent;
		double all = 0, here = 0;

		for (size_t c = 0; want[i] && c < p->nr_columns; c++) {
			all += sf_profile_total(p, up, c);
			here += sf_profile_total(p, i, c);
		}
		if (want[i] && here >= same * all)
			want[up] = false;
	}
	return want;
}

static int add_paths(struct sf_growths *g)
{
	const struct sf_profile *p = &g->profile;
	bool *want = wanted(g);
	int ret = want ? 0 : -ENOMEM;

	for (uint32_t i = 1; !ret && i < p->nr_paths; i++) {
		struct sf_growth_line *l;

		if (!want[i])
			continue;
		l = new_line(g, SF_GROWTH_PATH);
		if (!l) {
			ret = -ENOMEM;
			break;
		}
		l->path = i;
		for (size_t k = 0; k < g->nr; k++)
			l->v[k] = sf_profile_total(p, i, g->column[k]);
	}
	free(want);
	return ret;
}

static int add_covariates(struct sf_growths *g, const struct sf_recording *rec)
{
	const struct sf_window *w = g->window[g->nr - 1];

	for (size_t i = 0; i < w->nr_covariates; i++) {
		const char *name = sf_text(rec, w->covariate[i].name);

		for (int during = 0; during < 2; during++) {
			struct sf_growth_line *l = new_line(g, SF_GROWTH_COVARIATE);

			if (!l)
				return -ENOMEM;
			l->name = name;
			l->during = during;
			for (size_t k = 0; k < g->nr; k++)
				l->v[k] = sf_window_covariate(rec, g->window[k], name, during);
			/* What never changes is not worth a line. */
			if (constant(l->v, g->nr))
				g->nr_lines--;
		}
	}
	return 0;
}

static int by_weight(const void *a, const void *b)
{
	const struct sf_growth_line *x = a, *y = b;
	double dx, dy;

	if (x->of != y->of)
		return (int)x->of - (int)y->of;
	dx = x->of == SF_GROWTH_COVARIATE ? fabs(x->corr.rho) : fabs(x->last - x->first);
	dy = x->of == SF_GROWTH_COVARIATE ? fabs(y->corr.rho) : fabs(y->last - y->first);
	if (fabs(dx - dy) > 1e-9)
		return dx > dy ? -1 : 1;
	if (x->path != y->path)
		return x->path < y->path ? -1 : 1;
	dx = x->of == SF_GROWTH_COVARIATE ? strcmp(x->name, y->name) : 0;
	return dx < 0 ? -1 : dx > 0 ? 1 : (int)x->during - (int)y->during;
}

/* The pause was asked about alone; everything else is one of many. */
static int adjust(struct sf_growths *g)
{
	size_t n = g->nr_lines - 1;
	double *p = calloc(2 * n + 1, sizeof(*p)), *q;
	int ret = 0;

	if (!p)
		return -ENOMEM;
	q = p + n;
	for (size_t i = 0; i < n; i++) {
		p[i] = g->line[i + 1].p;
		g->tested += !isnan(p[i]);
	}
	if (n)
		ret = sf_fdr(p, NULL, n, alpha, q, NULL) < 0 ? -ENOMEM : 0;
	for (size_t i = 0; !ret && i < g->nr_lines; i++) {
		struct sf_growth_line *l = &g->line[i];

		l->q = !i || isnan(l->p) ? l->p : q[i - 1];
		l->grows = l->q <= alpha && l->growth.series.shape != SF_SHAPE_FLAT;
	}
	free(p);
	return ret;
}

int sf_growths_finish(struct sf_growths *g, const struct sf_recording *rec)
{
	int ret = add_pause(g);

	if (!ret)
		ret = add_paths(g);
	if (!ret)
		ret = add_covariates(g, rec);
	for (size_t i = 0; !ret && i < g->nr_lines; i++)
		ret = fill(g, &g->line[i]);
	if (!ret)
		ret = adjust(g);
	if (!ret && g->nr_lines)
		qsort(g->line, g->nr_lines, sizeof(*g->line), by_weight);
	return ret;
}

static size_t different(const struct sf_growths *g)
{
	size_t n = g->nr != 0;

	for (size_t i = 1; i < g->nr; i++)
		n += g->window[i]->branch != g->window[i - 1]->branch;
	return n;
}

static int walk(struct sf_growths *g, const struct sf_recording *rec)
{
	struct sf_mechanisms mech = { 0 };
	struct sf_namer namer = { 0 };
	int ret = sf_mechanisms_init(&mech, rec);

	if (!ret)
		ret = sf_namer_init(&namer, &g->profile, rec);
	/* Now in order: the columns are added anew. */
	for (size_t i = 0; !ret && i < g->nr; i++) {
		g->column[i] = i;
		ret = sf_profile_add_window(&g->profile, &namer, &mech, g->window[i]);
	}
	if (!ret)
		ret = sf_profile_finish(&g->profile);
	sf_namer_release(&namer);
	sf_mechanisms_release(&mech);
	return ret;
}

int sf_growths_make(struct sf_growths **out, const struct sf_recording *rec,
		    const struct sf_window *const *list, size_t nr, struct sf_error *err)
{
	struct sf_growths *g = sf_growths_new();
	int ret = g ? 0 : -ENOMEM;

	*out = NULL;
	nr = list ? nr : rec->nr_windows;
	for (size_t i = 0; !ret && i < nr; i++)
		ret = sf_growths_add(g, list ? list[i] : &rec->window[i]);
	if (!ret && different(g) < 3) {
		sf_growths_free(g);
		return sf_error_at(err, -EINVAL, rec->path, 0,
				   "growth needs 3 BRANCHes, better %d; record more with --branches",
				   SF_GROWTH_MIN);
	}
	if (!ret)
		ret = walk(g, rec);
	if (!ret)
		ret = sf_growths_finish(g, rec);
	if (ret) {
		sf_growths_free(g);
		return sf_error_at(err, ret, rec->path, 0, "out of memory");
	}
	*out = g;
	return 0;
}
