/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Folding the samples of a perf.data file.
 *
 * Most samples repeat a chain that was seen before. A chain is taken in parts, that of user space and
 * that of the kernel. A small cache knows the stack of a part by a hash of (what it stands on,
 * address space, entries), so that such a part costs one pass over its entries and no more; for the
 * kernel's it is one for all processes. A second cache knows the starts of parts, from the root on,
 * by the same hash as it was on the way: a part costs a look at the entries behind the longest start
 * that is known.
 *
 * Names are looked up at once, so that the tree of stacks grows with the functions and not with the
 * addresses; fold_later.h is for recordings where that would be too early.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <snapflame/array.h>
#include <snapflame/marks.h>
#include <snapflame/symbol.h>

#include "analysis/fold_chain.h"
#include "analysis/fold_frames.h"
#include "analysis/fold_impl.h"
#include "analysis/fold_later.h"
#include "analysis/fold_tasks.h"

/* The tags are 64 bits of hash: among 10^7 chains two are taken for one with a chance of 10^-6. */
struct cached {
	uint64_t tag;
	uint32_t node; /* 0: empty */
};

#define WHOLE_BITS 16
#define START_BITS 16
#define HUGE_PAGE  ((size_t)2 << 20)

struct sample_fold {
	struct sf_fold *f;
	struct sf_reader *r;
	struct sf_symbols *symbols;
	struct sf_fold_tasks tasks;
	struct sf_fold_chain chain;
	struct sf_fold_frames frames;
	struct sf_fold_later later;
	bool has_marks, name_later;
	bool events_known, has_chains; /* some event has call chains */
	struct sf_trie *stacks; /* of f, or of later */
	struct cached *whole, *start;
	uint64_t *hash; /* of a part up to each entry, from the root on */
	size_t hash_alloc;
	uint8_t *verdict; /* by event index: enum sf_fold_verdict + 1 */
	size_t verdicts_alloc;
	uint64_t hits, entries; /* chains, looked at; for SNAPFLAME_DEBUG=fold */
};

/* The stack of node and the entry p; 0 without memory. */
static uint32_t extend(struct sample_fold *s, uint32_t node, const struct sf_fold_place *p)
{
	const uint32_t *id;
	size_t nr;

	s->entries++;
	if (s->name_later)
		return sf_fold_later_child(&s->later, node, p);
	if (sf_fold_frames_at(&s->frames, p, &id, &nr))
		return 0;
	for (size_t i = 0; i < nr && node; i++)
		node = sf_trie_child(s->stacks, node, id[i]);
	return node;
}

/* A part of a chain in one mode, leaf first, which stands on the stack of node. */
struct part {
	struct sf_fold_place place; /* of the entry that is looked at */
	uint32_t node;
	const uint64_t *ip;
	size_t nr;
};

/* The stack of a part that is not known as a whole; 0 without memory. */
static uint32_t locate(struct sample_fold *s, struct part *p)
{
	uint32_t node = p->node;
	size_t i;

	/* The longest start that is known: its last entry is ip[i]. Not the whole, that is new. */
	for (i = 1; i < p->nr; i++) {
		struct cached *at = &s->start[s->hash[i] >> (64 - START_BITS)];

		if (at->tag == s->hash[i] && at->node) {
			node = at->node;
			break;
		}
	}
	while (node && i--) {
		p->place.ip = p->ip[i];
		p->place.caller = i > 0;
		node = extend(s, node, &p->place);
		if (i)
			s->start[s->hash[i] >> (64 - START_BITS)] =
				(struct cached){s->hash[i], node};
	}
	return node;
}

static uint32_t find_part(struct sample_fold *s, struct part *p)
{
	uint64_t hash = sf_mix64(p->place.space + p->place.mode, p->node);
	struct cached *at;

	if (SF_GROW(s->hash, p->nr, s->hash_alloc))
		return 0;
	for (size_t i = p->nr; i--;)
		s->hash[i] = hash = sf_mix64(hash, p->ip[i]);
	at = &s->whole[hash >> (64 - WHOLE_BITS)];
	if (at->node && at->tag == hash) {
		s->hits++;
		return at->node;
	}
	*at = (struct cached){hash, locate(s, p)};
	return at->node;
}

static void set_mode(struct sample_fold *s, struct sf_fold_place *p, unsigned mode)
{
	/* The kernel is the same for all processes. */
	p->space = sf_fold_tasks_space(&s->tasks, p->pid, mode == PERF_RECORD_MISC_USER);
	p->mode = mode;
	/* A recording of user space alone has no mapping of it: perf knows nothing there. */
	if (mode == PERF_RECORD_MISC_KERNEL && !s->tasks.has_kernel_map)
		p->mode = PERF_RECORD_MISC_HYPERVISOR;
}

