/* SPDX-License-Identifier: GPL-2.0-only */
/* How tables are made: each has its columns and a function that adds the rows. */
#ifndef SNAPFLAME_ANALYSIS_TABLES_INTERNAL_H
#define SNAPFLAME_ANALYSIS_TABLES_INTERNAL_H

#include <snapflame/critpath.h>
#include <snapflame/tables.h>

struct table_build {
	struct sf_table *t;
	const struct sf_recording *rec;
	const struct sf_window *const *window;
	size_t nr_windows;
	struct sf_mechanisms mech;
	struct sf_strtab names; /* made here: of threads and functions without one of their own */
	bool failed; /* a text is missing for want of memory */
	struct sf_error *err;
};

struct table_def {
	const char *name;
	const struct sf_column *column;
	size_t nr_columns;
	int (*fill)(struct table_build *b); /* 0, -ENOMEM, or -EINVAL with a reason in b->err */
};

extern const struct table_def sf_def_branches, sf_def_sweep, sf_def_phases, sf_def_threads,
	sf_def_states, sf_def_futex, sf_def_syscalls, sf_def_io, sf_def_wakeups, sf_def_coverage,
	sf_def_events, sf_def_growth;

/* A new row, empty; the setters fill the last one. A lack of memory is remembered for the end. */
int sf_row(struct table_build *b);
void sf_set_text(struct table_build *b, size_t column, const char *text);
void sf_set_textf(struct table_build *b, size_t column, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void sf_set_int(struct table_build *b, size_t column, int64_t value);
void sf_set_real(struct table_build *b, size_t column, double value); /* empty if not finite */
void sf_set_ms(struct table_build *b, size_t column, uint64_t ns);
int sf_table_note(struct table_build *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* ns of all windows together. */
uint64_t sf_table_span(const struct table_build *b);

/* Name of a thread: comm, with the tid behind it where another of the process has the same. */
const char *sf_thread_name(struct table_build *b, uint32_t thread);
/* The innermost function of a trimmed stack: "[file]" where it has no name, "" for no stack. */
const char *sf_leaf_name(struct table_build *b, uint32_t stack);

/* What a wait is for, in a word or two. */
const char *sf_wait_meaning(enum sf_wait wait);

/*
 * The time of one thread in one window, with what the kernel itself counted. state[] and overhead
 * sum to the window.
 */
struct sf_account {
	uint64_t state[SF_NR_STATES];
	uint64_t overhead;      /* of the recorder, taken out of waiting */
	uint64_t kernel_run;    /* by schedstat, over the span of the snapshots */
	uint64_t events_run;    /* by our events, over the same span */
	size_t switches;        /* into it, in the window */
	bool has_kernel;        /* kernel_run is real */
};

int sf_account(struct sf_account *a, struct table_build *b, const struct sf_window *w,
	       const struct sf_timeline *t);

/* Is the thread one that tables are about: of the target, or of anybody where there is none. */
bool sf_table_wants(const struct table_build *b, uint32_t thread);

#endif
