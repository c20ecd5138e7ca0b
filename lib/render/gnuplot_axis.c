/* SPDX-License-Identifier: GPL-2.0-only */
/* Windows side by side: by their BRANCH numbers, or, where these repeat, one after the other. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "render/gnuplot.h"
#include "render/markup.h"

enum { LABELS = 16, LONG_LABELS = 12, LEAST_SPAN = 4, HALF_LINE = 42 };

static int side_of(const struct sf_diff *d, const struct sf_window_ref *ref)
{
	for (size_t i = 0; d && i < d->nr[SF_FAST] + d->nr[SF_SLOW]; i++)
		if (d->ref[i].window == ref->window)
			return i < d->nr[SF_FAST] ? SF_FAST : SF_SLOW;
	return -1;
}

static bool ascending(const struct sf_figures_input *in)
{
	for (size_t i = 1; i < in->nr; i++)
		if (in->window[i].rec != in->window[0].rec ||
		    in->window[i].window->branch <= in->window[i - 1].window->branch)
			return false;
	return true;
}

int plot_axis_init(struct plot_axis *a, const struct sf_figures_input *in)
{
	size_t n = in->nr ? in->nr : 1;
	double at = 1;

	*a = (struct plot_axis){ .nr = in->nr, .numbers = ascending(in) };
	a->x = calloc(n, sizeof(*a->x));
	a->side = calloc(n, sizeof(*a->side));
	a->gap = calloc(n, sizeof(*a->gap));
	if (!a->x || !a->side || !a->gap) {
		plot_axis_release(a);
		return -ENOMEM;
	}
	for (size_t i = 0; i < in->nr; i++) {
		a->side[i] = side_of(in->diff, &in->window[i]);
		if (i && !a->numbers && in->window[i].rec != in->window[i - 1].rec) {
			a->gap[i - 1] = true;
			at++;
		}
		a->x[i] = a->numbers ? in->window[i].window->branch : at++;
	}
	a->lo = in->nr ? a->x[0] : 0;
	a->hi = in->nr ? a->x[in->nr - 1] : 1;
	return 0;
}

void plot_axis_release(struct plot_axis *a)
{
	free(a->x);
	free(a->side);
	free(a->gap);
	*a = (struct plot_axis){ 0 };
}

/* The least of 1, 2, 5, 10, … that leaves no more than max of n. */
static size_t label_step(size_t n, size_t max)
{
	static const size_t nice[] = { 1, 2, 5 };
	size_t step = 1, scale = 1;

	for (size_t k = 0; n / step > max; k++) {
		if (k && k % 3 == 0)
			scale *= 10;
		step = nice[k % 3] * scale;
	}
	return step;
}

double plot_tic_step(double span)
{
	double power = pow(10, floor(log10(span / 3))), r = span / 3 / power;

	return power * (r < 1.5 ? 1 : r < 3.5 ? 2 : r < 7.5 ? 5 : 10);
}

static const char *side_word(int side)
{
	return side == SF_FAST ? "fast " : side == SF_SLOW ? "slow " : "";
}

/* A few BRANCHes stand in the middle and not as far apart as they can. */
void plot_axis_range(struct sf_str *to, double lo, double hi)
{
	double pad = hi - lo < LEAST_SPAN ? 0.7 + (LEAST_SPAN - (hi - lo)) / 2 : 0.7;

	sf_str_addf(to, "set xrange [%g:%g]\nset xlabel \"BRANCH\" offset 0,0.6\n", lo - pad,
		    hi + pad);
}

void plot_axis_tics(struct sf_str *to, const struct plot *p, const struct plot_axis *a, unsigned columns)
{
	size_t step = label_step(a->nr, (a->numbers ? LABELS : LONG_LABELS) / columns);
	bool first = true;

	sf_str_add(to, "set xtics (");
	for (size_t i = 0; i < a->nr; i++) {
		unsigned branch = p->in->window[i].window->branch;

		if (a->numbers ? branch % step : i % step)
			continue;
		sf_str_addf(to, "%s\"%s%u\" %g", first ? "" : ", ",
			    a->numbers ? "" : side_word(a->side[i]), branch, a->x[i]);
		first = false;
	}
	sf_str_add(to, ") scale 0\n");
}

void plot_axis_setup(struct plot *p, const struct plot_axis *a, unsigned columns)
{
	plot_axis_range(&p->setup, a->lo, a->hi);
	plot_axis_tics(&p->setup, p, a, columns);
}

static double length_ms(const struct sf_window *w)
{
	return (double)(w->hi - w->lo) / 1e6;
}

const struct sf_window_ref *plot_window(const struct sf_figures_input *in)
{
	const struct sf_window_ref *best = NULL;

	if (in->diff)
		return &in->diff->ref[in->diff->median_column[SF_SLOW][0]];
	for (size_t i = 0; i < in->nr; i++)
		if (!best || length_ms(in->window[i].window) > length_ms(best->window))
			best = &in->window[i];
	return best;
}

void plot_window_name(const struct sf_figures_input *in, const struct sf_window_ref *ref, char *buf,
		      size_t size)
{
	struct sf_str ms = SF_STR_INIT;

	sf_markup_ms(&ms, length_ms(ref->window));
	if (ref->window->whole)
		snprintf(buf, size, "the whole recording (%s ms)", ms.buf);
	else
		snprintf(buf, size, "BRANCH %u (%s%s ms)", ref->window->branch,
			 in->diff ? "a median one of the slow side, " : "", ms.buf);
	sf_str_release(&ms);
}

/* gnuplot's margins count in widths of a digit, and most letters are narrower. */
void plot_margin_left(struct plot *p, size_t longest)
{
	sf_str_addf(&p->setup, "set lmargin %zu\n", longest * 9 / 10 + 3);
}

double plot_mark_size(size_t nr)
{
	return nr <= 30 ? 1 : nr <= 60 ? 0.7 : 0.45;
}

void plot_key_below(struct plot *p, size_t longest, size_t nr)
{
	unsigned columns = longest <= HALF_LINE && nr > 1 ? 2 : 1;

	sf_str_addf(&p->setup, "set key below %s Left reverse maxcols %u samplen 1.5 "
		    "title \" \" font \",5\"\n",
		    columns == 2 ? "horizontal" : "vertical", columns);
	p->height += 18 * (unsigned)((nr + columns - 1) / columns) + 18;
}
