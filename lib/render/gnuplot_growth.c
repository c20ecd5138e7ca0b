/* SPDX-License-Identifier: GPL-2.0-only */
/* The paths that grow most, in every BRANCH, and how they grow: the line or the two levels through them. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/stats.h>

#include "render/gnuplot.h"
#include "render/markup.h"

enum { PATHS = 5, LABEL = 88, FEW = 30 };

/* Least share of the growth, %: smaller paths would only hide the axis. */
static const double LEAST_SHARE = 2;

/* What is drawn through the points of one path. */
struct fit {
	enum { NO_FIT, LEVELS, LINE } type;
	double slope; /* LINE: ms a BRANCH, by Theil and Sen */
	double *y;    /* by window */
};

static size_t of_diff(const struct sf_figures_input *in, uint32_t *path)
{
	const struct sf_diff *d = in->diff;
	size_t nr = 0;

	for (size_t i = 0; i < d->nr_causes && nr < PATHS; i++) {
		if (!d->cause[i].path || d->cause[i].delta.value <= 0)
			continue;
		if (nr && d->cause[i].share_pct < LEAST_SHARE)
			continue;
		path[nr] = sf_profile_find(in->profile, &d->profile, d->cause[i].path);
		nr += path[nr] != 0;
	}
	return nr;
}

/* Without a comparison: the owners' kinds whose time varies most from BRANCH to BRANCH. */
static size_t of_profile(const struct sf_profile *p, uint32_t *path)
{
	double spread[PATHS];
	size_t nr = 0, at;

	for (uint32_t i = 1; i < p->nr_paths; i++) {
		double lo = INFINITY, hi = 0;

		if (p->path[i].level != SF_PATH_KIND)
			continue;
		for (size_t c = 0; c < p->nr_columns; c++) {
			lo = fmin(lo, sf_profile_total(p, i, c));
			hi = fmax(hi, sf_profile_total(p, i, c));
		}
		for (at = nr; at && spread[at - 1] < hi - lo; at--)
			if (at < PATHS) {
				path[at] = path[at - 1];
				spread[at] = spread[at - 1];
			}
		if (at < PATHS) {
			path[at] = i;
			spread[at] = hi - lo;
			nr += nr < PATHS;
		}
	}
	return nr;
}

static void level(struct fit *f, const double *v, size_t first, size_t n)
{
	double m = sf_median(v + first, n);

	for (size_t i = first; i < first + n; i++)
		f->y[i] = m;
}

/* The levels of the sides, which stand one behind the other. */
static void levels_of_sides(struct fit *f, const struct plot_axis *a, const double *v)
{
	for (size_t i = 0, n; i < a->nr; i += n) {
		for (n = 1; i + n < a->nr && a->side[i + n] == a->side[i] && !a->gap[i + n - 1]; n++)
			;
		if (a->side[i] >= 0)
			level(f, v, i, n);
	}
	f->type = LEVELS;
}

/* Its own shape, whatever that of the pauses is: one path may step while another creeps. */
static int fit_shape(struct fit *f, const struct plot_axis *a, const double *v)
{
	struct sf_series_opts opts = { .two_sided = true };
	struct sf_growth g;
	double *rest;

	if (sf_growth_describe(a->x, v, a->nr, &opts, &g) || g.series.shape == SF_SHAPE_FLAT)
		return 0;
	if (g.series.shape == SF_SHAPE_STEP) {
		level(f, v, 0, g.series.change);
		level(f, v, g.series.change, a->nr - g.series.change);
		f->type = LEVELS;
		return 0;
	}
	rest = calloc(a->nr, sizeof(*rest));
	if (!rest)
		return -ENOMEM;
	for (size_t i = 0; i < a->nr; i++)
		rest[i] = v[i] - g.trend.slope * a->x[i];
	f->type = LINE;
	f->slope = g.trend.slope;
	for (size_t i = 0, n = a->nr; i < n; i++)
		f->y[i] = sf_median(rest, n) + f->slope * a->x[i];
	free(rest);
	return 0;
}

/* "owner, state: leaf", and what the fit says */
static void head(struct plot *p, uint32_t path, const struct fit *f, size_t *longest)
{
	const struct sf_profile *pr = p->in->profile;
	uint32_t kind = path;
	struct sf_str name = SF_STR_INIT;

	while (pr->path[kind].level > SF_PATH_KIND)
		kind = pr->path[kind].parent;
	sf_markup_cut(&name, sf_strtab_text(&pr->str, pr->owner[pr->path[path].owner].label), 24);
	sf_str_addf(&name, " %s", sf_strtab_text(&pr->str, pr->path[kind].label));
	if (kind != path) {
		sf_str_add(&name, " ");
		sf_markup_cut(&name, sf_strtab_text(&pr->str, pr->path[path].label), 32);
	}
	if (f->type == LINE) {
		sf_str_add(&name, f->slope < 0 ? ": " : ": +");
		sf_markup_number(&name, f->slope, 3);
		sf_str_add(&name, " ms a BRANCH");
	}
	plot_tab(p);
	plot_head(p, name.buf, LABEL, longest);
	p->tsv.failed |= name.failed;
	sf_str_release(&name);
}

