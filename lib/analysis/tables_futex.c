/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waits on futexes by address, operation and thread. Which futex it is comes from the system call
 * that /proc showed during the wait, or that was recorded; who had it is who woke the waiter.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <snapflame/syscalls.h>

#include "analysis/tables_internal.h"

enum { ADDRESS, OPERATION, THREAD, TID, MS, PCT, WAITS, KIND, WAKER, WAKER_TID, IN, NR };

#define BOTH (SF_COLUMN_TEXT | SF_COLUMN_DATA)

static const struct sf_column columns[NR] = {
	[ADDRESS] = { "address", "address", BOTH | SF_COLUMN_LEFT, 0 },
	[OPERATION] = { "operation", "operation", BOTH | SF_COLUMN_LEFT | SF_COLUMN_CUT, 0 },
	[THREAD] = { "thread", "thread", BOTH | SF_COLUMN_LEFT | SF_COLUMN_CUT, 0 },
	[TID] = { "tid", "tid", SF_COLUMN_DATA, 0 },
	[MS] = { "ms", "ms", BOTH, 1 },
	[PCT] = { "pct", "%", BOTH | SF_COLUMN_SPARE, 1 },
	[WAITS] = { "waits", "waits", BOTH | SF_COLUMN_SPARE, 0 },
	[KIND] = { "kind", "kind", BOTH | SF_COLUMN_LEFT, 0 },
	[WAKER] = { "woken_by", "woken by", BOTH | SF_COLUMN_LEFT | SF_COLUMN_CUT, 0 },
	[WAKER_TID] = { "woken_by_tid", "", SF_COLUMN_DATA, 0 },
	[IN] = { "in", "in", BOTH | SF_COLUMN_LEFT | SF_COLUMN_CUT | SF_COLUMN_SPARE, 0 },
};

struct futex_row {
	uint64_t address; /* 0: not known */
	uint32_t op, thread;
	uint64_t ns;
	size_t waits;
	uint32_t waker;   /* the one of the longest waits; SF_NO_THREAD */
	uint64_t waker_ns;
	uint32_t stack;   /* of the longest wait */
	uint64_t stack_ns;
	bool known;
};

struct futexes {
	struct futex_row *item;
	size_t nr, alloc;
	struct sf_map64 at; /* (address, op, thread) -> index + 1 */
	struct sf_map64 waits_on; /* (thread, address): it waited there */
};

/* ------------------------------------------------------------------- which futex */

struct call {
	uint64_t address;
	uint32_t op;
	bool known;
};

enum { OP_FUTEX_WAIT_CALL = 1u << 31 }; /* futex_wait(2) of Linux 6.7, which has no operation */

static struct call call_of(enum sf_sys_arch arch, int32_t nr, const uint64_t *arg)
{
	const char *name = sf_sys_name(arch, nr);

	if (!sf_sys_is_futex(arch, nr))
		return (struct call){ 0 };
	return (struct call){
		.address = arg[0],
		.op = strcmp(name, "futex") ? OP_FUTEX_WAIT_CALL : (uint32_t)arg[1] & 0xff,
		.known = true,
	};
}

static struct call which(const struct table_build *b, const struct sf_thread *t,
			 const struct sf_window *w, const struct sf_slice *iv)
{
	enum sf_sys_arch arch = sf_sys_arch(sf_text(b->rec, b->rec->meta.arch));
	struct call c = { 0 };

	size_t call = sf_thread_syscall_after(t, iv->lo), poll = sf_thread_poll_from(t, iv->since);

	if (call && t->syscall[call - 1].enter && t->syscall[call - 1].exit >= iv->hi)
		c = call_of(arch, t->syscall[call - 1].nr, t->syscall[call - 1].arg);
	for (; poll < t->nr_polls && t->poll[poll].time < iv->hi && !c.known; poll++)
		c = call_of(arch, t->poll[poll].raw.syscall, t->poll[poll].raw.arg);
	for (int e = 0; e < SF_NR_EDGES && !c.known; e++)
		for (size_t i = 0; i < w->snap[e].nr; i++) {
			const struct sf_snap_thread *s = &w->snap[e].thread[i];

			if (s->tid == t->tid && w->snap[e].t0 >= iv->since && w->snap[e].t0 < iv->hi)
				c = call_of(arch, s->syscall, s->arg);
		}
	return c;
}

