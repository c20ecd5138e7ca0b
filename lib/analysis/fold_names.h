/* SPDX-License-Identifier: GPL-2.0-only */
/* Names as folded stacks have them: what perf prints, cleaned as stackcollapse-perf.pl cleans it.
 */
#ifndef ANALYSIS_FOLD_NAMES_H
#define ANALYSIS_FOLD_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <snapflame/fold.h>
#include <snapflame/script.h>
#include <snapflame/str.h>
#include <snapflame/table.h>

/* A growing list of ids of names. */
struct sf_name_list {
	uint32_t *id;
	size_t nr, alloc;
};

struct sf_fold_namer {
	struct sf_strtab names;
	const struct sf_fold_opts *opts;
	struct sf_str raw, name; /* scratch */
};

void sf_fold_namer_init(struct sf_fold_namer *n, const struct sf_fold_opts *opts);
void sf_fold_namer_release(struct sf_fold_namer *n);

/* A frame as perf prints it. */
struct sf_printed_frame {
	struct sf_text symbol; /* without offset; "[unknown]" for none */
	struct sf_text dso;
	struct sf_text pc; /* only looked at for opts.addrs */
	bool inlined;	   /* expanded from debug information: marked _[i] */
};

/*
 * The names that one printed frame stands for, from the root on, appended to out: mostly one,
 * several for "a->b" (an inlined call, as the runtime of a JIT wrote it), none for what the script
 * skips. 0 or -ENOMEM.
 */
int sf_fold_namer_frame(struct sf_fold_namer *n, bool java, const struct sf_printed_frame *frame,
			struct sf_name_list *out);

/* A thread, as far as a recording or a text knows it. */
struct sf_printed_thread {
	struct sf_text comm;
	bool has_pid;
	int64_t pid, tid;
	struct sf_text header; /* as perf prints it; only looked at where sf_root_is_odd() */
};

/* A name of one letter, or no thread (any more): see sf_fold_namer_root(). */
static inline bool sf_root_is_odd(struct sf_text comm, int64_t tid)
{
	return comm.len < 2 || tid < 0;
}

/*
 * The root frame; 0 without memory. stackcollapse-perf.pl looks for a name of two characters at
 * least, and then for white space and a number: of "X  4242 12.5: …" it makes "X_", of
 * "x 51234 12.5:   1000 cycles:" the name "x_51234_12.5:", and much the same of a tid of -1, which
 * exiting threads have. The lines are to be the same.
 */
uint32_t sf_fold_namer_root(struct sf_fold_namer *n, const struct sf_printed_thread *t);
/* Whether the frames below this root are cleaned as those of a JVM. */
bool sf_fold_namer_is_java(const struct sf_fold_namer *n, uint32_t root);

/* A name from elsewhere, made safe; 0 without memory. */
uint32_t sf_fold_namer_safe(struct sf_fold_namer *n, const char *name, size_t len);

#endif
