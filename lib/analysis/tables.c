/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/tables_internal.h"

static const struct table_def *const defs[SF_NR_TABLES] = {
	[SF_TABLE_BRANCHES] = &sf_def_branches, [SF_TABLE_SWEEP] = &sf_def_sweep,
	[SF_TABLE_PHASES] = &sf_def_phases,
	[SF_TABLE_THREADS] = &sf_def_threads,   [SF_TABLE_STATES] = &sf_def_states,
	[SF_TABLE_FUTEX] = &sf_def_futex,       [SF_TABLE_SYSCALLS] = &sf_def_syscalls,
	[SF_TABLE_IO] = &sf_def_io,             [SF_TABLE_WAKEUPS] = &sf_def_wakeups,
	[SF_TABLE_COVERAGE] = &sf_def_coverage, [SF_TABLE_EVENTS] = &sf_def_events,
	[SF_TABLE_GROWTH] = &sf_def_growth,
};

const char *sf_table_name(enum sf_table_id id)
{
	return id < SF_NR_TABLES ? defs[id]->name : NULL;
}

/* ------------------------------------------------------------------------ rows */

int sf_row(struct table_build *b)
{
	struct sf_table *t = b->t;
	size_t at = t->nr_rows * t->nr_columns;

	if (SF_GROW(t->cell, at + t->nr_columns, t->cell_alloc))
		return -ENOMEM;
	memset(&t->cell[at], 0, t->nr_columns * sizeof(*t->cell));
	t->nr_rows++;
	return 0;
}

static struct sf_cell *cell(struct table_build *b, size_t column)
{
	return &b->t->cell[(b->t->nr_rows - 1) * b->t->nr_columns + column];
}

void sf_set_text(struct table_build *b, size_t column, const char *text)
{
	struct sf_cell *c = cell(b, column);

	c->text = sf_arena_strndup(&b->t->arena, text, strlen(text));
	c->type = c->text ? SF_CELL_TEXT : SF_CELL_NONE;
	b->failed |= !c->text;
}

void sf_set_textf(struct table_build *b, size_t column, const char *fmt, ...)
{
	struct sf_str s = SF_STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	sf_str_vaddf(&s, fmt, ap);
	va_end(ap);
	sf_set_text(b, column, s.buf);
	b->failed |= s.failed;
	sf_str_release(&s);
}

void sf_set_int(struct table_build *b, size_t column, int64_t value)
{
	*cell(b, column) = (struct sf_cell){ .type = SF_CELL_INT, .i = value };
}

void sf_set_real(struct table_build *b, size_t column, double value)
{
	if (isfinite(value))
		*cell(b, column) = (struct sf_cell){ .type = SF_CELL_REAL, .d = value };
}

void sf_set_ms(struct table_build *b, size_t column, uint64_t ns)
{
	sf_set_real(b, column, (double)ns / 1e6);
}

int sf_table_note(struct table_build *b, const char *fmt, ...)
{
	struct sf_table *t = b->t;
	const char *text;
	va_list ap;

	va_start(ap, fmt);
	text = sf_arena_vformat(&t->arena, fmt, ap);
	va_end(ap);
	if (!text || SF_GROW(t->note, t->nr_notes + 1, t->note_alloc))
		return -ENOMEM;
	t->note[t->nr_notes++] = text;
	return 0;
}

/* ------------------------------------------------------------------------ names */

uint64_t sf_table_span(const struct table_build *b)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < b->nr_windows; i++)
		sum += b->window[i]->hi - b->window[i]->lo;
	return sum;
}

bool sf_table_wants(const struct table_build *b, uint32_t thread)
{
	const struct sf_thread *t = &b->rec->thread[thread];

	if (b->rec->meta.pid)
		return t->flags & SF_THREAD_TARGET;
	return !(t->flags & (SF_THREAD_IDLE | SF_THREAD_RECORDER));
}

const char *sf_thread_name(struct table_build *b, uint32_t thread)
{
	const struct sf_thread *t = &b->rec->thread[thread];
	const char *comm = sf_text(b->rec, t->comm);
	struct sf_str s = SF_STR_INIT;
	bool twice = !*comm;

	for (size_t i = 0; i < b->rec->nr_threads && !twice; i++)
		twice = i != thread && b->rec->thread[i].comm == t->comm &&
			b->rec->thread[i].pid == t->pid && b->rec->thread[i].tid != t->tid;
	if (!twice)
		return comm;
	sf_str_addf(&s, "%s-%u", comm, t->tid);
	comm = sf_strtab_text(&b->names, sf_strtab_idn(&b->names, s.buf, s.len));
	sf_str_release(&s);
	return comm;
}

