/* SPDX-License-Identifier: GPL-2.0-only */
/* Folding perf script text. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/array.h>
#include <snapflame/marks.h>
#include <snapflame/script.h>

#include "analysis/fold_impl.h"

/*
 * The names of a printed frame depend on symbol, dso and whether it is below java: found once for
 * each, kept in one pool. With addrs those of unknown frames depend on the address, too, and are
 * made anew each time.
 */
struct text_fold {
	struct sf_fold *f;
	struct sf_strtab printed; /* symbols and dsos */
	struct sf_map64 known;	  /* symbol, dso, java -> index of span + 1 */
	struct name_span {
		uint32_t start, nr; /* in pool */
	} *span;
	size_t nr_spans, spans_alloc;
	struct sf_name_list pool;
	struct sf_name_list fresh; /* of a frame that is not kept */
	struct sf_strtab comms;
	struct sf_map64 roots; /* comm id -> root, where it does not depend on pid and tid */
};

static void release(struct text_fold *t)
{
	sf_strtab_release(&t->printed);
	sf_strtab_release(&t->comms);
	sf_map64_release(&t->known);
	sf_map64_release(&t->roots);
	free(t->span);
	free(t->pool.id);
	free(t->fresh.id);
}

static bool is_unknown(struct sf_text symbol)
{
	return symbol.len >= 9 && !memcmp(symbol.p, "[unknown]", 9);
}

/* Names of a frame: *id and *nr, valid until the next call. */
static int frame_names(struct text_fold *t, bool java, const struct sf_script_frame *frame,
		       const uint32_t **id, size_t *nr)
{
	struct sf_printed_frame printed = {frame->symbol, frame->dso, frame->pc, false};
	uint32_t symbol, dso, *at;
	struct name_span *s;
	size_t start = t->pool.nr;
	bool made;

	if (t->f->opts.addrs && is_unknown(frame->symbol)) {
		t->fresh.nr = 0;
		if (sf_fold_namer_frame(&t->f->namer, java, &printed, &t->fresh))
			return -ENOMEM;
		*id = t->fresh.id;
		*nr = t->fresh.nr;
		return 0;
	}
	symbol = sf_strtab_idn(&t->printed, frame->symbol.p, frame->symbol.len);
	dso = sf_strtab_idn(&t->printed, frame->dso.p, frame->dso.len);
	if (!symbol || !dso || dso >= 1u << 31)
		return -ENOMEM;
	at = sf_map64_at(&t->known, (uint64_t)symbol << 32 | dso | (uint32_t)java << 31, &made);
	if (!at)
		return -ENOMEM;
	if (!*at) {
		if (sf_fold_namer_frame(&t->f->namer, java, &printed, &t->pool) ||
		    SF_GROW(t->span, t->nr_spans + 1, t->spans_alloc))
			return -ENOMEM;
		t->span[t->nr_spans++] =
			(struct name_span){(uint32_t)start, (uint32_t)(t->pool.nr - start)};
		*at = (uint32_t)t->nr_spans;
	}
	s = &t->span[*at - 1];
	*id = s->nr ? t->pool.id + s->start : NULL;
	*nr = s->nr;
	return 0;
}

static uint32_t root_of(struct text_fold *t, const struct sf_script_sample *s)
{
	struct sf_printed_thread thread = {s->comm, s->has_pid, s->pid, s->tid, s->header};
	uint32_t comm, *root;

	if (t->f->opts.pid || t->f->opts.tid || sf_root_is_odd(s->comm, s->tid))
		return sf_fold_namer_root(&t->f->namer, &thread);
	comm = sf_strtab_idn(&t->comms, s->comm.p, s->comm.len);
	root = comm ? sf_map64_at(&t->roots, comm, NULL) : NULL;
	if (root && !*root)
		*root = sf_fold_namer_root(&t->f->namer, &thread);
	return root ? *root : 0;
}

static int fold_stack(struct text_fold *t, const struct sf_script_sample *s)
{
	uint32_t root = root_of(t, s), node;
	struct sf_trie *trie = &t->f->stacks;
	bool java = sf_fold_namer_is_java(&t->f->namer, root);
	uint64_t weight = sf_fold_weight_of(t->f, s->has_period ? s->period : 1);

	node = root ? sf_trie_child(trie, 0, root) : 0;
	for (size_t i = s->nr_frames; i-- && node;) {
		const uint32_t *id;
		size_t nr;

		if (frame_names(t, java, &s->frames[i], &id, &nr))
			return -ENOMEM;
		for (size_t k = 0; k < nr && node; k++)
			node = sf_trie_child(trie, node, id[k]);
	}
	if (!node)
		return -ENOMEM;
	sf_trie_add(trie, node, weight);
	sf_fold_count(t->f, weight);
	return 0;
}

/*
 * Printed from a recording of ours, which begins with its marks: nobody wants those folded, but what
 * it sampled.
 */
static void prefer_samples(struct sf_fold *f, struct sf_text event)
{
	static const char mark[] = SF_EVENT_MARK;

	if (!f->event && event.len == sizeof(mark) - 1 && !memcmp(event.p, mark, event.len))
		f->event = SF_EVENT_CPU_CLOCK;
}

static int fold_sample(struct text_fold *t, const struct sf_script_sample *s)
{
	struct sf_fold *f = t->f;

	prefer_samples(f, s->event);
	if (s->bare) {
		f->stats.no_stack++;
		return 0;
	}
	switch (s->event.len ? sf_fold_meet(f, s->event.p, s->event.len) : SF_FOLD_TAKE) {
	case SF_FOLD_NO_MEMORY:
		return -ENOMEM;
	case SF_FOLD_SKIP:
		f->stats.other_event++;
		return 0;
	case SF_FOLD_TAKE:
		break;
	}
	if (!sf_fold_wants_time(f, s->has_time, s->time) ||
	    !sf_fold_wants_thread(f, s->comm.p, s->comm.len)) {
		f->stats.filtered++;
		return 0;
	}
	return fold_stack(t, s);
}

int sf_fold_script(struct sf_fold *f, struct sf_script *script, struct sf_error *err)
{
	struct text_fold t = {.f = f};
	const struct sf_script_sample *s;
	int ret;

	while ((ret = sf_script_next(script, &s, err)) > 0) {
		ret = fold_sample(&t, s);
		if (ret) {
			sf_error_set(err, ret, "no memory");
			break;
		}
	}
	release(&t);
	return ret;
}
