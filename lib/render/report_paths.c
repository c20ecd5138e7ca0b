/* SPDX-License-Identifier: GPL-2.0-only */
/* The table of all paths of a diff, as a tree: callers above what they call. */
#include <math.h>
#include <stdlib.h>

#include <snapflame/diff_paths.h>

#include "render/markup.h"
#include "render/report.h"

static const double worth_a_line = 0.01; /* of the longer pause, on either side */
enum { MAX_ROWS = 200, MAX_INDENT = 16 };

struct tree {
	const struct sf_diff *d;
	const struct sf_diff_paths *t;
	size_t *child, *next; /* rows; 0 is none, as the root is nobody's child */
	size_t *open;         /* rows to be printed, the next one last */
	unsigned *depth;
};

static double size_of(const struct sf_path_row *r)
{
	return fmax(r->inclusive.ms[SF_FAST], r->inclusive.ms[SF_SLOW]);
}

static int tree_init(struct tree *x, const struct sf_diff *d, const struct sf_diff_paths *t)
{
	size_t n = t->nr_rows;

	*x = (struct tree){ .d = d, .t = t };
	x->child = calloc(3 * n, sizeof(*x->child));
	x->depth = calloc(n, sizeof(*x->depth));
	if (!x->child || !x->depth)
		return -1;
	x->next = x->child + n;
	x->open = x->next + n;
	for (size_t i = n; i-- > 1;) {
		x->next[i] = x->child[t->row[i].parent];
		x->child[t->row[i].parent] = i;
	}
	/* Parents come before their children. */
	for (size_t i = 1; i < n; i++)
		x->depth[i] = x->depth[t->row[i].parent] + 1;
	return 0;
}

static void tree_release(struct tree *x)
{
	free(x->child);
	free(x->depth);
}

static void change(struct sf_str *out, const struct sf_path_change *c)
{
	sf_str_add(out, "<td class=\"n\">");
	sf_markup_ms(out, c->ms[SF_FAST]);
	sf_str_add(out, "</td><td class=\"n\">");
	sf_markup_ms(out, c->ms[SF_SLOW]);
	sf_str_add(out, "</td><td class=\"n\">");
	sf_markup_signed_ms(out, c->ms[SF_SLOW] - c->ms[SF_FAST]);
	sf_str_add(out, "</td><td class=\"n\">");
	if (c->interval.known) {
		sf_markup_signed_ms(out, c->interval.lo);
		sf_str_add(out, " to ");
		sf_markup_signed_ms(out, c->interval.hi);
	}
	sf_str_add(out, "</td><td class=\"n\">");
	if (!isnan(c->q))
		sf_str_addf(out, c->q < 0.001 ? "&lt; 0.001" : "%.3f", c->q);
	sf_str_add(out, "</td>");
}

static void line(struct sf_str *out, const struct tree *x, size_t row)
{
	const struct sf_path_row *r = &x->t->row[row];
	const struct sf_path *p = &x->d->profile.path[r->path];

	sf_str_add(out, r->class == SF_PATH_UNCLEAR ? "<tr class=\"grey\"><td>" : "<tr><td>");
	for (unsigned i = 0; i < x->depth[row] && i < MAX_INDENT; i++)
		sf_str_add(out, "&#160;");
	if (row)
		sf_markup_xml(out, sf_diff_text(x->d, p->label));
	else
		sf_str_add(out, "the pause");
	sf_str_addf(out, "</td><td>%s</td>", sf_path_class_name(r->class));
	change(out, &r->inclusive);
	change(out, &r->exclusive);
	sf_str_add(out, "</tr>\n");
}

static void lines(struct sf_str *out, struct tree *x)
{
	double least = worth_a_line * size_of(&x->t->row[0]);
	size_t nr = 0, printed = 0, left = 0;

	x->open[nr++] = 0;
	while (nr) {
		size_t row = x->open[--nr];

		if (printed < MAX_ROWS)
			line(out, x, row);
		left += printed++ >= MAX_ROWS;
		for (size_t c = x->child[row]; c; c = x->next[c])
			if (size_of(&x->t->row[c]) >= least)
				x->open[nr++] = c;
	}
	if (left)
		sf_str_addf(out, "<tr><td colspan=\"12\">%zu more</td></tr>\n", left);
}

static void table(struct sf_str *out, struct tree *x)
{
	static const char columns[] = "<th class=\"n\">fast ms</th><th class=\"n\">slow ms</th>"
				      "<th class=\"n\">Δ ms</th><th class=\"n\">95 % of Δ</th>"
				      "<th class=\"n\">q</th>";

	sf_str_addf(out, "<details class=\"table\"><summary>Paths, with what they call and by themselves"
			 "</summary>\n<div class=\"wide\"><table><thead>\n<tr><th rowspan=\"2\">path</th>"
			 "<th rowspan=\"2\"></th><th colspan=\"5\">with what it calls</th>"
			 "<th colspan=\"5\">by itself</th></tr>\n<tr>%s%s</tr></thead>\n<tbody>\n",
		    columns, columns);
	lines(out, x);
	sf_str_addf(out, "</tbody></table></div>\n<p class=\"small\">Times are of the median windows: Δ "
			 "by itself sums to that of the pause. Intervals are of the difference of each "
			 "path's medians over %zu + %zu windows; q is the share of false discoveries "
			 "among %zu paths (Benjamini-Hochberg). Grey: noise would do as much. Paths with 1 "
			 "%% of the pause or more; snapflame diff --json has all.</p>\n</details>\n",
		    x->d->nr[SF_FAST], x->d->nr[SF_SLOW], x->t->tested);
}

void report_paths(struct sf_str *out, const struct sf_diff *d)
{
	struct sf_diff_paths *t;
	struct tree x;

	if (sf_diff_paths_make(&t, d)) {
		out->failed = true;
		return;
	}
	if (t->nr_rows && tree_init(&x, d, t)) {
		out->failed = true;
		tree_release(&x);
	} else if (t->nr_rows) {
		table(out, &x);
		tree_release(&x);
	}
	sf_diff_paths_free(t);
}