/* From the root on: a part is what stands between two contexts, the first of them tells its mode. */
static uint32_t find_stack(struct sample_fold *s, struct sf_fold_task *task)
{
	struct part p = {.place = {.pid = task->pid, .java = task->java}};
	const struct sf_fold_chain *c = &s->chain;
	size_t end = c->nr, start;

	if (!task->node)
		task->node = sf_trie_child(s->stacks, 0, task->root);
	p.node = task->node;
	for (; p.node && end; end = start ? start - 1 : 0) {
		for (start = end; start && !sf_fold_chain_is_context(c->ip[start - 1]); start--)
			;
		if (start == end)
			continue;
		p.ip = c->ip + start;
		p.nr = end - start;
		/* perf takes what stands before any context for user space. */
		set_mode(s, &p.place, start ? sf_fold_chain_mode(c->ip[start - 1])
					    : PERF_RECORD_MISC_USER);
		p.node = find_part(s, &p);
	}
	return p.node;
}

/* perf gives up a chain with a context that it does not know. */
static bool chain_is_valid(const struct sf_fold_chain *c)
{
	for (size_t i = 0; i < c->nr; i++)
		if (sf_fold_chain_is_context(c->ip[i]) && !sf_fold_chain_mode(c->ip[i]))
			return false;
	return true;
}

static bool is_event(const struct sf_event *e, const char *name)
{
	return e->name && !strcmp(e->name, name);
}

/* Verdict of an event, found once for each. */
static enum sf_fold_verdict judge_event(struct sample_fold *s, const struct sf_event *e)
{
	size_t old = s->verdicts_alloc;
	enum sf_fold_verdict v;

	if (e->index < old && s->verdict[e->index])
		return (enum sf_fold_verdict)(s->verdict[e->index] - 1);
	if (SF_GROW(s->verdict, (size_t)e->index + 1, s->verdicts_alloc))
		return SF_FOLD_NO_MEMORY;
	if (s->verdicts_alloc > old)
		memset(s->verdict + old, 0, s->verdicts_alloc - old);
	/* What the recorder wrote beside samples of events is asked for by name, or not at all. */
	if (e->name && !strncmp(e->name, "snapflame:", 10) &&
	    (!s->f->event || strcmp(e->name, s->f->event)))
		v = SF_FOLD_SKIP;
	else
		v = sf_fold_meet(s->f, e->name ? e->name : "", e->name ? strlen(e->name) : 0);
	if (v != SF_FOLD_NO_MEMORY)
		s->verdict[e->index] = (uint8_t)(v + 1);
	return v;
}

static int import_names(struct sample_fold *s, const struct sf_record *rec)
{
	const char *json = (const char *)rec->u.sample.raw;
	int ret;

	if (!json)
		return 0;
	ret = sf_symbols_import(s->symbols, json, strnlen(json, rec->u.sample.raw_size));
	return ret == -ENOMEM ? ret : 0; /* a damaged mark costs names, nothing else */
}

static int fold_stack(struct sample_fold *s, struct sf_fold_task *task,
		      const struct sf_record *rec)
{
	uint64_t weight = 1; /* of a tracepoint perf script prints no period */
	uint32_t node;

	if (sf_fold_chain_get(&s->chain, rec))
		return -ENOMEM;
	if (!chain_is_valid(&s->chain))
		s->chain.nr = 0;
	node = find_stack(s, task);
	if (!node)
		return -ENOMEM;
	if (rec->event->attr.type != PERF_TYPE_TRACEPOINT)
		weight = sf_fold_weight_of(s->f, rec->u.sample.period);
	sf_trie_add(s->stacks, node, weight);
	sf_fold_count(s->f, weight);
	return 0;
}

/*
 * Beside samples with call chains perf script prints those of an event without on one line each, which
 * the script passes over. The events of a pipe are all known with its first sample.
 */
static bool is_one_line(struct sample_fold *s, const struct sf_record *rec)
{
	if (!s->events_known)
		for (size_t i = 0; i < sf_reader_nr_events(s->r); i++)
			s->has_chains |= (sf_reader_event(s->r, i)->attr.sample_type &
					  PERF_SAMPLE_CALLCHAIN) != 0;
	s->events_known = true;
	return s->has_chains && !s->f->opts.event && !(rec->u.sample.has & PERF_SAMPLE_CALLCHAIN);
}

static int fold_sample(struct sample_fold *s, const struct sf_record *rec)
{
	struct sf_fold_task *task;
	struct sf_fold *f = s->f;

	if (!rec->event)
		return 0;
	if (s->has_marks && is_event(rec->event, SF_EVENT_MARK))
		return import_names(s, rec);
	if (!sf_fold_chain_is_there(rec) || is_one_line(s, rec)) {
		f->stats.no_stack++;
		return 0;
	}
	switch (judge_event(s, rec->event)) {
	case SF_FOLD_NO_MEMORY:
		return -ENOMEM;
	case SF_FOLD_SKIP:
		f->stats.other_event++;
		return 0;
	case SF_FOLD_TAKE:
		break;
	}
	task = sf_fold_tasks_get(&s->tasks, f, rec);
	if (!task)
		return -ENOMEM;
	if (task->filtered || !sf_fold_wants_time(f, rec->has_time, rec->time)) {
		f->stats.filtered++;
		return 0;
	}
	return fold_stack(s, task, rec);
}

