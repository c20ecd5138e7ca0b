/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is in a recording, as tables: the evidence behind a verdict, and what people count by hand.
 *
 *	struct sf_table *t;
 *	struct sf_table_opts opts = { .window = …, .nr_windows = … };
 *
 *	if (sf_table_make(&t, rec, SF_TABLE_THREADS, &opts, &err))
 *		…
 *	for (size_t r = 0; r < t->nr_rows; r++)
 *		… sf_table_cell(t, r, column) …
 *	sf_table_free(t);
 *
 * A column has a key for programs and a head for people; some are for one of them only. Times are
 * ms, sums over the windows asked for, unless the key says otherwise.
 */
#ifndef SNAPFLAME_TABLES_H
#define SNAPFLAME_TABLES_H

#include <snapflame/recording.h>
#include <snapflame/str.h>

enum sf_table_id {
	SF_TABLE_BRANCHES, /* one row a window: how long */
	SF_TABLE_SWEEP,    /* the same as the CSV of a sweep */
	SF_TABLE_PHASES,   /* what each BRANCH's pause consists of; a BRANCH's rows sum to it */
	SF_TABLE_THREADS,  /* what each thread did; a row's states sum to the windows */
	SF_TABLE_STATES,   /* where each thread was; a thread's rows sum to the windows */
	SF_TABLE_FUTEX,    /* waits by address and operation */
	SF_TABLE_SYSCALLS, /* by BRANCH; sampled where the recording holds no system calls */
	SF_TABLE_IO,       /* requests by BRANCH and device */
	SF_TABLE_WAKEUPS,  /* who woke whom, out of how much sleep */
	SF_TABLE_COVERAGE, /* the proof, by BRANCH */
	SF_TABLE_EVENTS,   /* what the file holds; windows do not matter */
	SF_TABLE_GROWTH,   /* what grows over the BRANCHes, and how: needs three */
	SF_NR_TABLES,
};

/* "branches", …; NULL past the last. */
const char *sf_table_name(enum sf_table_id id);

enum sf_cell_type { SF_CELL_NONE, SF_CELL_TEXT, SF_CELL_INT, SF_CELL_REAL };

struct sf_cell {
	enum sf_cell_type type;
	union {
		const char *text;
		int64_t i;
		double d;
	};
};

enum sf_column_flags {
	SF_COLUMN_TEXT = 1,  /* is for people */
	SF_COLUMN_DATA = 2,  /* is for JSON and CSV */
	SF_COLUMN_LEFT = 4,  /* left-justified: names */
	SF_COLUMN_CUT = 8,   /* cells may be cut where the terminal is narrow */
	SF_COLUMN_SPARE = 16, /* is left out where there is no room */
};

struct sf_column {
	const char *key, *head;
	unsigned flags;
	unsigned decimals; /* of reals, for people */
};

struct sf_table {
	enum sf_table_id id;
	const struct sf_column *column;
	size_t nr_columns;
	struct sf_cell *cell; /* row by row */
	size_t nr_rows, cell_alloc;
	const char **note; /* what has to be known to read it */
	size_t nr_notes, note_alloc;
	struct sf_arena arena; /* all text */
};

struct sf_table_opts {
	const struct sf_window *const *window; /* of the recording; NULL: all */
	size_t nr_windows;
};

/* -EINVAL where the recording cannot have the table, with the reason and the remedy in err. */
int sf_table_make(struct sf_table **t, const struct sf_recording *rec, enum sf_table_id id,
		  const struct sf_table_opts *opts, struct sf_error *err);
/* SF_TABLE_EVENTS of any perf.data file, without loading it as a recording. */
int sf_table_events(struct sf_table **t, const char *path, struct sf_error *err);
void sf_table_free(struct sf_table *t);

static inline const struct sf_cell *sf_table_cell(const struct sf_table *t, size_t row,
						  size_t column)
{
	return &t->cell[row * t->nr_columns + column];
}

#endif
