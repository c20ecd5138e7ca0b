/* SPDX-License-Identifier: GPL-2.0-only */
/* A stackdiff in the making: stackdiff_tree.c takes the files in, stackdiff.c finds what changed. */
#ifndef ANALYSIS_STACKDIFF_INTERNAL_H
#define ANALYSIS_STACKDIFF_INTERNAL_H

#include <snapflame/stackdiff.h>
#include <snapflame/table.h>

#include "analysis/fold_names.h"

struct sf_stackdiff_node {
	uint32_t parent, name, child, sibling;
	double total[SF_NR_SIDES]; /* mean of the side's files, % */
	double churn; /* largest change of it or anything below: changes may cancel out above */
};

/* How the first file of a side that says so was recorded. */
struct sf_stackdiff_how {
	const char *text, *path; /* NULL: not known */
};

struct sf_stackdiff_build {
	struct sf_stackdiff *d;
	struct sf_stackdiff_how how[SF_NR_SIDES][SF_STACKDIFF_HOWS];
	struct sf_strtab str;
	struct sf_stackdiff_node *node; /* 0 is the root; children come after their parents */
	size_t nr, alloc;
	double *share; /* by node and file, % of the file's weight; exclusive, then inclusive */
	size_t share_alloc;
	size_t files, next[SF_NR_SIDES]; /* all of them; the column that the next file of a side has */
	uint32_t *row_node;
	double *rest; /* by row and file: the node's share less that of rows below it */
	size_t row_alloc, rest_alloc;
	struct sf_map64 at; /* parent and name -> node */
	struct sf_map64 line_at; /* stack's string id -> line index + 1 */
	uint32_t *line_node;     /* by line: where its path ends */
	size_t line_node_alloc;
	enum sf_side side;
	size_t column;
	double weight; /* of the file that is taken in */
	/* Of folded text: each line as it stood in a file, and which line that is. */
	struct sf_strtab raw;
	uint32_t *raw_line; /* by id in raw - 1: line index + 1 */
	size_t raw_alloc;
	struct sf_fold_namer namer;
	struct sf_str text; /* scratch */
};

static inline double *sf_stackdiff_shares(const struct sf_stackdiff_build *b, size_t node)
{
	return b->share + node * b->files;
}

void sf_stackdiff_build_free(struct sf_stackdiff_build *b);

/* Say where the sides were recorded in different ways. */
int sf_stackdiff_hows(struct sf_stackdiff *d);

#endif
