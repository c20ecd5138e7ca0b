/* SPDX-License-Identifier: GPL-2.0-only */
/* Which call paths changed their share: rows, tests, and what merely swapped. */
#include <snapflame/stackdiff.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/stackdiff_internal.h"

static const double least_pct = 0.5;    /* a change that is worth a row, percentage points */
static const double concentrated = 0.8; /* of the change is under one child: go on there */
static const double stayed = 0.2;       /* of a row's change: a caller that changed less kept its share */
static const double all_of_it = 80;     /* %: who has that keeps it, whatever happens below */

static double delta(const struct sf_stackdiff_node *n)
{
	return n->total[SF_SLOW] - n->total[SF_FAST];
}

static double mean(const double *v, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += v[i];
	return sum / (double)n;
}

/* Children add to their parents; means of the sides, and what changed most below each node. */
static void sum_up(struct sf_stackdiff_build *b)
{
	const size_t *nr = b->d->nr;

	for (size_t i = b->nr; i-- > 1;) {
		double *up = sf_stackdiff_shares(b, b->node[i].parent), *here = sf_stackdiff_shares(b, i);

		for (size_t k = 0; k < b->files; k++)
			up[k] += here[k];
	}
	for (size_t i = b->nr; i-- > 0;) {
		struct sf_stackdiff_node *n = &b->node[i], *up = &b->node[n->parent];

		n->total[SF_FAST] = mean(sf_stackdiff_shares(b, i), nr[SF_FAST]);
		n->total[SF_SLOW] = mean(sf_stackdiff_shares(b, i) + nr[SF_FAST], nr[SF_SLOW]);
		n->churn = fmax(n->churn, fabs(delta(n)));
		up->churn = fmax(up->churn, n->churn);
	}
}

/* --------------------------------------------------------------------------- the rows */

static int fill_frames(struct sf_stackdiff_build *b, struct sf_stackdiff_row *r, uint32_t at)
{
	struct sf_stackdiff *d = b->d;
	size_t n = 0;

	for (uint32_t i = at; i; i = b->node[i].parent)
		n++;
	r->frame = sf_arena_alloc(&d->arena, (n ? n : 1) * sizeof(*r->frame));
	if (!r->frame)
		return -ENOMEM;
	for (uint32_t i = at; i; i = b->node[i].parent) {
		const char *name = sf_strtab_text(&b->str, b->node[i].name);

		r->frame[r->nr_frames] = sf_arena_strndup(&d->arena, name, strlen(name));
		if (!r->frame[r->nr_frames++])
			return -ENOMEM;
	}
	return 0;
}

static double *rest_of(const struct sf_stackdiff_build *b, size_t row)
{
	return b->rest + row * b->files;
}

/* A row for the node, less what rows below it have. */
static int add_row(struct sf_stackdiff_build *b, uint32_t at, const double *covered)
{
	struct sf_stackdiff *d = b->d;
	size_t alloc = b->row_alloc;
	struct sf_stackdiff_row *r;
	double *rest;

	if (SF_GROW(d->row, d->nr_rows + 1, d->row_alloc) ||
	    SF_GROW(b->row_node, d->nr_rows + 1, alloc) ||
	    SF_GROW(b->rest, (d->nr_rows + 1) * b->files, b->rest_alloc))
		return -ENOMEM;
	b->row_alloc = alloc;
	rest = rest_of(b, d->nr_rows);
	for (size_t k = 0; k < b->files; k++)
		rest[k] = sf_stackdiff_shares(b, at)[k] - covered[k];
	b->row_node[d->nr_rows] = at;
	r = &d->row[d->nr_rows++];
	*r = (struct sf_stackdiff_row){ .p = NAN, .q = NAN };
	r->pct[SF_FAST] = sf_median(rest, d->nr[SF_FAST]);
	r->pct[SF_SLOW] = sf_median(rest + d->nr[SF_FAST], d->nr[SF_SLOW]);
	r->delta_pct = r->pct[SF_SLOW] - r->pct[SF_FAST];
	return fill_frames(b, r, at);
}

/* The child that has nearly all of the node's change. */
static uint32_t heir(const struct sf_stackdiff_build *b, uint32_t at)
{
	double d = delta(&b->node[at]);

	for (uint32_t c = b->node[at].child; c; c = b->node[c].sibling)
		if (delta(&b->node[c]) * (d < 0 ? -1 : 1) >= concentrated * fabs(d))
			return c;
	return 0;
}

