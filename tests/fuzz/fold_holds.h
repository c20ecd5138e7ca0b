/* SPDX-License-Identifier: GPL-2.0-only */
/* What must be true of anything that was folded. */
#ifndef TESTS_FUZZ_FOLD_HOLDS_H
#define TESTS_FUZZ_FOLD_HOLDS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/fold.h>
#include <snapflame/folded.h>
#include <snapflame/str.h>

#include "../unit/near_text.h"

struct folded_text {
	struct sf_str text, last;
	uint64_t sum;
	size_t lines;
};

/* Names of a line: UTF-8 without control characters, none empty. */
static inline void check_names(const char *line, size_t len)
{
	bool start = true;

	for (size_t i = 0; i < len;) {
		size_t n = sf_utf8_len(line + i, len - i);

		if (!n || (unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			abort();
		if (start && line[i] == ';')
			abort();
		start = line[i] == ';';
		i += n;
	}
	if (start)
		abort();
}

/* In order, each stack once, and what flamegraph.pl and this reader make of it is the line. */
static inline int check_line(void *arg, const char *line, size_t len, uint64_t weight)
{
	struct folded_text *t = arg;
	size_t start = t->text.len;
	struct sf_folded_line l;
	bool rounded;

	check_names(line, len);
	if (t->lines++ && strcmp(t->last.buf, line) >= 0)
		abort();
	sf_str_reset(&t->last);
	sf_str_addn(&t->last, line, len);
	sf_str_addn(&t->text, line, len);
	sf_str_addf(&t->text, " %llu", (unsigned long long)weight);
	if (!sf_folded_parse(t->text.buf + start, t->text.len - start, &l, &rounded) || rounded ||
	    l.columns != 1 || l.len != len || l.weight[0] != weight)
		abort();
	sf_str_addch(&t->text, '\n');
	if (__builtin_add_overflow(t->sum, weight, &t->sum))
		t->sum = UINT64_MAX;
	return 0;
}

static inline void print_fold(struct sf_fold *f, struct folded_text *t)
{
	*t = (struct folded_text){.text = SF_STR_INIT, .last = SF_STR_INIT};
	if (sf_fold_each(f, check_line, t))
		abort();
	/* No weight is lost, none is made up. */
	if (sf_fold_stats(f)->weight != t->sum)
		abort();
}

/* Folds f's lines once more: they must be the same. */
static inline void check_fold(struct sf_fold *f)
{
	struct folded_text first, second;
	struct sf_folded *in;
	struct sf_input *input;
	struct sf_fold *again;

	print_fold(f, &first);
	input = open_text(first.text.buf, first.text.len);
	if (!input || sf_folded_new(&in, input, "again", NULL) || sf_fold_new(&again, NULL, NULL))
		abort();
	if (sf_fold_folded(again, in, "again", NULL))
		abort();
	if (sf_folded_stats(in)->unrecognized || sf_folded_stats(in)->lines != first.lines)
		abort();
	print_fold(again, &second);
	if (strcmp(first.text.buf, second.text.buf))
		abort();
	sf_fold_free(again);
	sf_folded_free(in);
	sf_input_free(input);
	sf_str_release(&first.text);
	sf_str_release(&first.last);
	sf_str_release(&second.text);
	sf_str_release(&second.last);
}

#endif