/* "WAIT_BITSET_PRIVATE", "LOCK_PI" (linux/futex.h); which clock it goes by does not matter. */
static const char *operation(const struct futex_row *f, char *buf, size_t size)
{
	static const char *const name[] = {
		"WAIT", "WAKE", "FD", "REQUEUE", "CMP_REQUEUE", "WAKE_OP", "LOCK_PI", "UNLOCK_PI",
		"TRYLOCK_PI", "WAIT_BITSET", "WAKE_BITSET", "WAIT_REQUEUE_PI", "CMP_REQUEUE_PI",
		"LOCK_PI2",
	};
	enum { PRIVATE = 128 };
	uint32_t cmd = f->op & 0x7f;

	if (!f->known)
		return "";
	if (f->op & OP_FUTEX_WAIT_CALL)
		return "futex_wait";
	if (cmd < SF_ARRAY_SIZE(name))
		snprintf(buf, size, "%s%s", name[cmd], f->op & PRIVATE ? "_PRIVATE" : "");
	else
		snprintf(buf, size, "%u", f->op);
	return buf;
}

/* --------------------------------------------------------------------------- sums */

static struct futex_row *row_of(struct futexes *f, const struct call *c, uint32_t thread)
{
	uint64_t key = sf_hash64(c->address + ((uint64_t)c->op << 48)) ^ sf_hash64(thread + 1);
	uint32_t *at = sf_map64_at(&f->at, key, NULL);

	if (!at)
		return NULL;
	if (*at)
		return &f->item[*at - 1];
	if (SF_GROW(f->item, f->nr + 1, f->alloc))
		return NULL;
	f->item[f->nr] = (struct futex_row){
		.address = c->address, .op = c->op, .thread = thread, .waker = SF_NO_THREAD,
		.known = c->known,
	};
	*at = (uint32_t)++f->nr;
	return &f->item[f->nr - 1];
}

static int add_wait(struct futexes *f, const struct call *c, uint32_t thread,
		    const struct sf_slice *iv)
{
	struct futex_row *r = row_of(f, c, thread);
	uint64_t ns = iv->hi - iv->lo;
	uint32_t *waits;

	if (!r)
		return -ENOMEM;
	r->ns += ns;
	r->waits++;
	if (ns > r->stack_ns) {
		r->stack_ns = ns;
		r->stack = iv->stack;
	}
	if (iv->woken && iv->waker != SF_NO_THREAD && iv->wake == SF_WAKE_TASK && ns > r->waker_ns) {
		r->waker_ns = ns;
		r->waker = iv->waker;
	}
	waits = sf_map64_at(&f->waits_on, sf_hash64(c->address) ^ thread, NULL);
	if (!waits)
		return -ENOMEM;
	*waits = 1;
	return 0;
}

static int add_thread(struct table_build *b, struct futexes *f, uint32_t thread,
		      const struct sf_window *w)
{
	const struct sf_thread *t = &b->rec->thread[thread];
	struct sf_timeline tl = { 0 };
	int ret = sf_timeline_build(&tl, b->rec, thread, w, w->lo, w->hi);

	for (size_t i = 0; !ret && i < tl.nr; i++) {
		const struct sf_slice *iv = &tl.iv[i];
		struct call c;

		if (iv->state != SF_STATE_BLOCKED ||
		    sf_mechanism_wait(&b->mech, iv->stack) != SF_WAIT_FUTEX)
			continue;
		c = which(b, t, w, iv);
		ret = add_wait(f, &c, thread, iv);
	}
	sf_timeline_release(&tl);
	return ret;
}

/* ------------------------------------------------------------- contended or passive */

static bool has(const char *name, const char *part)
{
	size_t n = strlen(part);

	for (; *name; name++)
		if (!strncasecmp(name, part, n))
			return true;
	return false;
}

static bool is_lock(const char *name)
{
	if (has(name, "cond") || has(name, "unlock"))
		return false;
	return has(name, "lll_lock") || has(name, "lock_contended") || has(name, "lock_slow") ||
	       ((has(name, "mutex") || has(name, "rwlock") || has(name, "spin")) && has(name, "lock"));
}

static bool is_message(const char *name)
{
	return has(name, "cond") || has(name, "park") || has(name, "recv") || has(name, "sem_wait") ||
	       has(name, "pthread_join") || has(name, "clockwait");
}

