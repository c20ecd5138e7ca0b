/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where each thread was: what people count by hand from /proc/TID/stack, but with times. A row is a
 * thread, a state and the kernel function at the leaf; the rows of a thread sum to the windows.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/tables_internal.h"

enum { POLLS, TIMES, THREAD, TID, STATE, MS, PCT, FRAME, MEANING, NR };

#define BOTH (SF_COLUMN_TEXT | SF_COLUMN_DATA)

static const struct sf_column columns[NR] = {
	[POLLS] = { "polls", "polls", BOTH, 0 },
	[TIMES] = { "times", "times", BOTH | SF_COLUMN_SPARE, 0 },
	[THREAD] = { "thread", "thread", BOTH | SF_COLUMN_LEFT | SF_COLUMN_CUT, 0 },
	[TID] = { "tid", "tid", SF_COLUMN_DATA, 0 },
	[STATE] = { "state", "state", BOTH | SF_COLUMN_LEFT, 0 },
	[MS] = { "ms", "ms", BOTH, 1 },
	[PCT] = { "pct", "%", BOTH | SF_COLUMN_SPARE, 1 },
	[FRAME] = { "frame", "function", BOTH | SF_COLUMN_LEFT | SF_COLUMN_CUT, 0 },
	[MEANING] = { "meaning", "meaning", BOTH | SF_COLUMN_LEFT | SF_COLUMN_CUT, 0 },
};

/* What a thread's time is divided into. */
enum where { USER, KERNEL, NO_SAMPLE, RUNNABLE, BLOCKED, STOPPED, ABSENT, UNACCOUNTED, OVERHEAD };

struct state_row {
	uint32_t thread;
	uint8_t where, task, wait;
	const char *frame;
	uint64_t ns;
	size_t polls, times;
};

struct rows {
	struct state_row *item;
	size_t nr, alloc;
	size_t first; /* of the thread that is being added */
};

/* The thread's row with that key; NULL without memory. Function names are compared by text: places
 * in one function are one row. */
static struct state_row *row_of(struct rows *r, const struct state_row *key)
{
	for (size_t i = r->first; i < r->nr; i++) {
		struct state_row *s = &r->item[i];

		if (s->where == key->where && s->task == key->task && s->wait == key->wait &&
		    !strcmp(s->frame, key->frame))
			return s;
	}
	if (SF_GROW(r->item, r->nr + 1, r->alloc))
		return NULL;
	r->item[r->nr] = *key;
	return &r->item[r->nr++];
}

static int add(struct rows *r, struct state_row key, uint64_t ns, size_t times, size_t polls)
{
	struct state_row *s = row_of(r, &key);

	if (!s)
		return -ENOMEM;
	s->ns += ns;
	s->times += times;
	s->polls += polls;
	return 0;
}

/* --------------------------------------------------------------------- one window */

static struct state_row key_of_sleep(struct table_build *b, const struct sf_slice *iv)
{
	return (struct state_row){
		.where = iv->task == SF_TASK_STOPPED ? STOPPED : BLOCKED,
		.task = iv->task,
		.wait = (uint8_t)sf_mechanism_wait(&b->mech, iv->stack),
		.frame = sf_leaf_name(b, iv->stack),
	};
}

static struct state_row key_of_sample(struct table_build *b, const struct sf_cpu_sample *c)
{
	uint32_t stack = sf_mechanism_trim(&b->mech, c->stack);

	if (c->kernel && sf_mechanism_in_kernel(&b->mech, stack))
		return (struct state_row){ .where = KERNEL, .frame = sf_leaf_name(b, stack) };
	return (struct state_row){ .where = USER, .frame = "" };
}

static struct state_row key_of_other(enum sf_state state)
{
	static const uint8_t where[SF_NR_STATES] = {
		[SF_STATE_RUNNING] = NO_SAMPLE,
		[SF_STATE_RUNNABLE] = RUNNABLE,
		[SF_STATE_ABSENT] = ABSENT,
		[SF_STATE_UNACCOUNTED] = UNACCOUNTED,
	};

	return (struct state_row){ .where = where[state], .frame = "" };
}

/* Each CPU sample stands for the time half way to its neighbours. */
static int add_running(struct table_build *b, struct rows *r, const struct sf_thread *t,
		       const struct sf_slice *iv)
{
	size_t first = sf_thread_sample_from(t, iv->lo), end = sf_thread_sample_from(t, iv->hi);
	uint64_t from = iv->lo;
	int ret = 0;

	if (first == end)
		return add(r, key_of_other(SF_STATE_RUNNING), iv->hi - iv->lo, 1, 0);
	for (size_t i = first; i < end && !ret; i++) {
		const struct sf_cpu_sample *c = &t->sample[i];
		uint64_t to = i + 1 == end ? iv->hi : c->time + (c[1].time - c->time) / 2;

		ret = add(r, key_of_sample(b, c), to - from, i == first, 0);
		from = to;
	}
	return ret;
}

