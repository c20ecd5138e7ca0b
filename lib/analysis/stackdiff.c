/* SPDX-License-Identifier: GPL-2.0-only */
#include <snapflame/stackdiff.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Deeper frames count for the frame at that depth: nobody reads them, and recursion stays small. */
enum { MAX_DEPTH = 512 };

static const double least_pct = 0.5;    /* a change that is worth a row, percentage points */
static const double concentrated = 0.8; /* of the change is under one child: go on there */

struct node {
	uint32_t parent, name, child, sibling;
	double self[SF_NR_SIDES], total[SF_NR_SIDES];
	double churn; /* largest change of it or anything below: changes may cancel out above */
};

struct build {
	struct sf_stackdiff *d;
	struct sf_strtab str;
	struct node *node; /* 0 is the root; children come after their parents */
	size_t nr, alloc;
	struct sf_map64 at;
	struct sf_map64 line_at; /* stack's string id -> line index + 1 */
	enum sf_side side;
};

/* --------------------------------------------------------------------------- the tree */

static int child_of(struct build *b, uint32_t parent, uint32_t name, uint32_t *child)
{
	uint32_t *at = sf_map64_at(&b->at, (uint64_t)parent << 32 | name, NULL);

	if (!at || !name)
		return -ENOMEM;
	if (!*at) {
		if (SF_GROW(b->node, b->nr + 1, b->alloc))
			return -ENOMEM;
		b->node[b->nr] = (struct node){
			.parent = parent, .name = name, .sibling = b->node[parent].child,
		};
		b->node[parent].child = (uint32_t)b->nr;
		*at = (uint32_t)b->nr++;
	}
	*child = *at;
	return 0;
}

/* A sum that may not fit stays at the largest number. */
static void add_weight(uint64_t *sum, uint64_t weight)
{
	if (__builtin_add_overflow(*sum, weight, sum))
		*sum = UINT64_MAX;
}

static int add_line(struct build *b, const char *line, size_t len, uint64_t weight)
{
	uint32_t id = sf_strtab_idn(&b->str, line, len);
	uint32_t *at = id ? sf_map64_at(&b->line_at, id, NULL) : NULL;
	struct sf_stackdiff *d = b->d;

	if (!at)
		return -ENOMEM;
	if (!*at) {
		const char *stack = sf_arena_strndup(&d->arena, line, len);

		if (!stack || SF_GROW(d->line, d->nr_lines + 1, d->line_alloc))
			return -ENOMEM;
		d->line[d->nr_lines] = (struct sf_stackdiff_line){ .stack = stack };
		*at = (uint32_t)++d->nr_lines;
	}
	add_weight(&d->line[*at - 1].weight[b->side], weight);
	add_weight(&d->total[b->side], weight);
	return 0;
}

static int take(void *arg, const char *line, size_t len, uint64_t weight)
{
	struct build *b = arg;
	uint32_t node = 0;
	int ret = add_line(b, line, len, weight);

	for (size_t depth = 0; !ret && len && depth < MAX_DEPTH; depth++) {
		const char *end = memchr(line, ';', len);
		size_t n = end ? (size_t)(end - line) : len;

		ret = child_of(b, node, sf_strtab_idn(&b->str, line, n), &node);
		line += n + (end != NULL);
		len -= n + (end != NULL);
	}
	if (!ret)
		b->node[node].self[b->side] += (double)weight;
	return ret;
}

static double delta(const struct node *n)
{
	return n->total[SF_SLOW] - n->total[SF_FAST];
}

/* Weights become percent, and children add to their parents. */
static void sum_up(struct build *b)
{
	for (int s = 0; s < SF_NR_SIDES; s++) {
		double sum = 0, scale;

		for (size_t i = 0; i < b->nr; i++)
			sum += b->node[i].self[s];
		scale = 100 / sum;
		for (size_t i = 0; i < b->nr; i++)
			b->node[i].total[s] = b->node[i].self[s] *= scale;
		for (size_t i = b->nr; i-- > 1;)
			b->node[b->node[i].parent].total[s] += b->node[i].total[s];
	}
	for (size_t i = b->nr; i-- > 1;) {
		struct node *n = &b->node[i], *up = &b->node[n->parent];

		n->churn = fmax(n->churn, fabs(delta(n)));
		up->churn = fmax(up->churn, n->churn);
	}
}

/* --------------------------------------------------------------------------- the rows */

