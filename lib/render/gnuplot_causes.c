/* SPDX-License-Identifier: GPL-2.0-only */
/* The ranked differences, with their intervals. */
#include <math.h>
#include <string.h>

#include "render/gnuplot.h"
#include "render/markup.h"

enum { ROWS = 12, LABEL = 44 };

/* Two lines: who and why; the leaf that it is about. */
static void label(struct plot *p, const struct sf_diff *d, const struct sf_cause *c, size_t *longest)
{
	const struct sf_owner *o = &d->profile.owner[c->owner];
	struct sf_str name = SF_STR_INIT;

	if (c->owner)
		sf_str_addf(&name, "%s, %s", sf_diff_text(d, o->label), sf_kind_name(c->kind));
	else
		sf_str_add(&name, "everything else");
	plot_label(p, name.buf, c->nr_frames ? c->frame[0] : "", LABEL, longest);
	p->tsv.failed |= name.failed;
	sf_str_release(&name);
}

static size_t table(struct plot *p, const struct sf_diff *d, size_t *longest)
{
	size_t n = d->nr_causes < ROWS ? d->nr_causes : ROWS;

	sf_str_add(&p->tsv, "\"row\"\t\"owner, kind, where\"\t\"fast (ms)\"\t\"slow (ms)\"\t"
			    "\"difference (ms)\"\t\"low\"\t\"high\"\n");
	for (size_t i = 0; i < n; i++) {
		const struct sf_cause *c = &d->cause[i];
		double v[] = { c->fast_ms, c->slow_ms, c->delta.value,
			       c->delta.has_interval ? c->delta.lo : NAN,
			       c->delta.has_interval ? c->delta.hi : NAN };

		sf_str_addf(&p->tsv, "%zu\t", i + 1);
		label(p, d, c, longest);
		for (size_t k = 0; k < sizeof(v) / sizeof(v[0]); k++) {
			plot_tab(p);
			plot_number(p, v[k]);
		}
		plot_row(p);
	}
	return n;
}

int plot_causes(struct plot *p)
{
	const struct sf_diff *d = p->in->diff;
	bool intervals = false;
	size_t n, longest = 0;

	if (!d)
		return plot_nothing(p, "fast and slow BRANCHes are needed");
	if (!d->nr_causes)
		return plot_nothing(p, "nothing differs");
	for (size_t i = 0; i < d->nr_causes; i++)
		intervals |= d->cause[i].delta.has_interval;
	n = table(p, d, &longest);
	p->height = 70 + 38 * (unsigned)n;
	sf_str_addf(&p->setup, "set yrange [%zu.6:0.4]\nset xlabel \"slow − fast (ms)\"\n"
		    "set ytics scale 0\nset grid xtics noytics\nset border 1\n"
		    "set yzeroaxis lt 1 lc rgb \"#666666\"\nset key off\n", n);
	plot_margin_left(p, longest);
	sf_str_add(&p->plot, "  plot 'causes.tsv' skip 1 using ($5/2):1:(0):5:($1-0.3):($1+0.3):"
			     "($5 < 0 ? 0x77aadd : 0xee8866):ytic(2) with boxxyerror fc rgb variable");
	if (intervals)
		sf_str_add(&p->plot, ", \\\n    'causes.tsv' skip 1 using 5:1:6:7 with xerrorbars ps 0 "
				     "lc rgb \"#222222\"");
	sf_str_add(&p->plot, "\n");
	plot_caption(p, "Difference of the median windows by cause, ms; together they are the "
		     "difference of the pauses%s.", !intervals ? "" : d->trend ?
		     "; the whiskers are 95 % intervals of the growth over all windows" :
		     "; the whiskers are 95 % intervals of the difference of the medians");
	return 1;
}
