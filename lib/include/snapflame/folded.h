/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading folded stacks, as stackcollapse-*.pl, inferno, bcc's profile -f and snapflame fold write
 * them: "root;…;leaf 12", or "root;…;leaf 12 34" with the weight before and after. Reads what
 * flamegraph.pl reads, and the # comments that some tools add.
 */
#ifndef SNAPFLAME_FOLDED_H
#define SNAPFLAME_FOLDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <snapflame/error.h>
#include <snapflame/filetype.h>

struct sf_folded_line {
	const char *stack; /* not terminated; frames from the root, separated by ';' */
	size_t len;
	int columns;         /* 1 or 2 */
	uint64_t weight[2];  /* rounded where the text has a fraction */
	unsigned line;
};

struct sf_folded_stats {
	uint64_t lines;          /* delivered */
	uint64_t unrecognized;   /* lines that flamegraph.pl would ignore too */
	unsigned first_unrecognized;
	uint64_t rounded;        /* lines whose weight had a fraction */
};

struct sf_folded;

/* in is borrowed; path is for messages. */
int sf_folded_new(struct sf_folded **f, struct sf_input *in, const char *path,
		  struct sf_error *err);
void sf_folded_free(struct sf_folded *f);
/* 1 and a line, valid until the next call; 0 at the end; negative errno. */
int sf_folded_next(struct sf_folded *f, const struct sf_folded_line **line, struct sf_error *err);
const struct sf_folded_stats *sf_folded_stats(const struct sf_folded *f);

/* Split one line; false where it has no weight. */
bool sf_folded_parse(const char *text, size_t len, struct sf_folded_line *line, bool *rounded);

#endif
