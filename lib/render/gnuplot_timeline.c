/* SPDX-License-Identifier: GPL-2.0-only */
/* What the threads did in one pause, and the critical path through them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "render/gnuplot_window.h"

/*
 * A window may hold a million switches and a figure has a thousand pixels: each of BINS parts of the
 * time shows what lasted longest in it.
 */
enum { BINS = 1000, LABEL = 24, PIXELS = 560 };

enum look { RUNNING, RUNNABLE, UNINTERRUPTIBLE, ASLEEP, DEVICE, UNKNOWN, NOTHING, NR_LOOKS };

static const struct {
	const char *title, *color;
} looks[NR_LOOKS] = {
	[RUNNING] = { "running", "#4477aa" },
	[RUNNABLE] = { "waits for a CPU", "#ddaa33" },
	[UNINTERRUPTIBLE] = { "blocked (D)", "#bb5566" },
	[ASLEEP] = { "asleep", "#e4e4e4" },
	[DEVICE] = { "device", "#aa3377" },
	[UNKNOWN] = { "not known", "#999999" },
};

enum { VALUES = WINDOW_ROWS + 1 > NR_LOOKS ? WINDOW_ROWS + 1 : NR_LOOKS };

struct bins {
	uint64_t lo, hi;
	uint64_t ns[BINS][VALUES];
};

static void bins_clear(struct bins *b)
{
	memset(b->ns, 0, sizeof(b->ns));
}

static uint64_t edge(const struct bins *b, size_t i)
{
	return b->lo + (uint64_t)((double)(b->hi - b->lo) * (double)i / BINS);
}

static void bins_add(struct bins *b, uint64_t lo, uint64_t hi, int value)
{
	double width = (double)(b->hi - b->lo) / BINS;
	size_t i;

	if (hi <= lo || lo < b->lo || hi > b->hi || width <= 0)
		return;
	i = (size_t)((double)(lo - b->lo) / width);
	for (; i < BINS && edge(b, i) < hi; i++) {
		uint64_t from = edge(b, i) > lo ? edge(b, i) : lo;
		uint64_t to = i + 1 == BINS ? b->hi : edge(b, i + 1);

		to = to < hi ? to : hi;
		if (to > from)
			b->ns[i][value] += to - from;
	}
}

/* What lasted longest; NOTHING or the like where that is the last value. */
static int longest(const struct bins *b, size_t bin, int values)
{
	int best = 0;

	for (int v = 1; v < values; v++)
		if (b->ns[bin][v] > b->ns[bin][best])
			best = v;
	return b->ns[bin][best] ? best : -1;
}

static double ms(const struct bins *b, size_t bin)
{
	return (double)(edge(b, bin) - b->lo) / 1e6;
}

static enum look look_of(const struct sf_slice *s)
{
	switch ((enum sf_state)s->state) {
	case SF_STATE_RUNNING:
		return RUNNING;
	case SF_STATE_RUNNABLE:
		return RUNNABLE;
	case SF_STATE_BLOCKED:
		return s->task == SF_TASK_UNINTERRUPTIBLE ? UNINTERRUPTIBLE : ASLEEP;
	case SF_STATE_ABSENT:
		return NOTHING;
	default:
		return UNKNOWN;
	}
}

static int fill_row(struct bins *b, struct window_view *v, size_t row)
{
	const struct sf_timeline *t;

	bins_clear(b);
	if (v->row[row].dev) {
		for (size_t i = 0; i < v->path.nr; i++)
			if (v->path.seg[i].dev == v->row[row].dev)
				bins_add(b, v->path.seg[i].lo, v->path.seg[i].hi, DEVICE);
		return 0;
	}
	t = sf_timelines_get(&v->ts, v->row[row].thread);
	if (!t)
		return -ENOMEM;
	for (size_t i = 0; i < t->nr; i++)
		bins_add(b, t->iv[i].lo, t->iv[i].hi, look_of(&t->iv[i]));
	return 0;
}

/* Runs of bins with one look, each look's lines apart: they become blocks of the table. */
static void row_lines(struct sf_str *line, const struct bins *b, size_t row)
{
	for (size_t i = 0, n; i < BINS; i += n) {
		int look = longest(b, i, NR_LOOKS);

		for (n = 1; i + n < BINS && longest(b, i + n, NR_LOOKS) == look; n++)
			;
		if (look >= 0 && look != NOTHING)
			sf_str_addf(&line[look], "%.6g\t%.6g\t%zu\n", ms(b, i), ms(b, i + n), row + 1);
	}
}

static size_t names(struct plot *p, const struct window_view *v)
{
	char name[160];
	size_t longest = 0;

	for (size_t i = 0; i < v->nr; i++) {
		window_row_name(v, i, name, sizeof(name));
		sf_str_addf(&p->tsv, "%zu\t", i + 1);
		plot_head(p, name, LABEL, &longest);
		plot_row(p);
	}
	return longest;
}

/* The path as one line that steps from owner to owner. */
static void path_lines(struct plot *p, struct bins *b, const struct window_view *v)
{
	int row = -1;

	bins_clear(b);
	for (size_t i = 0; i < v->path.nr; i++) {
		row = window_row_of(v, &v->path.seg[i]);
		bins_add(b, v->path.seg[i].lo, v->path.seg[i].hi, row < 0 ? WINDOW_ROWS : row);
	}
	for (size_t i = 0, n; i < BINS; i += n) {
		row = longest(b, i, VALUES);
		for (n = 1; i + n < BINS && longest(b, i + n, VALUES) == row; n++)
			;
		if (row < 0 || row == WINDOW_ROWS) /* an owner without a row: the line has a gap */
			plot_row(p);
		else
			sf_str_addf(&p->tsv, "%.6g\t%d\n%.6g\t%d\n", ms(b, i), row + 1, ms(b, i + n),
				    row + 1);
	}
}