const char *sf_leaf_name(struct table_build *b, uint32_t stack)
{
	const struct sf_frame *f;
	struct sf_str s = SF_STR_INIT;
	const char *name;

	stack = sf_mechanism_trim(&b->mech, stack);
	if (stack == SF_NO_STACK)
		return "";
	if (!sf_symbols_frames(b->rec->symbols, sf_stack_loc(b->rec, stack), &f))
		return "";
	if (*f[0].name)
		return f[0].name;
	sf_str_addf(&s, "[%s]", *f[0].dso_short ? f[0].dso_short : "unknown");
	name = sf_strtab_text(&b->names, sf_strtab_idn(&b->names, s.buf, s.len));
	sf_str_release(&s);
	return name;
}

const char *sf_wait_meaning(enum sf_wait wait)
{
	static const char *const text[SF_NR_WAITS] = {
		[SF_WAIT_UNKNOWN] = "unknown",      [SF_WAIT_FUTEX] = "lock or message",
		[SF_WAIT_PEER] = "message, child",  [SF_WAIT_TIMER] = "sleeps",
		[SF_WAIT_LOCK] = "kernel's lock",   [SF_WAIT_MM_LOCK] = "mmap lock",
		[SF_WAIT_FAULT] = "userfaultfd",    [SF_WAIT_RECLAIM] = "free memory",
		[SF_WAIT_THROTTLE] = "I/O throttle", [SF_WAIT_WRITEBACK] = "writeback",
		[SF_WAIT_JOURNAL] = "journal",      [SF_WAIT_DEVICE] = "disk",
		[SF_WAIT_WORKER] = "work to do",    [SF_WAIT_VCPU] = "idle guest",
	};

	return wait < SF_NR_WAITS && text[wait] ? text[wait] : "";
}

/* ------------------------------------------------------------------------ together */

static int all_windows(const struct sf_recording *rec, const struct sf_window ***list)
{
	*list = calloc(rec->nr_windows + 1, sizeof(**list));
	if (!*list)
		return -ENOMEM;
	for (size_t i = 0; i < rec->nr_windows; i++)
		(*list)[i] = &rec->window[i];
	return 0;
}

static int fill(struct table_build *b, const struct table_def *def)
{
	int ret;

	if (!b->nr_windows)
		return sf_error_at(b->err, -EINVAL, b->rec->path, 0,
				   "no BRANCH in it, and no context switches that would make a window "
				   "of the whole; record it with snapflame record");
	ret = sf_mechanisms_init(&b->mech, b->rec);
	if (!ret)
		ret = def->fill(b);
	if (!ret && (b->failed || sf_symbols_no_memory(b->rec->symbols)))
		ret = -ENOMEM;
	sf_mechanisms_release(&b->mech);
	sf_strtab_release(&b->names);
	return ret;
}

int sf_table_make(struct sf_table **out, const struct sf_recording *rec, enum sf_table_id id,
		  const struct sf_table_opts *opts, struct sf_error *err)
{
	const struct sf_window **all = NULL;
	struct table_build b = { .rec = rec, .err = err };
	int ret;

	*out = NULL;
	if (id == SF_TABLE_EVENTS)
		return sf_table_events(out, rec->path, err);
	b.t = calloc(1, sizeof(*b.t));
	ret = b.t ? all_windows(rec, &all) : -ENOMEM;
	if (!ret) {
		bool some = opts && opts->window;

		b.t->id = id;
		b.t->column = defs[id]->column;
		b.t->nr_columns = defs[id]->nr_columns;
		b.window = some ? opts->window : all;
		b.nr_windows = some ? opts->nr_windows : rec->nr_windows;
		ret = fill(&b, defs[id]);
	}
	free(all);
	if (ret) {
		sf_table_free(b.t);
		return ret == -ENOMEM ? sf_error_set(err, ret, "out of memory") : ret;
	}
	*out = b.t;
	return 0;
}

void sf_table_free(struct sf_table *t)
{
	if (!t)
		return;
	free(t->cell);
	free(t->note);
	sf_arena_release(&t->arena);
	free(t);
}
