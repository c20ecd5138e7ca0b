/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Folding the samples of a perf.data file.
 *
 * Most samples repeat a chain that was seen before. A small cache knows the stack of a chain by a
 * hash of (root, address space, chain), so that such a sample costs one pass over its chain and no
 * more. A second cache knows the callers alone: a chain that is new in its leaf only costs one
 * location and one node. Only what is new in both is located frame by frame. Names are looked up
 * at the end, once for each location.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/array.h>
#include <snapflame/marks.h>
#include <snapflame/symbol.h>

#include "analysis/fold_chain.h"
#include "analysis/fold_impl.h"
#include "analysis/fold_tasks.h"

/* The tags are 64 bits of hash: among 10^7 chains two are taken for one with a chance of 10^-6. */
struct cached {
	uint64_t tag;
	uint32_t node; /* of raw; 0: empty */
};

#define WHOLE_BITS 16
#define TAIL_BITS  14

/* More nodes than this are named before the end, so that memory stays bounded. */
#define MAX_RAW_NODES (2u << 20)

struct sample_fold {
	struct sf_fold *f;
	struct sf_reader *r;
	struct sf_symbols *symbols;
	struct sf_fold_tasks tasks;
	struct sf_fold_chain chain;
	struct sf_trie raw; /* keys: name of the root, then locations (with addrs: of places) */
	struct cached *whole, *tail;
	struct sf_strtab places;    /* with addrs: location and address */
	uint8_t *verdict;           /* by event index: enum sf_fold_verdict + 1 */
	size_t verdicts_alloc;
	bool names_to_come;         /* the recording holds names, maybe behind its samples */
	/* location -> names; java or not */
	struct name_span {
		uint32_t start, nr; /* start + 1, 0: not looked up */
	} *span[2];
	size_t nr_spans;
	struct sf_name_list pool;
};