static int add_slice(struct table_build *b, struct rows *r, const struct sf_thread *t,
		     const struct sf_slice *iv)
{
	if (iv->state == SF_STATE_RUNNING)
		return add_running(b, r, t, iv);
	if (iv->state == SF_STATE_BLOCKED)
		return add(r, key_of_sleep(b, iv), iv->hi - iv->lo, 1, 0);
	return add(r, key_of_other(iv->state), iv->hi - iv->lo, 1, 0);
}

static bool of_state(const struct state_row *s, enum sf_state state)
{
	switch (state) {
	case SF_STATE_RUNNING:
		return s->where <= NO_SAMPLE;
	case SF_STATE_RUNNABLE:
		return s->where == RUNNABLE;
	case SF_STATE_BLOCKED:
		return s->where == BLOCKED || s->where == STOPPED;
	default:
		return false;
	}
}

/* Rows of a state give up what the kernel's account takes from it, each its part. */
static void shrink(struct rows *r, enum sf_state state, uint64_t from, uint64_t to)
{
	uint64_t left = from - to;
	struct state_row *largest = NULL;

	for (size_t i = 0; i < r->nr && from > to; i++) {
		struct state_row *s = &r->item[i];
		uint64_t part;

		if (!of_state(s, state))
			continue;
		part = (uint64_t)((double)s->ns * (double)(from - to) / (double)from);
		part = part < left ? part : left;
		s->ns -= part;
		left -= part;
		if (!largest || s->ns > largest->ns)
			largest = s;
	}
	if (largest && from > to)
		largest->ns -= left < largest->ns ? left : largest->ns;
}

static int adjust(struct rows *r, const struct sf_timeline *t, const struct sf_account *a)
{
	const struct state_row over = { .where = OVERHEAD, .frame = "" };
	const struct state_row none = { .where = UNACCOUNTED, .frame = "" };
	uint64_t unaccounted = a->state[SF_STATE_UNACCOUNTED] - t->total[SF_STATE_UNACCOUNTED];
	int ret = 0;

	for (int s = SF_STATE_RUNNING; s <= SF_STATE_BLOCKED; s++)
		if (t->total[s] > a->state[s])
			shrink(r, s, t->total[s], a->state[s]);
	if (a->overhead)
		ret = add(r, over, a->overhead, a->switches, 0);
	if (!ret && unaccounted)
		ret = add(r, none, unaccounted, 0, 0);
	return ret;
}

/* What the thread did when it was polled. */
static struct state_row key_of_poll(struct table_build *b, const struct sf_thread *t,
				    const struct sf_slice *iv, uint64_t time)
{
	size_t k = sf_thread_sample_from(t, time);

	if (iv->state == SF_STATE_BLOCKED)
		return key_of_sleep(b, iv);
	if (iv->state == SF_STATE_RUNNING && k < t->nr_samples && t->sample[k].time < iv->hi)
		return key_of_sample(b, &t->sample[k]);
	return key_of_other(iv->state);
}

static int add_polls(struct table_build *b, struct rows *r, const struct sf_thread *t,
		     const struct sf_timeline *tl)
{
	int ret = 0;

	for (size_t i = 0; i < t->nr_polls && !ret; i++) {
		const struct sf_slice *iv = sf_timeline_at(tl, t->poll[i].time);

		if (iv)
			ret = add(r, key_of_poll(b, t, iv, t->poll[i].time), 0, 0, 1);
	}
	return ret;
}

static int add_window(struct table_build *b, struct rows *r, uint32_t thread,
		      const struct sf_window *w)
{
	const struct sf_thread *t = &b->rec->thread[thread];
	struct sf_timeline tl = { 0 };
	struct sf_account a;
	int ret = sf_timeline_build(&tl, b->rec, thread, w, w->lo, w->hi);

	for (size_t i = 0; !ret && i < tl.nr; i++)
		ret = add_slice(b, r, t, &tl.iv[i]);
	if (!ret)
		ret = add_polls(b, r, t, &tl);
	if (!ret)
		ret = sf_account(&a, b, w, &tl);
	if (!ret)
		ret = adjust(r, &tl, &a);
	sf_timeline_release(&tl);
	return ret;
}

/* ------------------------------------------------------------------------ together */

