/* SPDX-License-Identifier: GPL-2.0-only */
#include <snapflame/fold_view.h>

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/profile_internal.h"
#include "analysis/running.h"

/* ns by (root, stack, last frame): rounded to µs only when all windows are in. */
struct line {
	uint32_t root, last; /* string ids; last 0: none */
	uint32_t stack;
	uint64_t ns;
};

struct view {
	const struct sf_view_opts *opts;
	const struct sf_recording *rec;
	struct sf_strtab str;
	struct sf_mechanisms mech;
	struct line *line;
	size_t nr, alloc;
	struct sf_map64 at; /* hash of a line's key -> index + 1 of the last one with it */
	uint32_t *chain;    /* next line with the same hash */
	size_t chain_alloc;
	uint64_t lo, hi;    /* of the window, clipped */
	uint32_t root;      /* of the thread at hand */
};

static int add(struct view *v, uint32_t stack, uint32_t last, uint64_t ns)
{
	uint64_t key = sf_hash64((uint64_t)v->root << 32 | stack) + last;
	uint32_t *at = sf_map64_at(&v->at, key, NULL);

	if (!at)
		return -ENOMEM;
	for (uint32_t i = *at; i; i = v->chain[i - 1]) {
		struct line *l = &v->line[i - 1];

		if (l->root == v->root && l->stack == stack && l->last == last) {
			l->ns += ns;
			return 0;
		}
	}
	if (SF_GROW(v->line, v->nr + 1, v->alloc) || SF_GROW(v->chain, v->nr + 1, v->chain_alloc))
		return -ENOMEM;
	v->chain[v->nr] = *at;
	v->line[v->nr++] = (struct line){ v->root, last, stack, ns };
	*at = (uint32_t)v->nr;
	return 0;
}

static uint32_t root_name(struct view *v, const struct sf_thread *t)
{
	struct sf_str s = SF_STR_INIT;
	uint32_t id = 0;

	for (const char *c = sf_text(v->rec, t->comm); *c; c++)
		sf_str_addch(&s, *c == ' ' ? '_' : *c);
	if (v->opts->tid)
		sf_str_addf(&s, "-%u/%u", t->pid, t->tid);
	else if (v->opts->pid)
		sf_str_addf(&s, "-%u", t->pid);
	if (!sf_str_failed(&s))
		id = sf_strtab_id(&v->str, s.buf);
	sf_str_release(&s);
	return id;
}

static bool wanted(const struct view *v, const struct sf_thread *t)
{
	const char *comm = sf_text(v->rec, t->comm);

	for (size_t i = 0; i < v->opts->nr_threads; i++)
		if (!fnmatch(v->opts->threads[i], comm, 0))
			return true;
	return !v->opts->nr_threads;
}

static int add_part(void *arg, const struct sf_run_part *p)
{
	struct view *v = arg;
	uint32_t last = p->stack ? 0 : sf_strtab_id(&v->str, "[running]");

	return add(v, p->stack, last, p->hi - p->lo);
}

static int add_slice(struct view *v, const struct sf_thread *t, const struct sf_slice *iv)
{
	enum sf_view view = v->opts->view;
	uint64_t ns = iv->hi - iv->lo;
	uint32_t stack = sf_mechanism_trim(&v->mech, iv->stack);

	switch (iv->state) {
	case SF_STATE_RUNNING:
		return view == SF_VIEW_OFFCPU
			       ? 0
			       : sf_running_parts(&v->mech, t, iv, iv->lo, iv->hi, add_part, v);
	case SF_STATE_RUNNABLE:
		return view == SF_VIEW_ONCPU
			       ? 0
			       : add(v, iv->preempted ? stack : 0, sf_strtab_id(&v->str, "[runnable]"), ns);
	case SF_STATE_BLOCKED:
		return view == SF_VIEW_ONCPU
			       ? 0
			       : add(v, stack, stack ? 0 : sf_strtab_id(&v->str, "[blocked]"), ns);
	case SF_STATE_UNACCOUNTED:
		return view == SF_VIEW_WALL ? add(v, 0, sf_strtab_id(&v->str, "[unaccounted]"), ns) : 0;
	default:
		return 0;
	}
}

static int add_threads(struct view *v, const struct sf_window *w)
{
	struct sf_timeline tl = { 0 };
	int ret = 0;

	for (uint32_t i = 0; !ret && i < v->rec->nr_threads; i++) {
		const struct sf_thread *t = &v->rec->thread[i];

		/* A recording that knows no target is about everybody in it. */
		if ((v->rec->meta.pid && !(t->flags & SF_THREAD_TARGET)) ||
		    t->flags & SF_THREAD_IDLE || !wanted(v, t))
			continue;
		ret = sf_timeline_build(&tl, v->rec, i, w, v->lo, v->hi);
		v->root = root_name(v, t);
		if (!v->root)
			ret = -ENOMEM;
		for (size_t k = 0; !ret && k < tl.nr; k++)
			ret = add_slice(v, t, &tl.iv[k]);
	}
	sf_timeline_release(&tl);
	return ret;
}

static uint32_t segment_last(struct view *v, const struct sf_segment *s)
{
	char name[64], buf[96];

	if (s->dev) {
		snprintf(buf, sizeof(buf), "[device %s]",
			 sf_device_name(v->rec, s->dev, name, sizeof(name)));
		return sf_strtab_id(&v->str, buf);
	}
	if (s->state == SF_STATE_RUNNABLE)
		return sf_strtab_id(&v->str, "[runnable]");
	if (s->stack)
		return 0;
	snprintf(buf, sizeof(buf), "[%s]", sf_state_name(s->state));
	return sf_strtab_id(&v->str, buf);
}

