/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where in the kernel each thread was blocked during one pause: what people make by polling
 * /proc/TID/stack, in ms instead of counts.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "render/gnuplot_window.h"

enum { FRAMES = PLOT_SERIES - 1, LABEL = 24, FRAME_LABEL = 40 };

struct cell {
	uint32_t row, name; /* of the window's rows; string id of the frame */
	uint64_t ns;
};

struct histogram {
	struct sf_strtab str;
	struct sf_map64 at; /* row << 32 | name -> index of cell */
	struct cell *cell;
	size_t nr, alloc;
	uint64_t total[WINDOW_ROWS];
	uint32_t top[FRAMES]; /* names with most time */
	size_t nr_top;
	size_t longest; /* name of a frame, characters */
};

/* The innermost function that is not the scheduler's. */
static const char *leaf(struct window_view *v, uint32_t stack)
{
	struct sf_symbols *symbols = v->ref->rec->symbols;
	const struct sf_frame *f;

	stack = sf_mechanism_trim(&v->mech, stack);
	if (!stack || !sf_symbols_frames(symbols, sf_stack_loc(v->ref->rec, stack), &f))
		return "no stack";
	return f->name[0] ? f->name : "[unknown]";
}

static int add(struct histogram *h, uint32_t row, const char *name, uint64_t ns)
{
	uint32_t id = sf_strtab_id(&h->str, name), *at;
	bool made;

	at = id ? sf_map64_at(&h->at, (uint64_t)row << 32 | id, &made) : NULL;
	if (!at)
		return -ENOMEM;
	if (made) {
		if (SF_GROW(h->cell, h->nr + 1, h->alloc))
			return -ENOMEM;
		*at = (uint32_t)h->nr;
		h->cell[h->nr++] = (struct cell){ row, id, 0 };
	}
	h->cell[*at].ns += ns;
	h->total[row] += ns;
	return 0;
}

static int fill(struct histogram *h, struct window_view *v)
{
	for (uint32_t r = 0; r < v->nr; r++) {
		const struct sf_timeline *t;

		if (v->row[r].dev)
			continue;
		t = sf_timelines_get(&v->ts, v->row[r].thread);
		if (!t)
			return -ENOMEM;
		for (size_t i = 0; i < t->nr; i++) {
			const struct sf_slice *s = &t->iv[i];

			if (s->state == SF_STATE_BLOCKED &&
			    add(h, r, leaf(v, s->stack), s->hi - s->lo))
				return -ENOMEM;
		}
	}
	return 0;
}

static int choose(struct histogram *h)
{
	uint64_t *ns = calloc(h->str.nr + 1, sizeof(*ns));
	size_t k;

	if (!ns)
		return -ENOMEM;
	for (size_t i = 0; i < h->nr; i++)
		ns[h->cell[i].name] += h->cell[i].ns;
	for (uint32_t id = 1; id <= h->str.nr; id++) {
		for (k = h->nr_top; k && ns[h->top[k - 1]] < ns[id]; k--)
			if (k < FRAMES)
				h->top[k] = h->top[k - 1];
		if (k < FRAMES) {
			h->top[k] = id;
			h->nr_top += h->nr_top < FRAMES;
		}
	}
	free(ns);
	return 0;
}

static uint64_t at(const struct histogram *h, uint32_t row, uint32_t name)
{
	uint32_t i = sf_map64_get(&h->at, (uint64_t)row << 32 | name, UINT32_MAX);

	return i == UINT32_MAX ? 0 : h->cell[i].ns;
}

static bool table(struct plot *p, struct histogram *h, const struct window_view *v,
		  size_t *rows, size_t *longest)
{
	uint64_t others = 0;
	char name[160];

	sf_str_add(&p->tsv, "\"row\"\t\"thread\"");
	for (size_t k = 0; k < h->nr_top; k++) {
		plot_tab(p);
		plot_head(p, sf_strtab_text(&h->str, h->top[k]), FRAME_LABEL, &h->longest);
	}
	sf_str_add(&p->tsv, "\t\"others\"\n");
	*rows = 0;
	for (uint32_t r = 0; r < v->nr; r++) {
		uint64_t rest = h->total[r];

		if (!rest)
			continue;
		window_row_name(v, r, name, sizeof(name));
		sf_str_addf(&p->tsv, "%zu\t", ++*rows);
		plot_head(p, name, LABEL, longest);
		for (size_t k = 0; k < h->nr_top; k++) {
			uint64_t ns = at(h, r, h->top[k]);

			plot_tab(p);
			plot_number(p, (double)ns / 1e6);
			rest -= ns;
		}
		plot_tab(p);
		plot_number(p, (double)rest / 1e6);
		plot_row(p);
		others += rest;
	}
	return others > 0;
}

static void commands(struct plot *p, const struct histogram *h, size_t rows, size_t longest, bool others)
{
	size_t nr = h->nr_top + others;

	p->height = 80 + 22 * (unsigned)rows;
	sf_str_addf(&p->setup, "set xrange [0:*]\nset yrange [%zu.6:0.4]\n"
		    "set xlabel \"blocked in this pause (ms)\" offset 0,0.6\nset ytics scale 0\n"
		    "set border 1\nset grid xtics noytics\n", rows);
	plot_margin_left(p, longest);
	plot_key_below(p, h->longest, nr);
	for (size_t k = 0; k < nr; k++)
		sf_str_addf(&p->setup, "set linetype %zu lc rgb \"%s\"\n", k + 1,
			    others && k == nr - 1 ? "#dddddd" : plot_palette[k]);
	sf_str_addf(&p->plot, "  plot for [i=3:%zu] 'kernel.tsv' using (0):1:(i == 3 ? 0 : sum [k=3:i-1] "
		    "column(k)):(sum [k=3:i] column(k)):($1-0.36):($1+0.36):ytic(2) with boxxyerror "
		    "lt i-2 title columnheader(i)\n", nr + 2);
}

int plot_kernel(struct plot *p)
{
	const struct sf_window_ref *ref = plot_window(p->in);
	struct histogram h = { 0 };
	struct window_view v;
	char name[120];
	size_t rows = 0, longest = 0;
	bool others;
	int ret;

	if (!ref || !(ref->rec->has_switch_stacks || ref->rec->has_polls))
		return plot_nothing(p, ref ? "the recording has no stacks of blocked threads" :
				    "a recording is needed");
	ret = window_view_init(&v, ref);
	if (!ret)
		ret = fill(&h, &v);
	if (!ret)
		ret = choose(&h);
	if (!ret) {
		others = table(p, &h, &v, &rows, &longest);
		commands(p, &h, rows, longest, others);
		plot_window_name(p->in, ref, name, sizeof(name));
		plot_caption(p, "%s: ms that each thread was blocked, by the innermost kernel function.",
			     name);
	}
	window_view_release(&v);
	free(h.cell);
	sf_map64_release(&h.at);
	sf_strtab_release(&h.str);
	if (ret)
		return -ENOMEM;
	return rows ? 1 : plot_nothing(p, "no thread was blocked");
}
