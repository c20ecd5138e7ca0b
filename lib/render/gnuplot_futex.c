/* SPDX-License-Identifier: GPL-2.0-only */
/* Time waited on each futex, by thread: locks, which cost, and messages, which do not. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/tables.h>

#include "render/gnuplot.h"
#include "render/markup.h"

enum { ROWS = 14, LABEL = 42 };

enum key { ADDRESS, THREAD, TID, MS, KIND, WOKEN_BY, NR_KEYS };

struct columns {
	size_t at[NR_KEYS];
};

static bool find_columns(const struct sf_table *t, struct columns *c)
{
	static const char *const key[NR_KEYS] = {
		"address", "thread", "tid", "ms", "kind", "woken_by",
	};

	for (int k = 0; k < NR_KEYS; k++) {
		size_t i;

		for (i = 0; i < t->nr_columns; i++)
			if (!strcmp(t->column[i].key, key[k]))
				break;
		if (i == t->nr_columns)
			return false;
		c->at[k] = i;
	}
	return true;
}

static const struct sf_cell *cell(const struct sf_table *t, size_t row, const struct columns *c,
				  enum key k)
{
	return sf_table_cell(t, row, c->at[k]);
}

static const char *text(const struct sf_cell *c)
{
	return c->type == SF_CELL_TEXT && c->text ? c->text : "";
}

/* What was drawn. */
struct drawn {
	size_t nr, locks; /* rows */
	size_t longest;   /* name of a row, characters */
};

/* Who waits and where: the row's name; who woke it: stands behind the bar. */
static void labels(struct plot *p, const struct sf_table *t, size_t row, const struct columns *c,
		   size_t *longest)
{
	const char *address = text(cell(t, row, c, ADDRESS)), *by = text(cell(t, row, c, WOKEN_BY));
	const struct sf_cell *tid = cell(t, row, c, TID);
	struct sf_str who = SF_STR_INIT, waker = SF_STR_INIT;

	sf_markup_cut(&who, text(cell(t, row, c, THREAD)), 16);
	if (tid->type == SF_CELL_INT)
		sf_str_addf(&who, " %lld", (long long)tid->i);
	sf_str_addf(&who, "  %s", *address ? address : "address not seen");
	if (*by)
		sf_str_addf(&waker, "woken by %s", by);
	plot_head(p, who.buf, LABEL, longest);
	plot_tab(p);
	plot_text(p, waker.len ? waker.buf : " ", 28);
	p->tsv.failed |= who.failed | waker.failed;
	sf_str_release(&who);
	sf_str_release(&waker);
}

/* Rows of the table are by time already. Locks and the rest are two blocks, with a colour each. */
static void rows(struct plot *p, const struct sf_table *t, const struct columns *c, double windows,
		 bool locks, struct drawn *d)
{
	d->nr = 0;
	for (size_t i = 0; i < t->nr_rows && d->nr < ROWS; i++) {
		const struct sf_cell *ms = cell(t, i, c, MS);
		bool lock = !strcmp(text(cell(t, i, c, KIND)), "contended");

		if (ms->type != SF_CELL_REAL || ms->d / windows < 0.01)
			continue;
		d->nr++;
		if (lock != locks)
			continue;
		sf_str_addf(&p->tsv, "%zu\t", d->nr);
		labels(p, t, i, c, &d->longest);
		plot_tab(p);
		plot_number(p, ms->d / windows);
		plot_row(p);
		d->locks += lock;
	}
}

static int draw(struct plot *p, const struct sf_table *t, const struct columns *c, size_t windows)
{
	struct drawn d = { 0 };
	double most = t->nr_rows && cell(t, 0, c, MS)->type == SF_CELL_REAL ?
			      cell(t, 0, c, MS)->d / (double)windows : 0;

	rows(p, t, c, (double)windows, true, &d);
	if (d.locks && d.locks < d.nr)
		plot_block(p);
	rows(p, t, c, (double)windows, false, &d);
	if (!d.nr)
		return plot_nothing(p, "no futex waits were seen");
	p->height = 90 + 22 * (unsigned)d.nr;
	plot_margin_left(p, d.longest);
	sf_str_addf(&p->setup, "set xrange [0:%.6g]\nset yrange [%zu.6:0.4]\n"
		    "set xlabel \"waited (ms per pause)\"\nset ytics scale 0\nset border 1\n"
		    "set grid xtics noytics\nset key above left horizontal Left reverse samplen 1\n",
		    1.65 * most, d.nr);
	sf_str_add(&p->plot, "  plot ");
	for (int k = 0; k < 2; k++) {
		if (k ? d.locks == d.nr : !d.locks)
			continue;
		sf_str_addf(&p->plot, "%s'futex.tsv' index %d using ($4/2):1:(0):4:($1-0.3):($1+0.3):"
			    "ytic(2) with boxxyerror fc rgb \"%s\" title \"%s\"",
			    k && d.locks ? ", \\\n    " : "", k && d.locks ? 1 : 0, k ? "#99bbdd" : "#ee6677",
			    k ? "for a message, or idle" : "for a lock");
	}
	sf_str_add(&p->plot, ", \\\n    'futex.tsv' using 4:1:3 with labels left offset 0.6,0 font \",10\" "
			     "notitle\n");
	return 1;
}

/* Windows of one recording: the slow side's of a comparison, all without one. */
static size_t choose(const struct sf_figures_input *in, const struct sf_recording *rec,
		     const struct sf_window **w)
{
	const struct sf_diff *d = in->diff;
	size_t n = 0;

	if (!d) {
		for (size_t i = 0; i < in->nr; i++)
			if (in->window[i].rec == rec)
				w[n++] = in->window[i].window;
		return n;
	}
	for (size_t i = d->nr[SF_FAST]; i < d->nr[SF_FAST] + d->nr[SF_SLOW]; i++)
		if (d->ref[i].rec == rec)
			w[n++] = d->ref[i].window;
	return n;
}

int plot_futex(struct plot *p)
{
	const struct sf_window_ref *ref = plot_window(p->in);
	const struct sf_window **w;
	struct sf_table_opts opts = { 0 };
	struct columns c;
	struct sf_table *t = NULL;
	struct sf_error err = SF_ERROR_INIT;
	int ret;

	if (!ref)
		return plot_nothing(p, "a recording is needed");
	w = calloc(p->in->nr + (p->in->diff ? p->in->diff->profile.nr_columns : 0) + 1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	opts.window = w;
	opts.nr_windows = choose(p->in, ref->rec, w);
	ret = sf_table_make(&t, ref->rec, SF_TABLE_FUTEX, &opts, &err);
	if (ret)
		ret = ret == -ENOMEM ? ret : plot_nothing(p, err.what);
	else if (!find_columns(t, &c))
		ret = plot_nothing(p, "no futex waits were seen");
	else
		ret = draw(p, t, &c, opts.nr_windows ? opts.nr_windows : 1);
	if (ret > 0)
		plot_caption(p, "ms per pause that threads waited on futexes, mean of %zu %swindow%s.",
			     opts.nr_windows, p->in->diff ? "slow " : "", opts.nr_windows == 1 ? "" : "s");
	sf_table_free(t);
	free(w);
	return ret;
}
