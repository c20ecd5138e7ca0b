/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System calls by BRANCH: how often, how long, and how much of it on a CPU. From raw_syscalls where
 * they were recorded, else from the looks at /proc/TID/syscall, which see what is long.
 */
#include <errno.h>
#include <stdlib.h>

#include <snapflame/syscalls.h>

#include "analysis/tables_internal.h"

enum { BRANCH, CALL, COUNT, WALL, CPU, LONGEST, PER_CALL, POLLS, SOURCE, THREAD, NR };

#define BOTH (SF_COLUMN_TEXT | SF_COLUMN_DATA)

static const struct sf_column columns[NR] = {
	[BRANCH] = { "branch", "BRANCH", BOTH, 0 },
	[CALL] = { "syscall", "system call", BOTH | SF_COLUMN_LEFT, 0 },
	[COUNT] = { "count", "count", BOTH, 0 },
	[WALL] = { "wall_ms", "wall ms", BOTH, 2 },
	[CPU] = { "cpu_ms", "CPU ms", BOTH, 2 },
	[LONGEST] = { "longest_ms", "longest", BOTH, 2 },
	[PER_CALL] = { "per_call_us", "us/call", BOTH, 1 },
	[POLLS] = { "polls", "polls", BOTH, 0 },
	[SOURCE] = { "source", "", SF_COLUMN_DATA, 0 },
	[THREAD] = { "thread", "mostly by", BOTH | SF_COLUMN_LEFT | SF_COLUMN_CUT, 0 },
};

struct call_row {
	uint32_t window; /* index */
	int32_t nr;
	uint64_t wall, cpu, longest;
	size_t count, polls;
	uint32_t thread; /* who spent most of it */
	uint64_t thread_ns, most_ns;
	uint32_t current; /* thread that thread_ns is of */
};

struct calls {
	struct call_row *item;
	size_t nr, alloc;
	struct sf_map64 at;
};

static struct call_row *row_of(struct calls *c, uint32_t window, int32_t nr, uint32_t thread)
{
	uint32_t *at = sf_map64_at(&c->at, (uint64_t)window << 32 | (uint32_t)nr, NULL);
	struct call_row *r;

	if (!at || (!*at && SF_GROW(c->item, c->nr + 1, c->alloc)))
		return NULL;
	if (!*at) {
		c->item[c->nr] = (struct call_row){
			.window = window, .nr = nr, .thread = thread, .current = thread,
		};
		*at = (uint32_t)++c->nr;
	}
	r = &c->item[*at - 1];
	/* Threads come one after the other. */
	if (r->current != thread) {
		r->current = thread;
		r->thread_ns = 0;
	}
	return r;
}

static void credit(struct call_row *r, uint64_t ns)
{
	r->wall += ns;
	r->thread_ns += ns;
	if (r->thread_ns > r->most_ns) {
		r->most_ns = r->thread_ns;
		r->thread = r->current;
	}
	if (ns > r->longest)
		r->longest = ns;
}

/* Time on a CPU inside of [lo, hi); *from is where the slices before lo end. */
static uint64_t cpu_time(const struct sf_timeline *tl, size_t *from, uint64_t lo, uint64_t hi)
{
	uint64_t sum = 0;

	while (*from < tl->nr && tl->iv[*from].hi <= lo)
		++*from;
	for (size_t i = *from; i < tl->nr && tl->iv[i].lo < hi; i++) {
		const struct sf_slice *iv = &tl->iv[i];
		uint64_t a = iv->lo > lo ? iv->lo : lo, z = iv->hi < hi ? iv->hi : hi;

		if (iv->state == SF_STATE_RUNNING && z > a)
			sum += z - a;
	}
	return sum;
}

/* Calls do not overlap: one whose end was lost ended before the next. One without a beginning was
 * there before the recording, if it is the first. */
static void bounds(const struct sf_thread *t, size_t i, const struct sf_timeline *tl, uint64_t *lo,
		   uint64_t *hi)
{
	const struct sf_syscall *s = &t->syscall[i];

	*lo = s->enter > tl->lo ? s->enter : tl->lo;
	*hi = s->exit < tl->hi ? s->exit : tl->hi;
	if (s->exit == UINT64_MAX && i + 1 < t->nr_syscalls && s[1].enter && s[1].enter < *hi)
		*hi = s[1].enter;
	if (!s->enter && i)
		*hi = 0;
}

