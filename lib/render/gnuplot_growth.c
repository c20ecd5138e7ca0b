/* SPDX-License-Identifier: GPL-2.0-only */
/* The paths that grow most, in every BRANCH. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/stats.h>

#include "render/gnuplot.h"
#include "render/markup.h"

enum { PATHS = 5, LABEL = 88 };

/*
 * The path of p that has the names of path in from; 0 where there is none. Both trees are small, and
 * this is done for a handful of paths.
 */
static uint32_t same_path(const struct sf_profile *p, const struct sf_profile *from, uint32_t path)
{
	const struct sf_path *want = &from->path[path];
	uint32_t parent;

	if (!path)
		return 0;
	parent = same_path(p, from, want->parent);
	if (want->parent && !parent)
		return 0;
	for (uint32_t i = parent + 1; i < p->nr_paths; i++)
		if (p->path[i].parent == parent && p->path[i].level == want->level &&
		    p->path[i].flags == want->flags &&
		    !strcmp(sf_strtab_text(&p->str, p->path[i].label),
			    sf_strtab_text(&from->str, want->label)))
			return i;
	return 0;
}

static size_t of_diff(const struct sf_figures_input *in, uint32_t *path)
{
	const struct sf_diff *d = in->diff;
	size_t nr = 0;

	for (size_t i = 0; i < d->nr_causes && nr < PATHS; i++) {
		if (!d->cause[i].path || d->cause[i].delta.value <= 0)
			continue;
		path[nr] = same_path(in->profile, &d->profile, d->cause[i].path);
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

/* "owner, state: leaf" */
static void head(struct plot *p, uint32_t path, size_t *longest)
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
	plot_tab(p);
	plot_head(p, name.buf, LABEL, longest);
	p->tsv.failed |= name.failed;
	sf_str_release(&name);
}

static void table(struct plot *p, const struct plot_axis *a, const uint32_t *path, size_t nr,
		  size_t *longest)
{
	const struct sf_profile *pr = p->in->profile;

	sf_str_add(&p->tsv, "\"BRANCH\"");
	for (size_t k = 0; k < nr; k++)
		head(p, path[k], longest);
	plot_row(p);
	for (size_t c = 0; c < pr->nr_columns && c < a->nr; c++) {
		plot_number(p, a->x[c]);
		for (size_t k = 0; k < nr; k++) {
			plot_tab(p);
			plot_number(p, sf_profile_total(pr, path[k], c));
		}
		plot_row(p);
		if (a->gap[c])
			plot_row(p);
	}
}

int plot_growth(struct plot *p)
{
	static const int mark[PATHS] = { 7, 9, 5, 11, 13 };
	const struct sf_figures_input *in = p->in;
	uint32_t path[PATHS];
	struct plot_axis a;
	size_t nr, longest = 0;

	if (!in->profile || in->nr < 2)
		return plot_nothing(p, "growth needs two BRANCHes");
	nr = in->diff ? of_diff(in, path) : of_profile(in->profile, path);
	if (!nr)
		return plot_nothing(p, "no path grows");
	if (plot_axis_init(&a, in))
		return -ENOMEM;
	p->height = 320;
	table(p, &a, path, nr, &longest);
	plot_axis_setup(p, &a, 1);
	sf_str_add(&p->setup, "set ylabel \"ms\"\nset yrange [0:*]\n");
	plot_key_below(p, longest, nr);
	for (size_t k = 0; k < nr; k++)
		sf_str_addf(&p->setup, "set linetype %zu lc rgb \"%s\" lw 1.5 pt %d ps %g\n", k + 1,
			    plot_palette[k], mark[k], 0.9 * plot_mark_size(in->nr));
	sf_str_addf(&p->plot, "  plot for [i=2:%zu] 'growth.tsv' using 1:i with linespoints lt i-1 "
		    "title columnheader(i)\n", nr + 1);
	plot_caption(p, "%s in every BRANCH, ms.", in->diff ? "The largest differences" :
		     "What varies most");
	plot_axis_release(&a);
	return 1;
}
