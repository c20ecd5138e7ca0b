/* SPDX-License-Identifier: GPL-2.0-only */
/* The pause as a sum: who had how much of it, and what for. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "render/gnuplot.h"
#include "render/markup.h"

enum { OWN = PLOT_SERIES - 1, LABEL = 52 }; /* parts that have a colour; characters of a name */

struct budget {
	const struct sf_profile *profile;
	uint32_t path[OWN]; /* the largest ones, by their time in all windows */
	size_t nr;
	bool others;
	size_t longest; /* name, characters */
};

static double sum(const struct sf_profile *p, uint32_t path)
{
	double v = 0;

	for (size_t c = 0; c < p->nr_columns; c++)
		v += sf_profile_total(p, path, c);
	return v;
}

static void choose(struct budget *b)
{
	const struct sf_profile *p = b->profile;

	for (uint32_t i = 1; i < p->nr_paths; i++) {
		double v = sum(p, i);
		size_t at;

		if (p->path[i].level != SF_PATH_KIND || v <= 0)
			continue;
		for (at = b->nr; at && sum(p, b->path[at - 1]) < v; at--)
			if (at < OWN)
				b->path[at] = b->path[at - 1];
		b->others |= b->nr == OWN;
		if (at < OWN) {
			b->path[at] = i;
			b->nr += b->nr < OWN;
		}
	}
}

static void heads(struct plot *p, struct budget *b)
{
	const struct sf_profile *pr = b->profile;
	struct sf_str name = SF_STR_INIT;

	sf_str_add(&p->tsv, "\"BRANCH\"");
	for (size_t k = 0; k < b->nr; k++) {
		const struct sf_path *path = &pr->path[b->path[k]];

		sf_str_reset(&name);
		sf_markup_cut(&name, sf_strtab_text(&pr->str, pr->owner[path->owner].label), 24);
		sf_str_addf(&name, " %s", sf_strtab_text(&pr->str, path->label));
		plot_tab(p);
		plot_head(p, name.buf, LABEL, &b->longest);
	}
	if (b->others)
		sf_str_add(&p->tsv, "\t\"others\"");
	plot_row(p);
	p->tsv.failed |= name.failed;
	sf_str_release(&name);
}

static void table(struct plot *p, struct budget *b, const struct plot_axis *a)
{
	const struct sf_profile *pr = b->profile;

	heads(p, b);
	for (size_t c = 0; c < pr->nr_columns && c < a->nr; c++) {
		double rest = sf_profile_total(pr, 0, c);

		plot_number(p, a->x[c]);
		for (size_t k = 0; k < b->nr; k++) {
			double v = sf_profile_total(pr, b->path[k], c);

			plot_tab(p);
			plot_number(p, v);
			rest -= v;
		}
		if (b->others) {
			plot_tab(p);
			plot_number(p, rest > 1e-9 ? rest : 0);
		}
		plot_row(p);
	}
}

static void commands(struct plot *p, const struct budget *b)
{
	size_t nr = b->nr + b->others;

	sf_str_add(&p->setup, "set ylabel \"ms of the pause\"\nset yrange [0:*]\nset boxwidth 0.7\n");
	plot_key_below(p, b->longest, nr);
	for (size_t k = 0; k < nr; k++)
		sf_str_addf(&p->setup, "set linetype %zu lc rgb \"%s\"\n", k + 1,
			    b->others && k == nr - 1 ? "#dddddd" : plot_palette[k]);
	/* The tallest sum first: the others are drawn over it. */
	sf_str_addf(&p->plot, "  plot for [i=%zu:2:-1] 'budget.tsv' using 1:(sum [k=2:i] column(k)) "
		    "with boxes lt i-1 title columnheader(i)\n", nr + 1);
}

int plot_budget(struct plot *p)
{
	struct budget b = { .profile = p->in->profile };
	struct plot_axis a;

	if (!p->in->profile || !p->in->nr)
		return plot_nothing(p, "no critical path is known");
	choose(&b);
	if (!b.nr)
		return plot_nothing(p, "no time of the pauses is attributed");
	if (plot_axis_init(&a, p->in))
		return -ENOMEM;
	p->height = 320;
	table(p, &b, &a);
	plot_axis_setup(p, &a, 1);
	commands(p, &b);
	plot_caption(p, "Each pause as the sum of whom it is blamed on and why (critical path), ms.");
	plot_axis_release(&a);
	return 1;
}
