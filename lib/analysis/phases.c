/* SPDX-License-Identifier: GPL-2.0-only */
#include <snapflame/phases.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/phase_rules.h"

struct build {
	struct sf_phase_spans *spans;
	const struct sf_recording *rec;
	const struct sf_critpath *cp;
	struct sf_phase_memo memo;
	uint64_t stop_end, resume_begin; /* as the driver says; 0, UINT64_MAX: it does not */
	uint64_t at;                     /* up to here the window has its spans */
};

/* ---------------------------------------------------------------- who was where */

/* Who owns a piece, then who waits for that one, and so on up to the root. */
struct place {
	uint32_t thread, stack;
	uint32_t up; /* index + 1 of a waiter */
};

static struct place first_place(const struct sf_segment *s)
{
	return (struct place){ s->thread, s->stack, s->waiter };
}

static bool next_place(const struct sf_critpath *cp, struct place *p)
{
	const struct sf_waiter *w;

	if (!p->up)
		return false;
	w = &cp->waiter[p->up - 1];
	*p = (struct place){ w->thread, w->stack, w->up };
	return true;
}

static bool of_target(const struct build *b, uint32_t thread)
{
	return !b->rec->meta.pid || b->rec->thread[thread].flags & SF_THREAD_TARGET;
}

/* The call under way; NULL where there is none. */
static const struct sf_syscall *call_at(const struct sf_thread *t, uint64_t time)
{
	size_t i = sf_thread_syscall_after(t, time);

	return i && t->syscall[i - 1].exit > time ? &t->syscall[i - 1] : NULL;
}

/* When the thread enters or leaves a call next. */
static uint64_t next_border(const struct sf_thread *t, uint64_t time)
{
	const struct sf_syscall *c = call_at(t, time);
	size_t i = sf_thread_syscall_after(t, time);

	if (c)
		return c->exit;
	return i < t->nr_syscalls ? t->syscall[i].enter : UINT64_MAX;
}

static enum phase_call call_of(const struct build *b, uint32_t thread, uint64_t time)
{
	const struct sf_thread *t = &b->rec->thread[thread];
	const struct sf_syscall *s;

	if (!t->nr_syscalls)
		return PHASE_CALL_UNKNOWN;
	s = call_at(t, time);
	return s ? sf_phase_call(b->rec, s) : PHASE_CALL_NONE;
}

static int phase_at(struct build *b, const struct sf_segment *s, uint64_t time,
		    enum sf_phase_kind *phase)
{
	struct place p = first_place(s);
	bool vcpu = b->rec->thread[s->thread].flags & SF_THREAD_VCPU;
	int ret = 0;

	*phase = SF_PHASE_OTHER;
	do
		if (of_target(b, p.thread))
			ret = sf_phase_of_stack(&b->memo, p.stack, call_of(b, p.thread, time), phase);
	while (!ret && !*phase && next_place(b->cp, &p));
	/* Who saves the state of all waits for a vCPU: it is at its own. */
	if (vcpu && !s->dev && *phase == SF_PHASE_DEVICES)
		*phase = SF_PHASE_VCPUS;
	return ret;
}

/* ------------------------------------------------------------------------- spans */

static int push(struct build *b, uint64_t hi, enum sf_phase_kind phase, uint32_t segment)
{
	struct sf_phase_spans *l = b->spans;

	if (hi <= b->at)
		return 0;
	if (SF_GROW(l->item, l->nr + 1, l->alloc))
		return -ENOMEM;
	l->item[l->nr++] = (struct sf_phase_span){ b->at, hi, segment, (uint8_t)phase };
	b->at = hi;
	return 0;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The driver's own calls are exact, and are cut out. */
static int add(struct build *b, uint64_t hi, enum sf_phase_kind phase, uint32_t segment)
{
	int ret = push(b, least(hi, b->stop_end), SF_PHASE_STOP, segment);

	if (!ret)
		ret = push(b, least(hi, b->resume_begin), phase, segment);
	return ret ? ret : push(b, hi, SF_PHASE_RESUME, segment);
}

/* A segment goes to pieces where its owner, or who waits in its place, enters or leaves a call. */
static int add_segment(struct build *b, uint32_t segment)
{
	const struct sf_segment *s = &b->cp->seg[segment];
	struct place p = first_place(s);
	enum sf_phase_kind phase;
	int ret = 0;

	while (!of_target(b, p.thread) && next_place(b->cp, &p))
		;
	for (uint64_t lo = s->lo, hi; !ret && lo < s->hi; lo = hi) {
		hi = least(next_border(&b->rec->thread[p.thread], lo), s->hi);
		ret = phase_at(b, s, lo, &phase);
		if (!ret)
			ret = add(b, hi, phase, segment);
	}
	return ret;
}

static void read_driver(struct build *b, const struct sf_window *w)
{
	b->stop_end = 0;
	b->resume_begin = UINT64_MAX;
	for (size_t i = 0; i < w->nr_phases; i++) {
		const char *name = sf_text(b->rec, w->phase[i].name);

		if (!strcmp(name, "pause") || !strcmp(name, "stop"))
			b->stop_end = w->phase[i].end;
		/* The first try counts: what follows is waiting for it to succeed. */
		else if ((!strcmp(name, "resume") || !strcmp(name, "cont")) &&
			 b->resume_begin == UINT64_MAX)
			b->resume_begin = w->phase[i].begin;
	}
}

/* ---------------------------------------------------------------- what is left open */

/*
 * The state's file is synced before the memory file is opened, and the dirty log is read for the
 * latter: a file behind either is the memory file. Where functions tell the memory file, one that
 * they do not tell, before it, is the state's. Else it may be any.
 */
static void name_files(struct sf_phase_spans *l)
{
	bool told = false, memory = false;

	for (size_t i = 0; i < l->nr; i++)
		told |= l->item[i].phase == SF_PHASE_MEMORY_FILE;
	for (size_t i = 0; i < l->nr; i++) {
		uint8_t *phase = &l->item[i].phase;

		memory |= *phase == SF_PHASE_DIRTY_LOG || *phase == SF_PHASE_SYNC ||
			  *phase == SF_PHASE_MEMORY_FILE;
		if (*phase == SF_PHASE_FILES && memory)
			*phase = SF_PHASE_MEMORY_FILE;
		else if (*phase == SF_PHASE_FILES && told)
			*phase = SF_PHASE_STATE_FILE;
	}
}

/* What is between two spans of a phase is of that phase. */
static void close_gaps(struct sf_phase_spans *l)
{
	size_t first = 0; /* of a run without evidence */

	for (size_t i = 0; i < l->nr; i++) {
		uint8_t phase = l->item[i].phase;

		if (phase == SF_PHASE_OTHER)
			continue;
		if (first && first < i && l->item[first - 1].phase == phase)
			for (size_t k = first; k < i; k++)
				l->item[k].phase = phase;
		first = i + 1;
	}
}

int sf_phases_of(struct sf_phase_spans *spans, const struct sf_recording *rec,
		 const struct sf_window *window, const struct sf_critpath *cp)
{
	struct build b = { .spans = spans, .rec = rec, .cp = cp, .memo = { .rec = rec }, .at = cp->lo };
	int ret = 0;

	spans->nr = 0;
	read_driver(&b, window);
	for (size_t i = 0; !ret && i < cp->nr; i++)
		ret = add_segment(&b, (uint32_t)i);
	sf_phase_memo_release(&b.memo);
	name_files(spans);
	close_gaps(spans);
	return ret;
}

void sf_phase_spans_release(struct sf_phase_spans *spans)
{
	free(spans->item);
	memset(spans, 0, sizeof(*spans));
}
