/* SPDX-License-Identifier: GPL-2.0-only */
#include <snapflame/pieces.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/profile_internal.h"
#include "analysis/running.h"

int sf_pieces_source_init(struct sf_pieces_source *src, const struct sf_recording *rec)
{
	memset(src, 0, sizeof(*src));
	src->rec = rec;
	return sf_mechanisms_init(&src->mech, rec);
}

void sf_pieces_source_release(struct sf_pieces_source *src)
{
	sf_mechanisms_release(&src->mech);
	sf_profile_release(&src->profile);
}

void sf_pieces_release(struct sf_pieces *list)
{
	free(list->item);
	memset(list, 0, sizeof(*list));
}

static int push(struct sf_pieces *list, struct sf_piece s)
{
	if (SF_GROW(list->item, list->nr + 1, list->alloc))
		return -ENOMEM;
	list->item[list->nr++] = s;
	return 0;
}

/* ------------------------------------------------------------------- a thread */

struct part_arg {
	struct sf_pieces *list;
	struct sf_pieces_source *src;
	struct sf_piece piece;
};

static int add_part(void *arg, const struct sf_run_part *p)
{
	struct part_arg *a = arg;
	struct sf_piece s = a->piece;

	s.lo = p->lo;
	s.hi = p->hi;
	s.stack = p->stack;
	s.sampled = p->source == SF_SOURCE_SAMPLE;
	if (p->kernel && sf_mechanism_memory(&a->src->mech, p->stack))
		s.kind = SF_KIND_MEMORY;
	else
		s.kind = p->kernel ? SF_KIND_CPU_KERNEL : SF_KIND_CPU_USER;
	return push(a->list, s);
}

static void reverse(struct sf_piece *s, size_t nr)
{
	for (size_t i = 0; i < nr / 2; i++) {
		struct sf_piece t = s[i];

		s[i] = s[nr - 1 - i];
		s[nr - 1 - i] = t;
	}
}

static int add_running(struct sf_pieces *list, struct sf_pieces_source *src, const struct sf_slice *iv,
		       struct sf_piece s)
{
	struct part_arg a = { list, src, s };
	size_t first = list->nr;
	int ret = sf_running_parts(&src->mech, &src->rec->thread[s.thread], iv, iv->lo, iv->hi,
				   add_part, &a);

	if (!ret) /* they come from the end backwards */
		reverse(list->item + first, list->nr - first);
	return ret;
}

static int add_slice(struct sf_pieces *list, struct sf_pieces_source *src, const struct sf_slice *iv,
		     uint32_t thread)
{
	struct sf_piece s = { .lo = iv->lo, .hi = iv->hi, .thread = thread, .state = iv->state,
			     .task = iv->task, .kind = SF_KIND_UNKNOWN };

	switch (iv->state) {
	case SF_STATE_RUNNING:
		return add_running(list, src, iv, s);
	case SF_STATE_RUNNABLE:
		s.kind = SF_KIND_RUNQUEUE;
		s.stack = iv->preempted ? sf_mechanism_trim(&src->mech, iv->stack) : SF_NO_STACK;
		break;
	case SF_STATE_BLOCKED:
		s.stack = sf_mechanism_trim(&src->mech, iv->stack);
		s.kind = (uint8_t)sf_wait_kind(sf_mechanism_wait(&src->mech, iv->stack));
		break;
	default:
		break;
	}
	return push(list, s);
}

int sf_pieces_of_thread(struct sf_pieces *list, struct sf_pieces_source *src,
		       const struct sf_window *window, uint32_t thread)
{
	struct sf_timeline t = { 0 };
	int ret = sf_timeline_build(&t, src->rec, thread, window, window->lo, window->hi);

	list->nr = 0;
	for (size_t i = 0; !ret && i < t.nr; i++)
		ret = add_slice(list, src, &t.iv[i], thread);
	sf_timeline_release(&t);
	return ret;
}

/* ----------------------------------------------------------- the critical path */

static int add_segment(struct sf_pieces *list, struct sf_pieces_source *src, const struct sf_segment *s)
{
	struct sf_piece piece = {
		.lo = s->lo, .hi = s->hi, .thread = s->thread, .dev = s->dev, .stack = s->stack,
		.owner = sf_profile_owner(&src->profile, src->rec, s->thread, s->dev),
		.state = (uint8_t)s->state, .task = (uint8_t)s->task, .kind = (uint8_t)s->kind,
		.sampled = s->state == SF_STATE_RUNNING && s->source == SF_SOURCE_SAMPLE,
	};

	return piece.owner ? push(list, piece) : -ENOMEM;
}

int sf_pieces_of_path(struct sf_pieces *list, struct sf_pieces_source *src,
		     const struct sf_window *window)
{
	struct sf_critpath cp = { 0 };
	struct sf_timelines ts;
	int ret;

	list->nr = 0;
	if (window->root == SF_NO_THREAD)
		return 0;
	ret = sf_timelines_init(&ts, src->rec, window, window->lo, window->hi);
	if (!ret)
		ret = sf_critpath_walk(&cp, &ts, &src->mech, window->root);
	for (size_t i = 0; !ret && i < cp.nr; i++)
		ret = add_segment(list, src, &cp.seg[i]);
	sf_critpath_release(&cp);
	sf_timelines_release(&ts);
	return ret;
}

/* --------------------------------------------------------------------- words */

bool sf_pieces_wants(const struct sf_recording *rec, uint32_t thread)
{
	unsigned flags = rec->thread[thread].flags;

	return !(flags & SF_THREAD_IDLE) && (!rec->meta.pid || flags & SF_THREAD_TARGET);
}

const char *sf_piece_last(const struct sf_recording *rec, const struct sf_piece *s, char *buf,
			 size_t size)
{
	char name[32];

	if (s->dev)
		snprintf(buf, size, "[device %s]",
			 sf_device_name(rec, s->dev, name, sizeof(name)));
	else if (s->state == SF_STATE_RUNNABLE || !s->stack)
		snprintf(buf, size, "[%s]", sf_state_name(s->state));
	else
		return NULL;
	return buf;
}

const char *sf_piece_state(const struct sf_piece *s, char *buf, size_t size)
{
	if (s->state == SF_STATE_BLOCKED)
		snprintf(buf, size, "blocked %s", sf_task_state_letter(s->task));
	else
		snprintf(buf, size, "%s", sf_state_name(s->state));
	return buf;
}
