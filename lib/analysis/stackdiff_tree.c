/* SPDX-License-Identifier: GPL-2.0-only */
/* The tree of all call paths of both sides, with the share of every file in each. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/folded.h>
#include <snapflame/same_name.h>

#include "analysis/stackdiff_internal.h"

/* Deeper frames count for the frame at that depth: nobody reads them, and recursion stays small. */
enum { MAX_DEPTH = 512 };

/* Room for those of one node more. */
static int add_shares(struct sf_stackdiff_build *b)
{
	size_t cells;

	if (__builtin_mul_overflow(b->nr + 1, b->files, &cells) ||
	    SF_GROW(b->share, cells, b->share_alloc))
		return -ENOMEM;
	memset(sf_stackdiff_shares(b, b->nr), 0, b->files * sizeof(*b->share));
	return 0;
}

static int child_of(struct sf_stackdiff_build *b, uint32_t parent, uint32_t name, uint32_t *child)
{
	uint32_t *at = sf_map64_at(&b->at, (uint64_t)parent << 32 | name, NULL);

	if (!at || !name)
		return -ENOMEM;
	if (!*at) {
		if (add_shares(b) || SF_GROW(b->node, b->nr + 1, b->alloc))
			return -ENOMEM;
		b->node[b->nr] = (struct sf_stackdiff_node){
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

/* Where the path of a line ends, made where it is new. */
static int path_of(struct sf_stackdiff_build *b, const char *line, size_t len, uint32_t *node)
{
	int ret = 0;

	*node = 0;
	for (size_t depth = 0; !ret && len && depth < MAX_DEPTH; depth++) {
		const char *end = memchr(line, ';', len);
		size_t n = end ? (size_t)(end - line) : len;
		bool piece;
		uint32_t name = sf_strtab_idn(&b->str, line, sf_function_name(line, n, &piece));

		/* A function that called a part of itself is one frame. */
		if (!piece || !*node || b->node[*node].name != name)
			ret = child_of(b, *node, name, node);
		line += n + (end != NULL);
		len -= n + (end != NULL);
	}
	return ret;
}

static int new_line(struct sf_stackdiff_build *b, const char *line, size_t len)
{
	struct sf_stackdiff *d = b->d;
	const char *stack = sf_arena_strndup(&d->arena, line, len);

	if (!stack || SF_GROW(d->line, d->nr_lines + 1, d->line_alloc) ||
	    SF_GROW(b->line_node, d->nr_lines + 1, b->line_node_alloc))
		return -ENOMEM;
	d->line[d->nr_lines] = (struct sf_stackdiff_line){ .stack = stack };
	return path_of(b, line, len, &b->line_node[d->nr_lines++]);
}

/* Where the weight of such a line goes, made where it is new: index + 1, or 0 without memory. */
static uint32_t line_of(struct sf_stackdiff_build *b, const char *line, size_t len)
{
	uint32_t id = sf_strtab_idn(&b->str, line, len);
	uint32_t *at = id ? sf_map64_at(&b->line_at, id, NULL) : NULL;

	if (!at)
		return 0;
	if (!*at) {
		if (new_line(b, line, len))
			return 0;
		*at = (uint32_t)b->d->nr_lines;
	}
	return *at;
}

static void add_to(struct sf_stackdiff_build *b, uint32_t line, uint64_t weight)
{
	add_weight(&b->d->line[line - 1].weight[b->side], weight);
	add_weight(&b->d->total[b->side], weight);
	b->weight += (double)weight;
	sf_stackdiff_shares(b, b->line_node[line - 1])[b->column] += (double)weight;
}

static int take(void *arg, const char *line, size_t len, uint64_t weight)
{
	struct sf_stackdiff_build *b = arg;
	uint32_t at = line_of(b, line, len);

	if (!at)
		return -ENOMEM;
	add_to(b, at, weight);
	return 0;
}

/* ------------------------------------------------------------------------- folded text */

/* The line that a fold would have made of it: each name safe. */
static uint32_t line_of_raw(struct sf_stackdiff_build *b, const char *stack, size_t len)
{
	const char *p = stack, *end = stack + len;

	sf_str_reset(&b->text);
	for (;;) {
		const char *semi = memchr(p, ';', (size_t)(end - p));
		uint32_t id = sf_fold_namer_safe(&b->namer, p, (size_t)((semi ? semi : end) - p));

		if (!id)
			return 0;
		sf_str_addn(&b->text, sf_strtab_text(&b->namer.names, id),
			    sf_strtab_len(&b->namer.names, id));
		if (!semi)
			break;
		sf_str_addch(&b->text, ';');
		p = semi + 1;
	}
	return sf_str_failed(&b->text) ? 0 : line_of(b, b->text.buf, b->text.len);
}

/* Files of one program repeat each other's lines: a line that was there before costs one look-up. */
static int take_raw(struct sf_stackdiff_build *b, const struct sf_folded_line *l)
{
	size_t known = b->raw.nr;
	uint32_t id;

	if (!l->weight[0])
		return 0;
	id = sf_strtab_idn(&b->raw, l->stack, l->len);
	if (!id)
		return -ENOMEM;
	if (id > known) {
		if (SF_GROW(b->raw_line, b->raw.nr, b->raw_alloc))
			return -ENOMEM;
		b->raw_line[id - 1] = line_of_raw(b, l->stack, l->len);
	}
	if (!b->raw_line[id - 1])
		return -ENOMEM;
	add_to(b, b->raw_line[id - 1], l->weight[0]);
	return 0;
}

static int take_text(struct sf_stackdiff_build *b, struct sf_folded *in, const char *path,
		     struct sf_error *err)
{
	const struct sf_folded_line *l;
	int ret;

	while ((ret = sf_folded_next(in, &l, err)) > 0) {
		if (l->columns != 1)
			return sf_error_at(err, -EINVAL, path, l->line,
					   "two weights: this is a comparison already, and here one "
					   "file is one recording");
		if (take_raw(b, l))
			return sf_error_at(err, -ENOMEM, path, l->line, "no memory");
	}
	return ret;
}

/* ------------------------------------------------------------------------------ files */

int sf_stackdiff_new(struct sf_stackdiff **out, size_t nr_fast, size_t nr_slow, struct sf_error *err)
{
	static const struct sf_fold_opts plain;
	struct sf_stackdiff *d = calloc(1, sizeof(*d));
	struct sf_stackdiff_build *b = calloc(1, sizeof(*b));

	*out = NULL;
	if (d && b) {
		*b = (struct sf_stackdiff_build){ .d = d, .files = nr_fast + nr_slow };
		b->next[SF_SLOW] = nr_fast;
		sf_fold_namer_init(&b->namer, &plain);
		d->build = b;
		d->nr[SF_FAST] = nr_fast;
		d->nr[SF_SLOW] = nr_slow;
	}
	if (!d || !b || add_shares(b) || SF_GROW(b->node, 1, b->alloc)) {
		if (!d || !d->build)
			free(b);
		sf_stackdiff_free(d);
		return sf_error_set(err, -ENOMEM, "out of memory");
	}
	b->node[b->nr++] = (struct sf_stackdiff_node){ 0 };
	*out = d;
	return 0;
}

static int begin_file(struct sf_stackdiff_build *b, enum sf_side side, struct sf_error *err)
{
	size_t end = side == SF_FAST ? b->d->nr[SF_FAST] : b->files;

	if (b->next[side] >= end)
		return sf_error_set(err, -EINVAL, "more files than were announced");
	b->side = side;
	b->column = b->next[side]++;
	b->weight = 0;
	return 0;
}

/* Weights become shares. */
static int end_file(struct sf_stackdiff_build *b, struct sf_error *err)
{
	if (!(b->weight > 0))
		return sf_error_set(err, -EINVAL, "no stacks on the %s side: nothing to compare",
				    b->side == SF_FAST ? "fast" : "slow");
	for (size_t i = 0; i < b->nr; i++)
		sf_stackdiff_shares(b, i)[b->column] *= 100 / b->weight;
	return 0;
}

static int keep_event(struct sf_stackdiff *d, enum sf_side side, const char *event)
{
	if (event && !d->event[side])
		d->event[side] = sf_arena_strndup(&d->arena, event, strlen(event));
	return event && !d->event[side] ? -ENOMEM : 0;
}

int sf_stackdiff_add(struct sf_stackdiff *d, enum sf_side side, struct sf_fold *fold,
		     struct sf_error *err)
{
	int ret = begin_file(d->build, side, err);

	if (ret)
		return ret;
	if (sf_fold_each(fold, take, d->build) || keep_event(d, side, sf_fold_event(fold)))
		return sf_error_set(err, -ENOMEM, "out of memory");
	return end_file(d->build, err);
}

int sf_stackdiff_add_folded(struct sf_stackdiff *d, enum sf_side side, struct sf_folded *in,
			    const char *path, struct sf_error *err)
{
	int ret = begin_file(d->build, side, err);

	if (!ret)
		ret = take_text(d->build, in, path, err);
	return ret ? ret : end_file(d->build, err);
}

void sf_stackdiff_build_free(struct sf_stackdiff_build *b)
{
	if (!b)
		return;
	free(b->node);
	free(b->share);
	free(b->row_node);
	free(b->line_node);
	free(b->rest);
	free(b->raw_line);
	sf_strtab_release(&b->str);
	sf_strtab_release(&b->raw);
	sf_fold_namer_release(&b->namer);
	sf_str_release(&b->text);
	sf_map64_release(&b->at);
	sf_map64_release(&b->line_at);
	free(b);
}