/* To perf a program's mappings outlive an exec, where the new ones leave them room. */
static int feed_symbols(struct sample_fold *s, const struct sf_record *rec)
{
	struct sf_record renamed;

	if (rec->type != PERF_RECORD_COMM || !rec->u.comm.exec)
		return sf_symbols_feed(s->symbols, rec);
	renamed = *rec;
	renamed.u.comm.exec = false;
	return sf_symbols_feed(s->symbols, &renamed);
}

static int fold_record(struct sample_fold *s, const struct sf_record *rec)
{
	int ret;

	if (rec->type == PERF_RECORD_SAMPLE)
		return fold_sample(s, rec);
	ret = feed_symbols(s, rec);
	return ret ? ret : sf_fold_tasks_feed(&s->tasks, rec);
}

static void tell_origin(struct sample_fold *s)
{
	sf_symbols_set_origin(s->symbols, sf_reader_feature(s->r, SF_FEAT_OSRELEASE),
			      sf_reader_feature(s->r, SF_FEAT_HOSTNAME),
			      sf_reader_feature(s->r, SF_FEAT_ARCH));
}

/* Of an architecture that cannot be unwound, the leaf is still known. */
static void open_unwind(struct sample_fold *s)
{
	const char *arch = sf_reader_feature(s->r, SF_FEAT_ARCH);
	struct sf_unwind_opts opts = {.arch = arch[0] ? arch : NULL, .mark_cut = true};

	sf_unwind_new(&s->chain.unwind, s->symbols, &opts, NULL);
}

/* Events of a pipe are not known yet: then there may be. */
static bool has_marks(struct sf_reader *r)
{
	for (size_t i = 0; i < sf_reader_nr_events(r); i++)
		if (is_event(sf_reader_event(r, i), SF_EVENT_MARK))
			return true;
	return !sf_reader_nr_events(r);
}

/*
 * Both caches in one huge page where there is one: they are looked at in no order, and what a small
 * page costs to be found is as much as the look.
 */
static int make_caches(struct sample_fold *s)
{
	size_t whole = sizeof(*s->whole) << WHOLE_BITS, start = sizeof(*s->start) << START_BITS;
	void *p = aligned_alloc(HUGE_PAGE, (whole + start + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));

	if (!p)
		return -ENOMEM;
	madvise(p, whole + start, MADV_HUGEPAGE);
	memset(p, 0, whole + start);
	s->whole = p;
	s->start = s->whole + ((size_t)1 << WHOLE_BITS);
	return 0;
}

static int start(struct sample_fold *s)
{
	sf_fold_tasks_init(&s->tasks);
	tell_origin(s);
	open_unwind(s);
	s->has_marks = has_marks(s->r);
	/*
	 * Names are there before the first sample, but for pipes, whose headers are records, and
	 * for recordings that hold names, which are written last.
	 */
	s->name_later = s->has_marks || sf_symbols_has_inlines(s->symbols) ||
			!sf_reader_feature(s->r, SF_FEAT_OSRELEASE)[0];
	s->later.f = s->f;
	s->later.symbols = s->symbols;
	s->stacks = s->name_later ? &s->later.raw : &s->f->stacks;
	if (make_caches(s))
		return -ENOMEM;
	return sf_fold_frames_init(&s->frames, s->f, s->symbols);
}

static void release(struct sample_fold *s)
{
	sf_fold_tasks_release(&s->tasks);
	sf_fold_chain_release(&s->chain);
	sf_fold_frames_release(&s->frames);
	sf_fold_later_release(&s->later);
	free(s->whole); /* and start */
	free(s->hash);
	free(s->verdict);
}

static int fold_all(struct sample_fold *s, struct sf_error *err)
{
	const struct sf_record *rec;
	int ret, end;

	while ((end = sf_reader_next(s->r, &rec, err)) > 0) {
		if (rec->type == SF_RECORD_HEADER_FEATURE)
			tell_origin(s); /* in a pipe */
		ret = fold_record(s, rec);
		if (ret)
			return sf_error_at(err, ret, sf_reader_path(s->r), 0, "no memory");
	}
	sf_debug("fold", "%llu samples, %llu parts known, %llu entries looked at; %zu stacks",
		 (unsigned long long)s->f->stats.samples, (unsigned long long)s->hits,
		 (unsigned long long)s->entries, s->stacks->nr);
	if ((s->name_later && sf_fold_later_name(&s->later)) || sf_symbols_no_memory(s->symbols))
		return sf_error_at(err, -ENOMEM, sf_reader_path(s->r), 0, "no memory");
	return end;
}

int sf_fold_perf_data(struct sf_fold *f, struct sf_reader *r, struct sf_symbols *symbols,
		      struct sf_error *err)
{
	struct sample_fold s = {.f = f, .r = r, .symbols = symbols};
	int ret = start(&s);

	if (ret)
		sf_error_set(err, ret, "no memory");
	else
		ret = fold_all(&s, err);
	release(&s);
	return ret;
}