/* A column of points for each path, then one of its fit. */
static void table(struct plot *p, const struct plot_axis *a, const uint32_t *path, const struct fit *f,
		  size_t nr, size_t *longest)
{
	const struct sf_profile *pr = p->in->profile;

	sf_str_add(&p->tsv, "\"BRANCH\"");
	for (size_t k = 0; k < nr; k++)
		head(p, path[k], &f[k], longest);
	for (size_t k = 0; k < nr; k++)
		sf_str_add(&p->tsv, "\t\"fit\"");
	plot_row(p);
	for (size_t c = 0; c < pr->nr_columns && c < a->nr; c++) {
		plot_number(p, a->x[c]);
		for (size_t k = 0; k < nr; k++) {
			plot_tab(p);
			plot_number(p, sf_profile_total(pr, path[k], c));
		}
		for (size_t k = 0; k < nr; k++) {
			plot_tab(p);
			plot_number(p, f[k].y[c]);
		}
		plot_row(p);
		if (a->gap[c]) /* an empty line ends the line that is drawn */
			plot_row(p);
	}
}

static int find_fit(struct fit *f, const struct plot *p, const struct plot_axis *a, uint32_t path)
{
	double *v = calloc(a->nr, sizeof(*v));
	int ret = -ENOMEM;

	f->y = calloc(a->nr, sizeof(*f->y));
	if (!v || !f->y)
		goto out;
	for (size_t i = 0; i < a->nr; i++) {
		v[i] = sf_profile_total(p->in->profile, path, i);
		f->y[i] = NAN;
	}
	ret = 0;
	if (a->numbers)
		ret = fit_shape(f, a, v);
	else if (p->in->diff)
		levels_of_sides(f, a, v);
out:
	free(v);
	return ret;
}

static void commands(struct plot *p, const struct fit *f, size_t nr, size_t longest)
{
	static const int mark[PATHS] = { 7, 9, 5, 11, 13 };
	bool lines = false, levels = false;

	sf_str_add(&p->setup, "set ylabel \"ms per pause\"\nset yrange [0:*]\n");
	plot_key_below(p, longest, nr);
	for (size_t k = 0; k < nr; k++) {
		sf_str_addf(&p->setup, "set linetype %zu lc rgb \"%s\" lw 1 pt %d ps %g\n", k + 1,
			    plot_palette[k], mark[k], 0.9 * plot_mark_size(p->in->nr));
		lines |= f[k].type == LINE;
		levels |= f[k].type == LEVELS;
	}
	sf_str_addf(&p->plot, "  plot for [i=2:%zu] 'growth.tsv' using 1:i with %s lt i-1 "
		    "title columnheader(i)", nr + 1, lines || levels || p->in->nr > FEW ? "points" : "linespoints");
	if (lines || levels)
		sf_str_addf(&p->plot, ", \\\n    for [i=2:%zu] 'growth.tsv' using 1:i+%zu with lines "
			    "lt i-1 lw 1.5 notitle", nr + 1, nr);
	sf_str_add(&p->plot, "\n");
	plot_caption(p, "%s in every BRANCH, ms%s%s.", p->in->diff ? "The largest differences" :
		     "What varies most", lines ? "; straight lines: Theil and Sen's slope" : "",
		     levels ? "; levels: medians before and after the step" : "");
}

int plot_growth(struct plot *p)
{
	const struct sf_figures_input *in = p->in;
	struct fit fit[PATHS] = { 0 };
	uint32_t path[PATHS];
	struct plot_axis a;
	size_t nr, longest = 0;
	int ret = 0;

	if (!in->profile || in->nr < 2)
		return plot_nothing(p, "growth needs two BRANCHes");
	nr = in->diff ? of_diff(in, path) : of_profile(in->profile, path);
	if (!nr)
		return plot_nothing(p, "no path grows");
	if (plot_axis_init(&a, in))
		return -ENOMEM;
	for (size_t k = 0; !ret && k < nr; k++)
		ret = find_fit(&fit[k], p, &a, path[k]);
	if (!ret) {
		p->height = 320;
		table(p, &a, path, fit, nr, &longest);
		plot_axis_setup(p, &a, 1);
		commands(p, fit, nr, longest);
	}
	for (size_t k = 0; k < nr; k++)
		free(fit[k].y);
	plot_axis_release(&a);
	return ret ? ret : 1;
}
