/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pprof: equal stacks with equal labels are one sample with four values. What the target's threads
 * did counts as samples, oncpu and wall; the critical path, whoever owns it, as critical: a sample
 * has one or the other, so that each value sums to what snapflame fold says of that view.
 */
#include "render/export_pprof.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum value { SAMPLES, ONCPU, WALL, CRITICAL, NR_VALUES };
enum { SAMPLE_LOCATION = 1, SAMPLE_VALUE, SAMPLE_LABEL };
enum { LABEL_KEY = 1, LABEL_STR, LABEL_NUM };
enum { VALUE_TYPE = 1, VALUE_UNIT };

static const char *const value_names[NR_VALUES][2] = {
	[SAMPLES] = { "samples", "count" },
	[ONCPU] = { "oncpu", "nanoseconds" },
	[WALL] = { "wall", "nanoseconds" },
	[CRITICAL] = { "critical", "nanoseconds" },
};

struct sample {
	struct sf_piece key; /* without times */
	uint32_t window;
	uint32_t next;      /* with the same hash: index + 1 */
	uint64_t value[NR_VALUES];
};

struct pprof {
	struct sf_exporter *e;
	struct pprof_tables tables;
	struct sample *sample;
	size_t nr, alloc;
	struct sf_map64 at; /* hash -> index + 1 of the last one */
	uint64_t *stack;
	size_t stack_alloc;
};

static bool same(const struct sf_piece *a, const struct sf_piece *b)
{
	return a->thread == b->thread && a->stack == b->stack && a->owner == b->owner &&
	       a->dev == b->dev && a->state == b->state && a->task == b->task && a->kind == b->kind;
}

static struct sample *sample_of(struct pprof *p, uint32_t window, const struct sf_piece *s)
{
	uint64_t key = sf_hash64((uint64_t)s->thread << 32 | s->stack) ^
		       sf_hash64((uint64_t)window << 32 | (uint64_t)s->owner << 8 | s->kind) ^
		       ((uint64_t)s->dev << 16 | (uint64_t)s->state << 8 | s->task);
	uint32_t *at = sf_map64_at(&p->at, key, NULL);

	if (!at)
		return NULL;
	for (uint32_t i = *at; i; i = p->sample[i - 1].next)
		if (p->sample[i - 1].window == window && same(&p->sample[i - 1].key, s))
			return &p->sample[i - 1];
	if (p->nr >= UINT32_MAX || SF_GROW(p->sample, p->nr + 1, p->alloc))
		return NULL;
	p->sample[p->nr] = (struct sample){ .key = *s, .window = window, .next = *at };
	*at = (uint32_t)p->nr + 1;
	return &p->sample[p->nr++];
}

static int add_pieces(struct pprof *p, uint32_t window, bool critical)
{
	for (size_t i = 0; i < p->e->pieces.nr; i++) {
		const struct sf_piece *s = &p->e->pieces.item[i];
		struct sample *sample;

		if (s->state == SF_STATE_ABSENT || s->lo == s->hi)
			continue;
		sample = sample_of(p, window, s);
		if (!sample)
			return -ENOMEM;
		sample->value[critical ? CRITICAL : WALL] += s->hi - s->lo;
		if (!critical && s->state == SF_STATE_RUNNING)
			sample->value[ONCPU] += s->hi - s->lo;
		sample->value[SAMPLES] += !critical && s->sampled;
	}
	return 0;
}

static int collect(struct pprof *p)
{
	struct sf_exporter *e = p->e;
	int ret = 0;

	for (uint32_t w = 0; !ret && w < e->x->nr; w++) {
		const struct sf_window *win = e->x->window[w].window;

		for (uint32_t i = 0; !ret && i < e->rec->nr_threads; i++) {
			if (!sf_pieces_wants(e->rec, i))
				continue;
			ret = sf_pieces_of_thread(&e->pieces, &e->src, win, i);
			if (!ret)
				ret = add_pieces(p, w, false);
		}
		if (!ret)
			ret = sf_pieces_of_path(&e->pieces, &e->src, win);
		if (!ret)
			ret = add_pieces(p, w, true);
	}
	return ret;
}

/* ------------------------------------------------------------------------ writing */

static int label(struct pprof *p, struct sf_str *m, const char *key, const char *text, uint64_t num)
{
	struct sf_str l = SF_STR_INIT;
	uint64_t k = sf_pprof_string(&p->tables, key);

	if ((!text || !*text) && !num) /* it would be read as the number 0 */
		return 0;
	sf_pb_uint(&l, LABEL_KEY, k);
	sf_pb_uint(&l, LABEL_STR, sf_pprof_string(&p->tables, text));
	sf_pb_uint(&l, LABEL_NUM, num);
	sf_pb_bytes(m, SAMPLE_LABEL, l.buf, l.len);
	m->failed |= l.failed;
	sf_str_release(&l);
	return k ? 0 : -ENOMEM;
}