static int add_row(struct build *b, uint32_t at, const double pct[SF_NR_SIDES])
{
	struct sf_stackdiff *d = b->d;
	struct sf_stackdiff_row *r;
	size_t n = 0;

	for (uint32_t i = at; i; i = b->node[i].parent)
		n++;
	if (SF_GROW(d->row, d->nr_rows + 1, d->row_alloc))
		return -ENOMEM;
	r = &d->row[d->nr_rows++];
	*r = (struct sf_stackdiff_row){
		.frame = sf_arena_alloc(&d->arena, (n ? n : 1) * sizeof(*r->frame)),
		.pct = { pct[SF_FAST], pct[SF_SLOW] },
		.delta_pct = pct[SF_SLOW] - pct[SF_FAST],
	};
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

/* The child that has nearly all of the node's change. */
static uint32_t heir(const struct build *b, uint32_t at)
{
	double d = delta(&b->node[at]);

	for (uint32_t c = b->node[at].child; c; c = b->node[c].sibling)
		if (delta(&b->node[c]) * (d < 0 ? -1 : 1) >= concentrated * fabs(d))
			return c;
	return 0;
}

/* Rows for the changes at and below a node; covered is what they hold of its weight. */
static int rows_of(struct build *b, uint32_t at, double covered[SF_NR_SIDES])
{
	uint32_t only = at ? heir(b, at) : 0;
	double rest[SF_NR_SIDES];
	int ret = 0;

	covered[SF_FAST] = covered[SF_SLOW] = 0;
	for (uint32_t c = b->node[at].child; !ret && c; c = b->node[c].sibling) {
		double below[SF_NR_SIDES];

		if (c != only && b->node[c].churn < least_pct)
			continue;
		ret = rows_of(b, c, below);
		covered[SF_FAST] += below[SF_FAST];
		covered[SF_SLOW] += below[SF_SLOW];
	}
	for (int s = 0; s < SF_NR_SIDES; s++)
		rest[s] = b->node[at].total[s] - covered[s];
	if (ret || !at || fabs(rest[SF_SLOW] - rest[SF_FAST]) < least_pct)
		return ret;
	memcpy(covered, b->node[at].total, sizeof(b->node[at].total));
	return add_row(b, at, rest);
}

static int by_growth(const void *a, const void *b)
{
	const struct sf_stackdiff_row *x = a, *y = b;

	if (x->delta_pct != y->delta_pct)
		return x->delta_pct > y->delta_pct ? -1 : 1;
	return x->nr_frames && y->nr_frames ? strcmp(x->frame[0], y->frame[0]) : 0;
}

static int by_stack(const void *a, const void *b)
{
	const struct sf_stackdiff_line *x = a, *y = b;

	return strcmp(x->stack, y->stack);
}

/* ----------------------------------------------------------------------------- together */

static int take_side(struct build *b, enum sf_side side, struct sf_fold *fold, struct sf_error *err)
{
	const char *event = sf_fold_event(fold);
	int ret;

	b->side = side;
	ret = sf_fold_each(fold, take, b);
	if (ret)
		return ret;
	if (!b->d->total[side])
		return sf_error_set(err, -EINVAL, "no stacks on the %s side: nothing to compare",
				    side == SF_FAST ? "fast" : "slow");
	if (event) {
		b->d->event[side] = sf_arena_strndup(&b->d->arena, event, strlen(event));
		ret = b->d->event[side] ? 0 : -ENOMEM;
	}
	return ret;
}

static int make(struct build *b, struct sf_fold *fast, struct sf_fold *slow, struct sf_error *err)
{
	struct sf_stackdiff *d = b->d;
	double covered[SF_NR_SIDES];
	int ret;

	if (SF_GROW(b->node, 1, b->alloc))
		return -ENOMEM;
	b->node[b->nr++] = (struct node){ 0 };
	ret = take_side(b, SF_FAST, fast, err);
	if (!ret)
		ret = take_side(b, SF_SLOW, slow, err);
	if (ret)
		return ret;
	sum_up(b);
	ret = rows_of(b, 0, covered);
	if (d->nr_rows)
		qsort(d->row, d->nr_rows, sizeof(*d->row), by_growth);
	qsort(d->line, d->nr_lines, sizeof(*d->line), by_stack);
	d->why = "stacks without BRANCHes tell shares of samples, not how long anybody waited; record "
		 "with snapflame record";
	return ret;
}

int sf_stackdiff_make(struct sf_stackdiff **out, struct sf_fold *fast, struct sf_fold *slow,
		      struct sf_error *err)
{
	struct build b = { 0 };
	int ret = -ENOMEM;

	*out = NULL;
	b.d = calloc(1, sizeof(*b.d));
	if (b.d)
		ret = make(&b, fast, slow, err);
	free(b.node);
	sf_strtab_release(&b.str);
	sf_map64_release(&b.at);
	sf_map64_release(&b.line_at);
	if (ret) {
		sf_stackdiff_free(b.d);
		return ret == -ENOMEM ? sf_error_set(err, ret, "out of memory") : ret;
	}
	*out = b.d;
	return 0;
}

void sf_stackdiff_free(struct sf_stackdiff *d)
{
	if (!d)
		return;
	free(d->row);
	free(d->line);
	sf_arena_release(&d->arena);
	free(d);
}