/* Phases that the VMM told of stand above the rows; a name where it has room. */
static size_t phase_lines(struct plot *p, const struct bins *b, const struct window_view *v)
{
	const struct sf_window *w = v->ref->window;
	double span = (double)(b->hi - b->lo);
	size_t nr = 0;

	for (size_t i = 0; i < w->nr_phases; i++) {
		const struct sf_phase *ph = &w->phase[i];
		const char *name = sf_text(v->ref->rec, ph->name);
		double lo, hi;

		if (ph->begin < b->lo || ph->end > b->hi || ph->end <= ph->begin)
			continue;
		if (!nr++)
			plot_block(p);
		lo = (double)(ph->begin - b->lo);
		hi = (double)(ph->end - b->lo);
		sf_str_addf(&p->tsv, "%.6g\t%.6g\t", lo / 1e6, hi / 1e6);
		plot_text(p, (hi - lo) / span * PIXELS > 7.0 * (double)strlen(name) + 4 ? name : " ", 40);
		plot_row(p);
	}
	return nr;
}

static void commands(struct plot *p, const struct window_view *v, const struct sf_str *line,
		     size_t path_index, size_t phases)
{
	size_t index = 1;

	p->height = 110 + 22 * (unsigned)(v->nr + (phases != 0));
	sf_str_addf(&p->setup, "set xrange [0:%.6g]\nset yrange [%zu.6:%s]\n"
		    "set xlabel \"ms since the pause began\"\nset ytics scale 0\nset border 1\n"
		    "set grid xtics noytics front\nset key above left horizontal Left reverse samplen 1\n",
		    (double)(v->ts.hi - v->ts.lo) / 1e6, v->nr, phases ? "-0.4" : "0.4");
	sf_str_add(&p->plot, "  plot 'timeline.tsv' index 0 using (0):1:ytic(2) with dots lc bgnd notitle");
	for (int k = 0; k < NR_LOOKS; k++) {
		if (!line[k].len)
			continue;
		sf_str_addf(&p->plot, ", \\\n    'timeline.tsv' index %zu using (($1+$2)/2):3:1:2:($3-0.36):"
			    "($3+0.36) with boxxyerror fc rgb \"%s\" title \"%s\"", index++,
			    looks[k].color, looks[k].title);
	}
	sf_str_addf(&p->plot, ", \\\n    'timeline.tsv' index %zu using 1:2 with lines lc rgb \"#000000\" "
		    "lw 2 title \"critical path\"", path_index);
	if (phases)
		sf_str_addf(&p->plot, ", \\\n    'timeline.tsv' index %zu using (($1+$2)/2):(0):1:2:(-0.3):"
			    "(0.3) with boxxyerror fc rgb \"#eef2f7\" fs border lc rgb \"#8899aa\" notitle"
			    ", \\\n    'timeline.tsv' index %zu using (($1+$2)/2):(0):3 with labels "
			    "font \",10\" notitle", path_index + 1, path_index + 1);
	sf_str_add(&p->plot, "\n");
}

static int draw(struct plot *p, struct window_view *v, struct bins *b)
{
	struct sf_str line[NR_LOOKS];
	size_t blocks = 1, phases, longest;
	int ret = 0;

	for (int k = 0; k < NR_LOOKS; k++)
		sf_str_init(&line[k]);
	longest = names(p, v);
	plot_margin_left(p, longest);
	for (size_t i = 0; !ret && i < v->nr; i++) {
		ret = fill_row(b, v, i);
		row_lines(line, b, i);
	}
	for (int k = 0; k < NR_LOOKS; k++) {
		if (line[k].len) {
			plot_block(p);
			sf_str_addn(&p->tsv, line[k].buf, line[k].len);
			blocks++;
		}
		p->tsv.failed |= line[k].failed;
	}
	plot_block(p);
	path_lines(p, b, v);
	phases = phase_lines(p, b, v);
	commands(p, v, line, blocks, phases);
	for (int k = 0; k < NR_LOOKS; k++)
		sf_str_release(&line[k]);
	return ret;
}

int plot_timeline(struct plot *p)
{
	const struct sf_window_ref *ref = plot_window(p->in);
	struct window_view v;
	struct bins *b;
	char name[120], more[60] = "";
	int ret;

	if (!ref || !ref->rec->has_switches || ref->window->hi <= ref->window->lo)
		return plot_nothing(p, ref ? "the recording has no context switches" :
				    "a recording is needed");
	b = calloc(1, sizeof(*b));
	ret = window_view_init(&v, ref);
	if (b && !ret) {
		b->lo = v.ts.lo;
		b->hi = v.ts.hi;
		ret = draw(p, &v, b);
		plot_window_name(p->in, ref, name, sizeof(name));
		if (v.left_out)
			snprintf(more, sizeof(more), "; %zu threads that did less are left out",
				 v.left_out);
		plot_caption(p, "%s: threads by their share of the critical path, which is the black "
			     "line%s.", name, more);
	}
	window_view_release(&v);
	free(b);
	return !b || ret ? -ENOMEM : 1;
}