/* Rows for the changes at and below a node; covered (by file) is what they hold of its share. */
static int rows_of(struct sf_stackdiff_build *b, uint32_t at, double *covered)
{
	uint32_t only = at ? heir(b, at) : 0;
	double *below = calloc(b->files, sizeof(*below)), change;
	const size_t *nr = b->d->nr;
	int ret = below ? 0 : -ENOMEM;

	memset(covered, 0, b->files * sizeof(*covered));
	for (uint32_t c = b->node[at].child; !ret && c; c = b->node[c].sibling) {
		if (c != only && b->node[c].churn < least_pct)
			continue;
		ret = rows_of(b, c, below);
		for (size_t k = 0; k < b->files; k++)
			covered[k] += below[k];
	}
	free(below);
	if (ret || !at)
		return ret;
	change = delta(&b->node[at]) - mean(covered + nr[SF_FAST], nr[SF_SLOW]) +
		 mean(covered, nr[SF_FAST]);
	if (fabs(change) < least_pct)
		return 0;
	ret = add_row(b, at, covered);
	memcpy(covered, sf_stackdiff_shares(b, at), b->files * sizeof(*covered));
	return ret;
}

/* --------------------------------------------------------------------------- statistics */

/* Means found the rows, and one odd file moves a mean: what the medians do not show is noise. */
static void drop_noise(struct sf_stackdiff_build *b)
{
	struct sf_stackdiff *d = b->d;
	size_t n = 0;

	for (size_t i = 0; i < d->nr_rows; i++) {
		if (fabs(d->row[i].delta_pct) < least_pct && !d->row[i].significant)
			continue;
		d->row[n] = d->row[i];
		b->row_node[n++] = b->row_node[i];
	}
	d->nr_rows = n;
}

/*
 * The rows were picked because they changed: they are judged as some of all call paths, and each of
 * those is asked, too.
 */
static int test_rows(struct sf_stackdiff_build *b)
{
	struct sf_stackdiff *d = b->d;
	size_t paths = b->nr - 1 + d->nr_rows, row = b->nr - 1;
	struct sf_paths_opts opts = { .two_sided = true };
	struct sf_paths_info info = { 0 };
	struct sf_path_diff *out;
	double *v;
	int ret = -ENOMEM;

	if (d->nr[SF_FAST] + d->nr[SF_SLOW] < 3)
		return 0;
	v = calloc(paths * b->files + 1, sizeof(*v));
	out = calloc(paths + 1, sizeof(*out));
	if (v && out) {
		memcpy(v, sf_stackdiff_shares(b, 1), row * b->files * sizeof(*v));
		if (d->nr_rows) /* else there is no rest, and none to copy from */
			memcpy(v + row * b->files, b->rest, d->nr_rows * b->files * sizeof(*v));
		ret = sf_paths_diff(v, paths, d->nr[SF_FAST], d->nr[SF_SLOW], &opts, out, &info);
	}
	for (size_t i = 0; !ret && i < d->nr_rows; i++) {
		d->row[i].interval = out[row + i].interval;
		d->row[i].p = out[row + i].p;
		d->row[i].q = out[row + i].q;
		d->row[i].significant = out[row + i].differs;
	}
	d->tested = info.tested;
	if (!ret)
		drop_noise(b);
	free(v);
	free(out);
	return ret;
}

/* --------------------------------------------------------------------- what merely swapped */

/* The highest node above (or at) row's that changed because of it: its caller did not, or less. */
static uint32_t caller_of(const struct sf_stackdiff_build *b, uint32_t at, double change)
{
	while (b->node[at].parent && fabs(delta(&b->node[at])) > stayed * fabs(change) &&
	       delta(&b->node[at]) * change > 0)
		at = b->node[at].parent;
	return at;
}

/*
 * The caller kept its share, and that says something: shares of the whole program cannot but be
 * kept.
 */
static void find_shift(struct sf_stackdiff_build *b, size_t row)
{
	struct sf_stackdiff_row *r = &b->d->row[row];
	uint32_t up = caller_of(b, b->row_node[row], r->delta_pct);
	const struct sf_stackdiff_node *n = &b->node[up];

	r->shift = n->parent && fabs(delta(n)) <= stayed * fabs(r->delta_pct) &&
		   fmax(n->total[SF_FAST], n->total[SF_SLOW]) < all_of_it;
	b->row_node[row] = r->shift ? up : 0;
}

static bool absent(const double *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] > 0)
			return false;
	return true;
}

