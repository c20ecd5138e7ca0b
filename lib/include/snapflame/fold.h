/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Folding samples: equal stacks become one line with the sum of their weights.
 *
 *	struct sf_fold_opts opts = { .kernel = true };
 *	struct sf_fold *f;
 *
 *	sf_fold_new(&f, &opts, &err);
 *	sf_fold_perf_data(f, reader, symbols, &err);     (any number of inputs, of any kind)
 *	sf_fold_each(f, print_line, NULL);
 *	sf_fold_free(f);
 *
 * Names are what perf script --no-inline | stackcollapse-perf.pl makes of them: the thread's name
 * is the root, with '_' for spaces; arguments, offsets and quotes are cut; ';' becomes ':'; what has
 * no name is "[file]" or "[unknown]". Where a line of that pipeline could not be read back, this one
 * can: no control characters, valid UTF-8, no name that ends in a space and a number.
 */
#ifndef SNAPFLAME_FOLD_H
#define SNAPFLAME_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <snapflame/error.h>

struct sf_reader;
struct sf_symbols;
struct sf_script;
struct sf_folded;

enum sf_fold_weight {
	SF_FOLD_PERIOD, /* sum of the samples' periods; 1 each for tracepoints, as perf prints none */
	SF_FOLD_COUNT,  /* number of samples */
};

struct sf_fold_opts {
	const char *event; /* NULL: the first one met, in all inputs */
	enum sf_fold_weight weight;
	bool pid, tid;     /* the root is comm-PID, comm-PID/TID */
	bool kernel, jit;  /* mark frames with _[k], _[j]; inlined ones have _[i] always */
	bool addrs;        /* unknown frames have their address: [file <7f00>] */
	bool span;         /* only samples with begin <= time <= end, in ns */
	uint64_t begin, end;
	const char *const *threads; /* only threads with these names (patterns of fnmatch) */
	size_t nr_threads;
};

struct sf_fold_stats {
	uint64_t samples;       /* folded */
	uint64_t lines;         /* of folded text, merged */
	uint64_t weight;        /* sum of all lines that sf_fold_each() will give */
	uint64_t other_event;   /* samples left out: of another event than the one folded */
	uint64_t filtered;      /* by time or thread */
	uint64_t no_stack;      /* tracepoints without call chain, which have no address at all */
};

struct sf_fold;

/* The texts in opts are borrowed until sf_fold_free(). */
int sf_fold_new(struct sf_fold **f, const struct sf_fold_opts *opts, struct sf_error *err);
void sf_fold_free(struct sf_fold *f);

/*
 * Take in all of one input. The reader, the script or the folded text is read to its end; symbols
 * are fed with the reader's records and asked for names before the function returns.
 * On failure, what came before it has been counted.
 */
int sf_fold_perf_data(struct sf_fold *f, struct sf_reader *r, struct sf_symbols *symbols,
		      struct sf_error *err);
int sf_fold_script(struct sf_fold *f, struct sf_script *s, struct sf_error *err);
int sf_fold_folded(struct sf_fold *f, struct sf_folded *in, const char *path,
		   struct sf_error *err);
/* One stack from elsewhere: names from the root on, made safe but otherwise as they are. */
int sf_fold_add(struct sf_fold *f, const char *const *name, size_t nr, uint64_t weight);

/*
 * Every stack once, in the order of sort(1) in the C locale. line is "root;…;leaf", valid during
 * the call. A non-zero result of emit ends it and is returned.
 */
int sf_fold_each(struct sf_fold *f, int (*emit)(void *arg, const char *line, size_t len,
						uint64_t weight), void *arg);

const struct sf_fold_stats *sf_fold_stats(const struct sf_fold *f);
/* The event that is folded: opts.event, or the first one met, or NULL. */
const char *sf_fold_event(const struct sf_fold *f);
/* Names of the events that were met, in order; NULL past the last. */
const char *sf_fold_event_met(const struct sf_fold *f, size_t index);

#endif