static int add_critical(struct view *v, const struct sf_window *w)
{
	struct sf_critpath cp = { 0 };
	struct sf_timelines ts;
	int ret;

	if (w->root == SF_NO_THREAD)
		return 0;
	ret = sf_timelines_init(&ts, v->rec, w, v->lo, v->hi);
	if (!ret)
		ret = sf_critpath_walk(&cp, &ts, &v->mech, w->root);
	for (size_t i = 0; !ret && i < cp.nr; i++) {
		const struct sf_thread *t = &v->rec->thread[cp.seg[i].thread];

		if (!wanted(v, t))
			continue;
		v->root = root_name(v, t);
		ret = v->root ? add(v, cp.seg[i].stack, segment_last(v, &cp.seg[i]),
				    cp.seg[i].hi - cp.seg[i].lo)
			      : -ENOMEM;
	}
	sf_critpath_release(&cp);
	sf_timelines_release(&ts);
	return ret;
}

/* ------------------------------------------------------------------ output */

enum { MAX_FRAMES = 1200, NS_PER_US = 1000 };

/* The name of a frame as a folded line has it, appended to names; memory is the arena's. */
static int push_frame(struct sf_arena *a, const struct sf_frame *f, const char **names, size_t *nr)
{
	struct sf_str s = SF_STR_INIT;

	if (*nr >= MAX_FRAMES)
		return 0;
	if (f->name[0])
		sf_str_add(&s, f->name);
	else if (f->dso_short && f->dso_short[0])
		sf_str_addf(&s, "[%s]", f->dso_short);
	else
		sf_str_add(&s, "[unknown]");
	if (f->flags & SF_FRAME_KERNEL)
		sf_str_add(&s, "_[k]");
	else if (f->flags & SF_FRAME_INLINED)
		sf_str_add(&s, "_[i]");
	else if (f->flags & SF_FRAME_JIT)
		sf_str_add(&s, "_[j]");
	names[*nr] = sf_str_failed(&s) ? NULL : sf_arena_strndup(a, s.buf, s.len);
	sf_str_release(&s);
	return names[(*nr)++] ? 0 : -ENOMEM;
}

static int emit_line(struct view *v, struct sf_fold *f, const struct line *l)
{
	const char *names[MAX_FRAMES + 2];
	uint32_t loc[MAX_FRAMES];
	struct sf_arena arena = { 0 };
	size_t nr = 0, n = 0;
	int ret = 0;

	names[nr++] = sf_strtab_text(&v->str, l->root);
	for (uint32_t id = l->stack; id && n < MAX_FRAMES; id = sf_stack_parent(v->rec, id))
		loc[n++] = sf_stack_loc(v->rec, id);
	while (!ret && n-- > 0) {
		const struct sf_frame *fr;
		size_t k = sf_symbols_frames(v->rec->symbols, loc[n], &fr);

		while (!ret && k-- > 0)
			ret = push_frame(&arena, &fr[k], names, &nr);
	}
	if (l->last)
		names[nr++] = sf_strtab_text(&v->str, l->last);
	if (!ret && sf_symbols_no_memory(v->rec->symbols))
		ret = -ENOMEM;
	if (!ret)
		ret = sf_fold_add(f, names, nr, (l->ns + NS_PER_US / 2) / NS_PER_US);
	sf_arena_release(&arena);
	return ret;
}

static void view_release(struct view *v)
{
	sf_strtab_release(&v->str);
	sf_mechanisms_release(&v->mech);
	sf_map64_release(&v->at);
	free(v->line);
	free(v->chain);
}

static bool clip(struct view *v, const struct sf_window *w)
{
	v->lo = w->lo > v->opts->begin ? w->lo : v->opts->begin;
	v->hi = v->opts->end && v->opts->end < w->hi ? v->opts->end : w->hi;
	return v->lo < v->hi;
}

/* All windows of one recording, from *i on. */
static int one_recording(struct sf_fold *f, const struct sf_window_ref *ref, size_t nr, size_t *i,
			 const struct sf_view_opts *opts)
{
	struct view v = { .opts = opts, .rec = ref[*i].rec };
	int ret = sf_mechanisms_init(&v.mech, v.rec);

	for (; !ret && *i < nr && ref[*i].rec == v.rec; ++*i) {
		if (!clip(&v, ref[*i].window))
			continue;
		ret = opts->view == SF_VIEW_CRITICAL ? add_critical(&v, ref[*i].window)
						     : add_threads(&v, ref[*i].window);
	}
	for (size_t k = 0; !ret && k < v.nr; k++)
		if (v.line[k].ns >= NS_PER_US / 2)
			ret = emit_line(&v, f, &v.line[k]);
	view_release(&v);
	return ret;
}

int sf_fold_windows(struct sf_fold *f, const struct sf_window_ref *ref, size_t nr,
		    const struct sf_view_opts *opts, struct sf_error *err)
{
	for (size_t i = 0; i < nr;) {
		const struct sf_recording *rec = ref[i].rec;
		int ret;

		if (!rec->has_switches)
			return sf_error_at(err, -EINVAL, rec->path, 0,
					   "no context switches here: only --view samples is possible "
					   "(snapflame record, or perf record --switch-events)");
		ret = one_recording(f, ref, nr, &i, opts);
		if (ret)
			return sf_error_at(err, ret, rec->path, 0, "out of memory");
	}
	return 0;
}