static uint64_t mix(uint64_t h, uint64_t v)
{
	__uint128_t m = (__uint128_t)(h ^ v ^ 0xa0761d6478bd642fULL) * 0xe7037ed1a0b428dbULL;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

struct chain_hash {
	uint64_t whole, tail;
	size_t leaf; /* index of the first entry that is no context */
	bool user;   /* has addresses of user space: depends on the process */
};

static struct chain_hash hash_chain(const struct sf_fold_chain *c)
{
	struct chain_hash h = { .leaf = 0 };
	uint64_t v = c->nr;
	size_t i = c->nr;

	while (h.leaf < c->nr && sf_fold_chain_is_context(c->ip[h.leaf]))
		h.leaf++;
	while (i > h.leaf + 1) {
		uint64_t ip = c->ip[--i];

		h.user |= !(ip >> 63);
		v = mix(v, ip);
	}
	/* The context in front says how the callers are to be read, too. */
	h.tail = h.leaf ? mix(v, c->ip[h.leaf - 1]) : mix(v, 1);
	if (h.leaf < c->nr)
		h.user |= !(c->ip[h.leaf] >> 63);
	h.whole = h.leaf < c->nr ? mix(h.tail, c->ip[h.leaf]) : h.tail;
	return h;
}

/* The key of a location in the tree: with addrs the same place at two addresses is two. */
static uint32_t key_of(struct sample_fold *s, uint32_t loc, uint64_t ip)
{
	uint8_t place[sizeof(loc) + sizeof(ip)];

	if (!s->f->opts.addrs || !loc)
		return loc;
	memcpy(place, &loc, sizeof(loc));
	memcpy(place + sizeof(loc), &ip, sizeof(ip));
	return sf_strtab_idn(&s->places, (const char *)place, sizeof(place));
}

static uint32_t child_of(struct sample_fold *s, uint32_t node, uint32_t pid, unsigned mode,
			 uint64_t ip, bool caller)
{
	uint32_t key;

	/* A recording of user space alone has no mapping of the kernel: perf knows nothing there. */
	if (mode == PERF_RECORD_MISC_KERNEL && !s->tasks.has_kernel_map)
		mode = PERF_RECORD_MISC_HYPERVISOR;
	key = key_of(s, sf_symbols_locate(s->symbols, pid, ip, mode, caller), ip);
	return key ? sf_trie_child(&s->raw, node, key) : 0;
}

/* The mode of entry i: that of the last context before it. perf starts with the user's. */
static unsigned mode_at(const struct sf_fold_chain *c, size_t i)
{
	while (i--)
		if (sf_fold_chain_is_context(c->ip[i]))
			return sf_fold_chain_mode(c->ip[i]);
	return PERF_RECORD_MISC_USER;
}

/* The node of the callers: all entries behind the leaf, from the root on. 0 without memory. */
static uint32_t locate_callers(struct sample_fold *s, const struct sf_fold_task *task,
			       const struct chain_hash *h)
{
	const struct sf_fold_chain *c = &s->chain;
	uint32_t node = sf_trie_child(&s->raw, 0, task->root);
	unsigned mode = mode_at(c, c->nr);

	for (size_t i = c->nr; node && i-- > h->leaf + 1;) {
		if (sf_fold_chain_is_context(c->ip[i]))
			mode = mode_at(c, i);
		else
			node = child_of(s, node, task->pid, mode, c->ip[i], true);
	}
	return node;
}

static uint32_t find_stack(struct sample_fold *s, const struct sf_fold_task *task)
{
	struct chain_hash h = hash_chain(&s->chain);
	uint64_t space = sf_fold_tasks_space(&s->tasks, task->pid, h.user);
	uint64_t seed = mix(space, task->root), tag = mix(h.whole, seed), tail = mix(h.tail, seed);
	struct cached *w = &s->whole[tag >> (64 - WHOLE_BITS)];
	struct cached *t = &s->tail[tail >> (64 - TAIL_BITS)];
	uint32_t node;

	if (w->node && w->tag == tag)
		return w->node;
	if (t->node && t->tag == tail) {
		node = t->node;
	} else {
		node = locate_callers(s, task, &h);
		*t = (struct cached){ tail, node };
	}
	if (node && h.leaf < s->chain.nr)
		node = child_of(s, node, task->pid, mode_at(&s->chain, h.leaf),
				s->chain.ip[h.leaf], false);
	*w = (struct cached){ tag, node };
	return node;
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

	if (!json)
		return 0;
	s->names_to_come = true;
	return sf_symbols_import(s->symbols, json, strnlen(json, rec->u.sample.raw_size));
}

static int fold_sample(struct sample_fold *s, const struct sf_record *rec)
{
	const struct sf_fold_task *task;
	struct sf_fold *f = s->f;
	uint64_t weight;
	uint32_t node;
	int ret;

	if (!rec->event)
		return 0;
	if (is_event(rec->event, SF_EVENT_MARK))
		return import_names(s, rec);
	ret = sf_fold_chain_get(&s->chain, rec);
	if (ret <= 0) {
		f->stats.no_stack += !ret;
		return ret;
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
	if (!chain_is_valid(&s->chain))
		s->chain.nr = 0;
	node = find_stack(s, task);
	if (!node)
		return -ENOMEM;
	weight = rec->event->attr.type == PERF_TYPE_TRACEPOINT
			 ? 1
			 : sf_fold_weight_of(f, rec->u.sample.period);
	sf_trie_add(&s->raw, node, weight);
	sf_fold_count(f, weight);
	return 0;
}

static struct sf_text text(const char *p)
{
	return (struct sf_text){ p, strlen(p) };
}

static int name_frame(struct sample_fold *s, const struct sf_frame *frame, const char *pc,
		      bool java)
{
	struct sf_printed_frame printed = {
		.symbol = text(frame->name[0] && !(frame->flags & SF_FRAME_UNKNOWN)
				       ? frame->name : "[unknown]"),
		.dso = text(frame->dso[0] ? frame->dso : "[unknown]"),
		.pc = text(pc),
		.inlined = frame->flags & SF_FRAME_INLINED,
	};

	return sf_fold_namer_frame(&s->f->namer, java, &printed, &s->pool);
}

/* Names of a place into the pool, from the root on. */
static int look_up(struct sample_fold *s, uint32_t key, bool java, struct name_span *span)
{
	const struct sf_frame *frame;
	uint32_t loc = key;
	char pc[20] = "";
	size_t n;

	if (s->f->opts.addrs) {
		const char *place = sf_strtab_text(&s->places, key);
		uint64_t ip;

		memcpy(&loc, place, sizeof(loc));
		memcpy(&ip, place + sizeof(loc), sizeof(ip));
		snprintf(pc, sizeof(pc), "%llx", (unsigned long long)ip);
	}
	span->start = (uint32_t)s->pool.nr + 1;
	n = sf_symbols_frames(s->symbols, loc, &frame);
	while (n--)
		if (name_frame(s, &frame[n], pc, java))
			return -ENOMEM;
	span->nr = (uint32_t)(s->pool.nr + 1 - span->start);
	return 0;
}

static int make_spans(struct sample_fold *s)
{
	size_t n = (s->f->opts.addrs ? s->places.nr : sf_symbols_nr_locations(s->symbols)) + 2;

	for (int java = 0; java < 2; java++) {
		free(s->span[java]);
		s->span[java] = calloc(n, sizeof(**s->span));
		if (!s->span[java])
			return -ENOMEM;
	}
	s->nr_spans = n;
	s->pool.nr = 0;
	return 0;
}

/* The stack of names below parent that a key adds to; parent where it has no name to show. */
static uint32_t name_node(struct sample_fold *s, uint32_t parent, uint32_t key, bool java)
{
	struct name_span *span;

	if (key >= s->nr_spans)
		return 0;
	span = &s->span[java][key];
	if (!span->start && look_up(s, key, java, span))
		return 0;
	for (uint32_t i = 0; i < span->nr && parent; i++)
		parent = sf_trie_child(&s->f->stacks, parent, s->pool.id[span->start - 1 + i]);
	return parent;
}

/* Stacks of locations into stacks of names. A parent comes before its children in raw. */
static int name_stacks(struct sample_fold *s)
{
	const struct sf_trie *raw = &s->raw;
	uint32_t *to = calloc(raw->nr + 1, sizeof(*to));
	uint8_t *java = calloc(raw->nr + 1, 1);
	int ret = to && java ? make_spans(s) : -ENOMEM;

	for (uint32_t n = 1; n < raw->nr && !ret; n++) {
		const struct sf_trie_node *node = &raw->node[n];

		if (!node->parent) {
			java[n] = sf_fold_namer_is_java(&s->f->namer, node->key);
			to[n] = sf_trie_child(&s->f->stacks, 0, node->key);
		} else {
			java[n] = java[node->parent];
			to[n] = name_node(s, to[node->parent], node->key, java[n]);
		}
		if (!to[n])
			ret = -ENOMEM;
		else if (node->weight)
			sf_trie_add(&s->f->stacks, to[n], node->weight);
	}
	free(to);
	free(java);
	return ret;
}

/* Name what there is and start anew. Not where names may still come. */
static int compact(struct sample_fold *s)
{
	int ret;

	if (s->raw.nr < MAX_RAW_NODES || s->names_to_come)
		return 0;
	ret = name_stacks(s);
	sf_trie_release(&s->raw);
	sf_strtab_release(&s->places);
	memset(s->whole, 0, sizeof(*s->whole) << WHOLE_BITS);
	memset(s->tail, 0, sizeof(*s->tail) << TAIL_BITS);
	return ret;
}

static int fold_record(struct sample_fold *s, const struct sf_record *rec)
{
	int ret;

	if (rec->type == PERF_RECORD_SAMPLE) {
		ret = fold_sample(s, rec);
		return ret ? ret : compact(s);
	}
	ret = sf_symbols_feed(s->symbols, rec);
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
	struct sf_unwind_opts opts = { .arch = arch[0] ? arch : NULL, .mark_cut = true };

	sf_unwind_new(&s->chain.unwind, s->symbols, &opts, NULL);
}

static int fold_all(struct sample_fold *s, struct sf_error *err)
{
	const struct sf_record *rec;
	int ret, end;

	s->whole = calloc(1u << WHOLE_BITS, sizeof(*s->whole));
	s->tail = calloc(1u << TAIL_BITS, sizeof(*s->tail));
	if (!s->whole || !s->tail)
		return sf_error_set(err, -ENOMEM, "no memory");
	tell_origin(s);
	open_unwind(s);
	while ((end = sf_reader_next(s->r, &rec, err)) > 0) {
		ret = fold_record(s, rec);
		if (ret)
			return sf_error_at(err, ret, sf_reader_path(s->r), 0, "no memory");
	}
	tell_origin(s); /* a pipe tells it on the way */
	ret = name_stacks(s);
	if (ret)
		return sf_error_at(err, ret, sf_reader_path(s->r), 0, "no memory");
	return end;
}

int sf_fold_perf_data(struct sf_fold *f, struct sf_reader *r, struct sf_symbols *symbols,
		      struct sf_error *err)
{
	struct sample_fold s = { .f = f, .r = r, .symbols = symbols };
	int ret;

	sf_fold_tasks_init(&s.tasks);
	ret = fold_all(&s, err);
	sf_fold_tasks_release(&s.tasks);
	sf_fold_chain_release(&s.chain);
	sf_trie_release(&s.raw);
	sf_strtab_release(&s.places);
	free(s.whole);
	free(s.tail);
	free(s.verdict);
	free(s.span[0]);
	free(s.span[1]);
	free(s.pool.id);
	return ret;
}