/*
 * A lock is what its own functions say, else what a thread that waited for it lets others have.
 * Everything else is a message: who waits for it is passive.
 */
static const char *kind_of(struct table_build *b, struct futexes *f, const struct futex_row *r)
{
	const struct sf_frame *fr;

	if ((r->op & 0x7f) == 6 || (r->op & 0x7f) == 13) /* FUTEX_LOCK_PI, FUTEX_LOCK_PI2 */
		return "contended";
	for (uint32_t id = r->stack; id; id = sf_stack_parent(b->rec, id)) {
		size_t n = sf_symbols_frames(b->rec->symbols, sf_stack_loc(b->rec, id), &fr);

		for (size_t i = 0; i < n; i++) {
			if (fr[i].flags & SF_FRAME_KERNEL)
				continue;
			if (is_lock(fr[i].name))
				return "contended";
			if (is_message(fr[i].name))
				return "passive";
		}
	}
	if (r->known && r->waker != SF_NO_THREAD &&
	    sf_map64_get(&f->waits_on, sf_hash64(r->address) ^ r->waker, 0))
		return "contended";
	return "passive";
}

/* The first function of the program's own from the leaf: not the C library's. */
static const char *user_function(struct table_build *b, uint32_t stack)
{
	const struct sf_frame *f;

	for (uint32_t id = stack; id; id = sf_stack_parent(b->rec, id)) {
		if (!sf_symbols_frames(b->rec->symbols, sf_stack_loc(b->rec, id), &f))
			continue;
		if (!(f[0].flags & SF_FRAME_KERNEL) && *f[0].name &&
		    strncmp(f[0].dso_short, "libc", 4) && strncmp(f[0].dso_short, "libpthread", 10) &&
		    strncmp(f[0].dso_short, "ld-", 3))
			return f[0].name;
	}
	return "";
}

/* ------------------------------------------------------------------------ together */

static int by_time(const void *a, const void *b)
{
	const struct futex_row *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	return x->thread < y->thread ? -1 : x->thread > y->thread;
}

static int add_row(struct table_build *b, struct futexes *f, const struct futex_row *r,
		   uint64_t span)
{
	char op[64];
	int ret = sf_row(b);

	if (ret)
		return ret;
	if (r->known)
		sf_set_textf(b, ADDRESS, "0x%llx", (unsigned long long)r->address);
	sf_set_text(b, OPERATION, operation(r, op, sizeof(op)));
	sf_set_text(b, THREAD, sf_thread_name(b, r->thread));
	sf_set_int(b, TID, b->rec->thread[r->thread].tid);
	sf_set_ms(b, MS, r->ns);
	sf_set_real(b, PCT, span ? 100 * (double)r->ns / (double)span : 0);
	sf_set_int(b, WAITS, (int64_t)r->waits);
	sf_set_text(b, KIND, kind_of(b, f, r));
	if (r->waker != SF_NO_THREAD) {
		sf_set_text(b, WAKER, sf_thread_name(b, r->waker));
		sf_set_int(b, WAKER_TID, b->rec->thread[r->waker].tid);
	}
	sf_set_text(b, IN, user_function(b, r->stack));
	return 0;
}

static int fill(struct table_build *b)
{
	uint64_t span = sf_table_span(b), unknown = 0;
	struct futexes f = { 0 };
	int ret = 0;

	for (size_t w = 0; !ret && w < b->nr_windows; w++)
		for (uint32_t i = 0; !ret && i < b->rec->nr_threads; i++)
			if (sf_table_wants(b, i))
				ret = add_thread(b, &f, i, b->window[w]);
	if (f.nr)
		qsort(f.item, f.nr, sizeof(*f.item), by_time);
	for (size_t i = 0; !ret && i < f.nr; i++) {
		ret = add_row(b, &f, &f.item[i], span);
		unknown += f.item[i].known ? 0 : f.item[i].ns;
	}
	free(f.item);
	sf_map64_release(&f.at);
	sf_map64_release(&f.waits_on);
	if (!ret)
		ret = sf_table_note(b, "passive: waits for a message; contended: for a lock, and who "
				    "woke it had it");
	if (!ret && unknown)
		ret = sf_table_note(b, "no address: %.1f ms of waits that no look at /proc fell into "
				    "(record --poll HZ, or --syscalls)", (double)unknown / 1e6);
	return ret;
}

const struct table_def sf_def_futex = { "futex", columns, NR, fill };
