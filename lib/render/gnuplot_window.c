/* SPDX-License-Identifier: GPL-2.0-only */
#include "render/gnuplot_window.h"

#include <stdio.h>
#include <stdlib.h>

/* Who a segment is drawn at: a turn in the run queue is its owner's fault, but the waiter's state. */
static uint32_t thread_of(const struct sf_critpath *cp, const struct sf_segment *s)
{
	if (s->state == SF_STATE_RUNNABLE && s->waiter)
		return cp->waiter[s->waiter - 1].thread;
	return s->thread;
}

static bool more_telling(const struct window_row *a, const struct window_row *b)
{
	if (!a->path_ns != !b->path_ns)
		return a->path_ns != 0;
	if (a->path_ns != b->path_ns)
		return a->path_ns > b->path_ns;
	return a->busy_ns > b->busy_ns;
}

static void offer(struct window_view *v, const struct window_row *r)
{
	size_t at;

	for (at = v->nr; at && more_telling(r, &v->row[at - 1]); at--)
		if (at < WINDOW_ROWS)
			v->row[at] = v->row[at - 1];
	v->left_out += v->nr == WINDOW_ROWS;
	if (at < WINDOW_ROWS) {
		v->row[at] = *r;
		v->nr += v->nr < WINDOW_ROWS;
	}
}

static uint64_t busy(const struct sf_timeline *t)
{
	uint64_t ns = 0;

	for (size_t i = 0; i < t->nr; i++)
		if (t->iv[i].state == SF_STATE_RUNNING || t->iv[i].state == SF_STATE_RUNNABLE ||
		    (t->iv[i].state == SF_STATE_BLOCKED && t->iv[i].task == SF_TASK_UNINTERRUPTIBLE))
			ns += t->iv[i].hi - t->iv[i].lo;
	return ns;
}

static int choose_threads(struct window_view *v, const uint64_t *path_ns)
{
	const struct sf_recording *rec = v->ref->rec;

	for (uint32_t i = 0; i < rec->nr_threads; i++) {
		struct window_row r = { .thread = i, .path_ns = path_ns[i] };
		const struct sf_timeline *t;

		if (!(rec->thread[i].flags & SF_THREAD_TARGET) && !path_ns[i])
			continue;
		t = sf_timelines_get(&v->ts, i);
		if (!t)
			return -1;
		if (t->total[SF_STATE_ABSENT] == t->hi - t->lo)
			continue;
		r.busy_ns = busy(t);
		offer(v, &r);
	}
	return 0;
}

static void choose_devices(struct window_view *v)
{
	const struct sf_critpath *cp = &v->path;

	for (size_t i = 0; i < cp->nr; i++) {
		struct window_row r = { .thread = SF_NO_THREAD, .dev = cp->seg[i].dev };
		bool first = true;

		if (!r.dev)
			continue;
		for (size_t k = 0; k < cp->nr; k++) {
			if (cp->seg[k].dev != r.dev)
				continue;
			first &= k >= i;
			r.path_ns += cp->seg[k].hi - cp->seg[k].lo;
		}
		if (first)
			offer(v, &r);
	}
}

int window_view_init(struct window_view *v, const struct sf_window_ref *ref)
{
	const struct sf_window *w = ref->window;
	uint64_t *path_ns = calloc(ref->rec->nr_threads + 1, sizeof(*path_ns));
	int ret = -1;

	*v = (struct window_view){ .ref = ref };
	if (!path_ns || sf_timelines_init(&v->ts, ref->rec, w, w->lo, w->hi) ||
	    sf_mechanisms_init(&v->mech, ref->rec))
		goto out;
	if (w->root != SF_NO_THREAD && sf_critpath_walk(&v->path, &v->ts, &v->mech, w->root))
		goto out;
	for (size_t i = 0; i < v->path.nr; i++) {
		const struct sf_segment *s = &v->path.seg[i];
		uint32_t t = thread_of(&v->path, s);

		if (!s->dev && t < ref->rec->nr_threads)
			path_ns[t] += s->hi - s->lo;
	}
	ret = choose_threads(v, path_ns);
	choose_devices(v);
out:
	free(path_ns);
	return ret;
}

void window_view_release(struct window_view *v)
{
	sf_critpath_release(&v->path);
	sf_mechanisms_release(&v->mech);
	sf_timelines_release(&v->ts);
}

int window_row_of(const struct window_view *v, const struct sf_segment *s)
{
	uint32_t t = thread_of(&v->path, s);

	for (size_t i = 0; i < v->nr; i++)
		if (s->dev ? v->row[i].dev == s->dev : !v->row[i].dev && v->row[i].thread == t)
			return (int)i;
	return -1;
}

void window_row_name(const struct window_view *v, size_t row, char *buf, size_t size)
{
	const struct sf_recording *rec = v->ref->rec;
	const struct window_row *r = &v->row[row];
	char dev[64];

	if (r->dev)
		snprintf(buf, size, "%s", sf_device_name(rec, r->dev, dev, sizeof(dev)));
	else
		snprintf(buf, size, "%s %u", sf_text(rec, rec->thread[r->thread].comm),
			 rec->thread[r->thread].tid);
}