static int add_recorded(struct table_build *b, struct calls *c, uint32_t window, uint32_t thread,
			const struct sf_timeline *tl)
{
	const struct sf_thread *t = &b->rec->thread[thread];
	size_t i = sf_thread_syscall_after(t, tl->lo), from = 0;

	for (i = i ? i - 1 : 0; i < t->nr_syscalls && t->syscall[i].enter < tl->hi; i++) {
		const struct sf_syscall *s = &t->syscall[i];
		uint64_t lo, hi;
		struct call_row *r;

		bounds(t, i, tl, &lo, &hi);
		if (hi <= lo)
			continue;
		r = row_of(c, window, s->nr, thread);
		if (!r)
			return -ENOMEM;
		r->count++;
		r->cpu += cpu_time(tl, &from, lo, hi);
		credit(r, hi - lo);
	}
	return 0;
}

static int add_polled(struct table_build *b, struct calls *c, uint32_t window, uint32_t thread,
		      const struct sf_timeline *tl)
{
	const struct sf_thread *t = &b->rec->thread[thread];

	for (size_t i = sf_thread_poll_from(t, tl->lo); i < t->nr_polls && t->poll[i].time < tl->hi; i++) {
		const struct sf_poll *p = &t->poll[i];
		uint64_t left = tl->hi - p->time;
		struct call_row *r;

		if (p->raw.syscall < 0)
			continue;
		r = row_of(c, window, p->raw.syscall, thread);
		if (!r)
			return -ENOMEM;
		r->polls++;
		credit(r, p->period < left ? p->period : left);
	}
	return 0;
}

static int add_all(struct table_build *b, struct calls *c, bool recorded)
{
	int ret = 0;

	for (uint32_t w = 0; !ret && w < b->nr_windows; w++)
		for (uint32_t i = 0; !ret && i < b->rec->nr_threads; i++) {
			const struct sf_window *win = b->window[w];
			struct sf_timeline tl = { 0 };

			if (!sf_table_wants(b, i))
				continue;
			ret = sf_timeline_build(&tl, b->rec, i, win, win->lo, win->hi);
			if (!ret)
				ret = recorded ? add_recorded(b, c, w, i, &tl)
					       : add_polled(b, c, w, i, &tl);
			sf_timeline_release(&tl);
		}
	return ret;
}

static int by_window_and_time(const void *a, const void *b)
{
	const struct call_row *x = a, *y = b;

	if (x->window != y->window)
		return x->window < y->window ? -1 : 1;
	if (x->wall != y->wall)
		return x->wall > y->wall ? -1 : 1;
	return x->nr < y->nr ? -1 : x->nr > y->nr;
}

static int add_row(struct table_build *b, const struct call_row *r, bool recorded)
{
	enum sf_sys_arch arch = sf_sys_arch(sf_text(b->rec, b->rec->meta.arch));
	const char *name = sf_sys_name(arch, r->nr);
	int ret = sf_row(b);

	if (ret)
		return ret;
	sf_set_int(b, BRANCH, b->window[r->window]->branch);
	if (name)
		sf_set_text(b, CALL, name);
	else
		sf_set_textf(b, CALL, "number %d", r->nr);
	sf_set_ms(b, WALL, r->wall);
	sf_set_text(b, SOURCE, recorded ? "recorded" : "sampled");
	sf_set_text(b, THREAD, sf_thread_name(b, r->thread));
	if (!recorded) {
		sf_set_int(b, POLLS, (int64_t)r->polls);
		return 0;
	}
	sf_set_int(b, COUNT, (int64_t)r->count);
	sf_set_ms(b, CPU, r->cpu);
	sf_set_ms(b, LONGEST, r->longest);
	sf_set_real(b, PER_CALL, (double)r->wall / 1e3 / (double)r->count);
	return 0;
}

static int fill(struct table_build *b)
{
	bool recorded = b->rec->has_syscalls;
	struct calls c = { 0 };
	int ret = 0;

	if (!recorded && !b->rec->has_polls)
		return sf_error_at(b->err, -EINVAL, b->rec->path, 0,
				   "no system calls in it: record it with --syscalls (all of them, at a "
				   "price), or with --poll HZ (the long ones)");
	ret = add_all(b, &c, recorded);
	if (c.nr)
		qsort(c.item, c.nr, sizeof(*c.item), by_window_and_time);
	for (size_t i = 0; !ret && i < c.nr; i++)
		ret = add_row(b, &c.item[i], recorded);
	free(c.item);
	sf_map64_release(&c.at);
	if (!ret && !recorded)
		ret = sf_table_note(b, "sampled from /proc %.0f times a second: short calls are missing; "
				    "record --syscalls counts them all", b->rec->meta.poll_hz);
	return ret;
}

const struct table_def sf_def_syscalls = { "syscalls", columns, NR, fill };