static void find_new(struct sf_stackdiff_build *b, size_t row)
{
	const double *v = sf_stackdiff_shares(b, b->row_node[row]);
	const size_t *nr = b->d->nr;

	if (absent(v, nr[SF_FAST]))
		b->d->row[row].note = SF_STACKDIFF_NEW;
	else if (absent(v + nr[SF_FAST], nr[SF_SLOW]))
		b->d->row[row].note = SF_STACKDIFF_VANISHED;
}

/* One came where another of its size went, under a caller that kept its share: another name for it. */
static void match_names(struct sf_stackdiff_build *b)
{
	struct sf_stackdiff *d = b->d;

	for (size_t i = 0; i < d->nr_rows; i++)
		for (size_t k = 0; k < d->nr_rows; k++) {
			struct sf_stackdiff_row *a = &d->row[i], *z = &d->row[k];

			if (a->note != SF_STACKDIFF_NEW || z->note != SF_STACKDIFF_VANISHED ||
			    !a->shift || !z->shift || b->row_node[i] != b->row_node[k] ||
			    fabs(a->delta_pct + z->delta_pct) > stayed * a->delta_pct)
				continue;
			a->note = z->note = SF_STACKDIFF_RENAMED;
			a->partner = k;
			z->partner = i;
		}
}

static void find_shifts(struct sf_stackdiff_build *b)
{
	for (size_t i = 0; i < b->d->nr_rows; i++)
		find_new(b, i);
	for (size_t i = 0; i < b->d->nr_rows; i++)
		find_shift(b, i);
	match_names(b);
}

/* ------------------------------------------------------------------------- order of the rows */

static int by_growth(const void *a, const void *b)
{
	const struct sf_stackdiff_row *x = a, *y = b;

	if (x->delta_pct != y->delta_pct)
		return x->delta_pct > y->delta_pct ? -1 : 1;
	return x->nr_frames && y->nr_frames ? strcmp(x->frame[0], y->frame[0]) : 0;
}

/* Partners are found by number: they follow their rows. */
static int sort_rows(struct sf_stackdiff *d)
{
	size_t *old = calloc(d->nr_rows + 1, sizeof(*old)), *now = calloc(d->nr_rows + 1, sizeof(*now));

	if (!old || !now) {
		free(old);
		free(now);
		return -ENOMEM;
	}
	for (size_t i = 0; i < d->nr_rows; i++) {
		old[i] = d->row[i].partner;
		d->row[i].partner = i;
	}
	if (d->nr_rows)
		qsort(d->row, d->nr_rows, sizeof(*d->row), by_growth);
	for (size_t i = 0; i < d->nr_rows; i++)
		now[d->row[i].partner] = i;
	for (size_t i = 0; i < d->nr_rows; i++)
		d->row[i].partner = now[old[d->row[i].partner]];
	free(old);
	free(now);
	return 0;
}

static int by_stack(const void *a, const void *b)
{
	const struct sf_stackdiff_line *x = a, *y = b;

	return strcmp(x->stack, y->stack);
}

/* ----------------------------------------------------------------------------- together */

static int make_rows(struct sf_stackdiff_build *b)
{
	double *covered = calloc(b->files, sizeof(*covered));
	int ret = covered ? 0 : -ENOMEM;

	sum_up(b);
	if (!ret)
		ret = rows_of(b, 0, covered);
	free(covered);
	if (!ret)
		ret = test_rows(b);
	if (!ret)
		find_shifts(b);
	return ret ? ret : sort_rows(b->d);
}

int sf_stackdiff_finish(struct sf_stackdiff *d, struct sf_error *err)
{
	int ret = 0;

	for (int s = 0; s < SF_NR_SIDES; s++)
		if (!d->total[s])
			return sf_error_set(err, -EINVAL, "no stacks on the %s side: nothing to compare",
					    s == SF_FAST ? "fast" : "slow");
	ret = make_rows(d->build);
	if (!ret)
		ret = sf_stackdiff_hows(d);
	sf_stackdiff_build_free(d->build);
	d->build = NULL;
	if (ret)
		return sf_error_set(err, ret, "out of memory");
	if (d->nr_lines)
		qsort(d->line, d->nr_lines, sizeof(*d->line), by_stack);
	d->why = "stacks without BRANCHes tell shares of samples, not how long anybody waited; record "
		 "with snapflame record";
	return 0;
}

void sf_stackdiff_free(struct sf_stackdiff *d)
{
	if (!d)
		return;
	sf_stackdiff_build_free(d->build);
	free(d->row);
	free(d->line);
	sf_arena_release(&d->arena);
	free(d);
}