static int labels(struct pprof *p, struct sf_str *m, const struct sample *s)
{
	const struct sf_exporter *e = p->e;
	const struct sf_export_window *w = &e->x->window[s->window];
	const struct sf_thread *t = &e->rec->thread[s->key.thread];
	char branch[16], state[32];

	snprintf(branch, sizeof(branch), "%u", w->window->branch);
	sf_piece_state(&s->key, state, sizeof(state));
	if (label(p, m, "branch", branch, 0) || label(p, m, "group", w->group, 0) ||
	    label(p, m, "thread", sf_text(e->rec, t->comm), 0) || label(p, m, "tid", NULL, t->tid) ||
	    label(p, m, "state", state, 0) || label(p, m, "kind", sf_kind_name(s->key.kind), 0))
		return -ENOMEM;
	return s->key.owner ? label(p, m, "owner", sf_export_owner(e, &s->key), 0) : 0;
}

static int push(struct pprof *p, size_t *nr, uint64_t id)
{
	if (!id || SF_GROW(p->stack, *nr + 1, p->stack_alloc))
		return -ENOMEM;
	p->stack[(*nr)++] = id;
	return 0;
}

/* Leaf first. */
static int stack(struct pprof *p, const struct sample *s, size_t *nr)
{
	const struct sf_recording *rec = p->e->rec;
	char buf[64];
	const char *last = sf_piece_last(rec, &s->key, buf, sizeof(buf));
	int ret = 0;

	*nr = 0;
	if (last)
		ret = push(p, nr, sf_pprof_made_up(&p->tables, last));
	for (uint32_t k = s->key.stack; !ret && k; k = sf_stack_parent(rec, k))
		ret = push(p, nr, sf_pprof_location(&p->tables, sf_stack_loc(rec, k)));
	return ret;
}

static int write_sample(struct pprof *p, struct sf_pb_file *f, const struct sample *s,
			struct sf_str *m)
{
	uint64_t value[NR_VALUES];
	size_t nr;

	for (int i = 0; i < NR_VALUES; i++)
		value[i] = p->e->x->mean ? (s->value[i] + p->e->x->nr / 2) / p->e->x->nr : s->value[i];
	if (stack(p, s, &nr))
		return -ENOMEM;
	sf_str_reset(m);
	sf_pb_packed(m, SAMPLE_LOCATION, p->stack, nr);
	sf_pb_packed(m, SAMPLE_VALUE, value, NR_VALUES);
	if (labels(p, m, s))
		return -ENOMEM;
	sf_pb_put(f, PPROF_SAMPLE, m->buf, m->len);
	return 0;
}

static void put_type(struct pprof *p, struct sf_pb_file *f, unsigned field, const char *type,
		     const char *unit)
{
	struct sf_str m = SF_STR_INIT;

	sf_pb_uint(&m, VALUE_TYPE, sf_pprof_string(&p->tables, type));
	sf_pb_uint(&m, VALUE_UNIT, sf_pprof_string(&p->tables, unit));
	sf_pb_put(f, field, m.buf, m.len);
	sf_str_release(&m);
}

static void write_head(struct pprof *p, struct sf_pb_file *f)
{
	const struct sf_export *x = p->e->x;
	uint64_t ns = 0;
	char buf[128];

	for (int i = 0; i < NR_VALUES; i++)
		put_type(p, f, PPROF_SAMPLE_TYPE, value_names[i][0], value_names[i][1]);
	for (size_t i = 0; i < x->nr; i++)
		ns += x->window[i].window->hi - x->window[i].window->lo;
	if (x->nr)
		sf_pb_put_uint(f, PPROF_TIME_NANOS,
			       sf_export_realtime(x->rec, x->window[0].window->lo));
	sf_pb_put_uint(f, PPROF_DURATION_NANOS, x->mean && x->nr ? ns / x->nr : ns);
	if (x->rec->meta.hz > 0) {
		put_type(p, f, PPROF_PERIOD_TYPE, "cpu", "nanoseconds");
		sf_pb_put_uint(f, PPROF_PERIOD, (uint64_t)(1e9 / x->rec->meta.hz));
	}
	snprintf(buf, sizeof(buf), "snapflame: %zu window%s, values are %s", x->nr,
		 x->nr == 1 ? "" : "s", x->mean ? "of one window (mean)" : "sums");
	sf_pb_put_uint(f, PPROF_COMMENT, sf_pprof_string(&p->tables, buf));
	sf_pb_put_uint(f, PPROF_DEFAULT_SAMPLE_TYPE,
		       sf_pprof_string(&p->tables, value_names[CRITICAL][0]));
}

static int write_all(struct pprof *p)
{
	struct sf_str m = SF_STR_INIT;
	struct sf_pb_file *f;
	int ret = sf_pb_open(&f, p->e->file), closed;

	if (ret)
		return ret;
	write_head(p, f);
	for (size_t i = 0; !ret && i < p->nr; i++)
		ret = write_sample(p, f, &p->sample[i], &m);
	if (!ret)
		ret = sf_pprof_tables_write(&p->tables, f, sf_text(p->e->rec, p->e->rec->meta.exe));
	if (sf_str_failed(&m))
		ret = -ENOMEM;
	sf_str_release(&m);
	closed = sf_pb_close(f);
	return ret ? ret : closed;
}

int sf_export_pprof(struct sf_exporter *e)
{
	struct pprof p = { .e = e };
	int ret = sf_pprof_tables_init(&p.tables, e->rec);

	if (!ret)
		ret = collect(&p);
	if (!ret)
		ret = write_all(&p);
	sf_pprof_tables_release(&p.tables);
	sf_map64_release(&p.at);
	free(p.sample);
	free(p.stack);
	return ret;
}
