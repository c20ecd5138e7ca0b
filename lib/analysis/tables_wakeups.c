/* SPDX-License-Identifier: GPL-2.0-only */
/* Who woke whom, and out of how much sleep. */
#include <errno.h>
#include <stdlib.h>

#include "analysis/tables_internal.h"

enum { WAKER, WAKER_TID, WOKEN, WOKEN_TID, CONTEXT, COUNT, MS, LONGEST, FROM, NR };

#define BOTH (SF_COLUMN_TEXT | SF_COLUMN_DATA)

static const struct sf_column columns[NR] = {
	[WAKER] = { "waker", "waker", BOTH | SF_COLUMN_LEFT | SF_COLUMN_CUT, 0 },
	[WAKER_TID] = { "waker_tid", "tid", SF_COLUMN_DATA, 0 },
	[WOKEN] = { "woken", "woke", BOTH | SF_COLUMN_LEFT | SF_COLUMN_CUT, 0 },
	[WOKEN_TID] = { "woken_tid", "tid", SF_COLUMN_DATA, 0 },
	[CONTEXT] = { "context", "from", BOTH | SF_COLUMN_LEFT, 0 },
	[COUNT] = { "count", "times", BOTH, 0 },
	[MS] = { "sleep_ms", "sleep ms", BOTH, 1 },
	[LONGEST] = { "longest_ms", "longest", BOTH, 1 },
	[FROM] = { "waited_in", "out of", BOTH | SF_COLUMN_LEFT | SF_COLUMN_CUT, 0 },
};

/* An interrupt has no waker: the thread that it interrupted is not the cause. */
enum context { TASK, IRQ, SOFTIRQ, LOOPBACK, UNSEEN };

struct pair {
	uint32_t waker, woken, stack;
	uint8_t context;
	uint64_t ns, longest;
	size_t count;
};

struct pairs {
	struct pair *item;
	size_t nr, alloc;
	struct sf_map64 at;
};

static int add(struct pairs *p, uint32_t woken, const struct sf_slice *iv)
{
	static const uint8_t context_of[] = {
		[SF_WAKE_TASK] = TASK, [SF_WAKE_IRQ] = IRQ, [SF_WAKE_SOFTIRQ] = SOFTIRQ,
		[SF_WAKE_SENDER] = LOOPBACK,
	};
	uint8_t context = iv->woken ? context_of[iv->wake] : UNSEEN;
	uint32_t waker = context == TASK || context == LOOPBACK ? iv->waker : SF_NO_THREAD;
	uint64_t ns = iv->hi - iv->lo;
	uint32_t *at = sf_map64_at(&p->at, sf_hash64((uint64_t)waker << 32 | woken) ^ context, NULL);
	struct pair *r;

	if (!at || (!*at && SF_GROW(p->item, p->nr + 1, p->alloc)))
		return -ENOMEM;
	if (!*at) {
		p->item[p->nr] = (struct pair){ .waker = waker, .woken = woken, .context = context };
		*at = (uint32_t)++p->nr;
	}
	r = &p->item[*at - 1];
	r->ns += ns;
	r->count++;
	if (ns >= r->longest) {
		r->longest = ns;
		r->stack = iv->stack;
	}
	return 0;
}

static int add_thread(struct table_build *b, struct pairs *p, uint32_t thread,
		      const struct sf_window *w)
{
	struct sf_timeline tl = { 0 };
	int ret = sf_timeline_build(&tl, b->rec, thread, w, w->lo, w->hi);

	/* A sleep that outlasts the window was not ended in it. */
	for (size_t i = 0; !ret && i < tl.nr; i++)
		if (tl.iv[i].state == SF_STATE_BLOCKED && tl.iv[i].hi < w->hi)
			ret = add(p, thread, &tl.iv[i]);
	sf_timeline_release(&tl);
	return ret;
}

static int by_sleep(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	return x->woken < y->woken ? -1 : x->woken > y->woken;
}

static int add_row(struct table_build *b, const struct pair *p)
{
	static const char *const context[] = {
		"thread", "interrupt", "soft irq", "loopback", "not seen",
	};
	int ret = sf_row(b);

	if (ret)
		return ret;
	if (p->waker != SF_NO_THREAD) {
		sf_set_text(b, WAKER, sf_thread_name(b, p->waker));
		sf_set_int(b, WAKER_TID, b->rec->thread[p->waker].tid);
	}
	sf_set_text(b, WOKEN, sf_thread_name(b, p->woken));
	sf_set_int(b, WOKEN_TID, b->rec->thread[p->woken].tid);
	sf_set_text(b, CONTEXT, context[p->context]);
	sf_set_int(b, COUNT, (int64_t)p->count);
	sf_set_ms(b, MS, p->ns);
	sf_set_ms(b, LONGEST, p->longest);
	sf_set_text(b, FROM, sf_leaf_name(b, p->stack));
	return 0;
}

static int fill(struct table_build *b)
{
	struct pairs p = { 0 };
	int ret = 0;

	for (size_t w = 0; !ret && w < b->nr_windows; w++)
		for (uint32_t i = 0; !ret && i < b->rec->nr_threads; i++)
			if (sf_table_wants(b, i))
				ret = add_thread(b, &p, i, b->window[w]);
	if (p.nr)
		qsort(p.item, p.nr, sizeof(*p.item), by_sleep);
	for (size_t i = 0; !ret && i < p.nr; i++)
		ret = add_row(b, &p.item[i]);
	free(p.item);
	sf_map64_release(&p.at);
	if (!ret && !b->rec->has_wakings)
		ret = sf_table_note(b, "the recording has no wakings (sched:sched_waking needs root and "
				    "tracefs; snapflame doctor)");
	return ret;
}

const struct table_def sf_def_wakeups = { "wakeups", columns, NR, fill };