/* One thread: each window by itself, because the kernel's account is of a window. */
static int add_thread(struct table_build *b, struct rows *all, uint32_t thread)
{
	struct rows one = { 0 };
	int ret = 0;

	all->first = all->nr;
	for (size_t w = 0; !ret && w < b->nr_windows; w++) {
		one.nr = 0;
		ret = add_window(b, &one, thread, b->window[w]);
		for (size_t i = 0; i < one.nr && !ret; i++) {
			struct state_row key = one.item[i];

			key.ns = 0;
			key.times = key.polls = 0;
			key.thread = thread;
			ret = add(all, key, one.item[i].ns, one.item[i].times, one.item[i].polls);
		}
	}
	free(one.item);
	return ret;
}

/* Functions that took less than this much of the windows share a row. */
static const double small_pct = 0.5;

static int merge_small(struct table_build *b, struct rows *r, uint64_t span)
{
	struct state_row small = { .where = KERNEL };
	struct sf_str s = SF_STR_INIT;
	size_t n = r->first, merged = 0;

	for (size_t i = r->first; i < r->nr; i++) {
		struct state_row *row = &r->item[i];

		if (row->where != KERNEL ||
		    100 * (double)row->ns >= small_pct * (double)span) {
			r->item[n++] = *row;
			continue;
		}
		small.thread = row->thread;
		small.ns += row->ns;
		small.times += row->times;
		small.polls += row->polls;
		small.frame = row->frame;
		merged++;
	}
	if (merged > 1) {
		sf_str_addf(&s, "(%zu functions)", merged);
		small.frame = sf_arena_strndup(&b->t->arena, s.buf, s.len);
		sf_str_release(&s);
	}
	if (merged)
		r->item[n++] = small;
	r->nr = n;
	return small.frame || !merged ? 0 : -ENOMEM;
}

static int by_thread_and_time(const void *a, const void *b)
{
	const struct state_row *x = a, *y = b;

	if (x->thread != y->thread)
		return x->thread < y->thread ? -1 : 1;
	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	return strcmp(x->frame, y->frame);
}

static void set_state(struct table_build *b, const struct state_row *s)
{
	static const char *const text[] = {
		[USER] = "running user", [KERNEL] = "running kernel", [NO_SAMPLE] = "running",
		[RUNNABLE] = "runnable", [STOPPED] = "stopped", [ABSENT] = "absent",
		[UNACCOUNTED] = "unaccounted", [OVERHEAD] = "recorder overhead",
	};
	static const char *const meaning[] = {
		[USER] = "own code", [KERNEL] = "kernel's work", [NO_SAMPLE] = "no sample",
		[RUNNABLE] = "a CPU", [STOPPED] = "a signal", [ABSENT] = "not there",
		[UNACCOUNTED] = "no evidence", [OVERHEAD] = "looked asleep",
	};

	if (s->where == BLOCKED) {
		sf_set_textf(b, STATE, "blocked %s", sf_task_state_letter(s->task));
		sf_set_text(b, MEANING, sf_wait_meaning(s->wait));
	} else {
		sf_set_text(b, STATE, text[s->where]);
		sf_set_text(b, MEANING, meaning[s->where]);
	}
}

static int add_row(struct table_build *b, const struct state_row *s, uint64_t span)
{
	int ret = sf_row(b);

	if (ret)
		return ret;
	sf_set_int(b, POLLS, (int64_t)s->polls);
	sf_set_int(b, TIMES, (int64_t)s->times);
	sf_set_text(b, THREAD, sf_thread_name(b, s->thread));
	sf_set_int(b, TID, b->rec->thread[s->thread].tid);
	set_state(b, s);
	sf_set_ms(b, MS, s->ns);
	sf_set_real(b, PCT, span ? 100 * (double)s->ns / (double)span : 0);
	sf_set_text(b, FRAME, s->frame);
	return 0;
}

/* Was never there in these windows. */
static bool only_absent(const struct rows *r)
{
	return r->nr == r->first + 1 && r->item[r->first].where == ABSENT;
}

static int fill(struct table_build *b)
{
	uint64_t span = sf_table_span(b);
	struct rows r = { 0 };
	int ret = 0;

	for (uint32_t i = 0; !ret && i < b->rec->nr_threads; i++) {
		if (!sf_table_wants(b, i))
			continue;
		ret = add_thread(b, &r, i);
		if (!ret && only_absent(&r))
			r.nr = r.first;
		if (!ret)
			ret = merge_small(b, &r, span);
	}
	if (r.nr)
		qsort(r.item, r.nr, sizeof(*r.item), by_thread_and_time);
	for (size_t i = 0; !ret && i < r.nr; i++)
		if (r.item[i].ns || r.item[i].polls)
			ret = add_row(b, &r.item[i], span);
	free(r.item);
	if (!ret)
		ret = sf_table_note(b, "%zu window%s of %.1f ms together; the rows of a thread sum to it",
				    b->nr_windows, b->nr_windows == 1 ? "" : "s",
				    (double)span / 1e6);
	return ret;
}

const struct table_def sf_def_states = { "states", columns, NR, fill };
