/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/profile_internal.h"
#include "analysis/turns.h"

enum { NS_PER_MS = 1000000 };

/* The child of parent that key stands for, made where there is none. */
static int child_of(struct sf_profile *p, uint32_t parent, uint32_t key, struct sf_path path,
		    uint32_t *at)
{
	bool made;
	uint32_t *v = sf_map64_at(&p->child, (uint64_t)parent << 32 | key, &made);

	if (!v || !path.label)
		return -ENOMEM;
	if (made) {
		if (SF_GROW(p->path, p->nr_paths + 1, p->path_alloc))
			return -ENOMEM;
		path.parent = parent;
		p->path[p->nr_paths] = path;
		*v = (uint32_t)p->nr_paths++;
	}
	*at = *v;
	return 0;
}

static int child(struct sf_profile *p, uint32_t parent, struct sf_path path, uint32_t *at)
{
	return child_of(p, parent, path.label, path, at);
}

/*
 * What the C library runs before a thread's first function. Some unwinders reach it and some stop
 * before: under it the same work would be two subtrees.
 */
static bool is_startup(const char *name)
{
	static const char *const startup[] = {
		"clone", "clone3", "__clone", "__clone3", "_start",
		"__libc_start_main", "__libc_start_main_impl", "__libc_start_call_main",
	};
	size_t n = strcspn(name, "@");

	for (size_t i = 0; i < SF_ARRAY_SIZE(startup); i++)
		if (strlen(startup[i]) == n && !memcmp(name, startup[i], n))
			return true;
	return false;
}

/* Frames of a stack under *at, from the outermost caller on. */
enum { MAX_FRAMES = 512 };

static int frames(struct sf_profile *p, struct sf_namer *n, uint32_t stack, uint32_t *at)
{
	uint32_t id[MAX_FRAMES];
	struct sf_path path = p->path[*at];
	bool outermost = true;
	size_t nr = 0;

	for (uint32_t k = stack; k && nr < MAX_FRAMES; k = sf_stack_parent(n->rec, k))
		id[nr++] = sf_stack_loc(n->rec, k);
	while (nr-- > 0) {
		const uint8_t *flags;
		const uint32_t *name = sf_namer_names(n, id[nr], &flags);

		if (!name)
			return -ENOMEM;
		for (size_t i = 0; name[i]; i++) {
			if (outermost && nr && is_startup(sf_strtab_text(&p->str, name[i])))
				continue;
			outermost = false;
			/* The function called a part of itself: that is the compiler's doing. */
			if (flags[i] & SF_NAMER_PIECE && path.level == SF_PATH_FRAME &&
			    path.label == name[i])
				continue;
			path.level = SF_PATH_FRAME;
			path.label = name[i];
			path.flags = flags[i] & (uint8_t)~SF_NAMER_PIECE;
			if (child(p, *at, path, at))
				return -ENOMEM;
		}
	}
	return 0;
}

static int marker(struct sf_profile *p, uint32_t *at)
{
	struct sf_path path = p->path[*at];

	path.level = SF_PATH_MARKER;
	path.flags = 0;
	path.label = sf_strtab_id(&p->str, "--");
	return child(p, *at, path, at);
}

/* The nearest waiter whose wait was for a lock, up the chain. */
static const struct sf_waiter *lock_waiter(const struct sf_critpath *cp, const struct sf_segment *s)
{
	for (uint32_t i = s->waiter; i; i = cp->waiter[i - 1].up) {
		enum sf_wait w = cp->waiter[i - 1].wait;

		if (w == SF_WAIT_LOCK || w == SF_WAIT_MM_LOCK || w == SF_WAIT_FAULT)
			return &cp->waiter[i - 1];
	}
	return NULL;
}

static int kind_path(struct sf_profile *p, const struct sf_segment *s, uint32_t owner, uint32_t *at)
{
	struct sf_path path = { .owner = owner, .level = SF_PATH_OWNER };
	char label[64];

	*at = 0;
	path.label = p->owner[owner].label;
	/* By owner, not by label: different owners may be called the same. */
	if (child_of(p, 0, owner, path, at))
		return -ENOMEM;
	path.level = SF_PATH_KIND;
	path.kind = (uint8_t)s->kind;
	path.state = (uint8_t)s->state;
	path.task = (uint8_t)s->task;
	if (s->state == SF_STATE_BLOCKED)
		snprintf(label, sizeof(label), "blocked %s (%s)", sf_task_state_letter(s->task),
			 sf_kind_name(s->kind));
	else
		snprintf(label, sizeof(label), "%s (%s)", sf_state_name(s->state),
			 sf_kind_name(s->kind));
	path.label = sf_strtab_id(&p->str, label);
	return child(p, *at, path, at);
}

static struct sf_link *link_like(struct sf_profile *p, const struct sf_link *key)
{
	uint64_t hash = sf_hash64((uint64_t)key->path << 32 | key->owner) ^
			sf_hash64((uint64_t)key->after << 32) ^
			((uint64_t)key->stack << 3 | key->relation);
	bool made;
	uint32_t *v = sf_map64_at(&p->link_of, hash, &made);

	if (!v || !made)
		return v ? &p->link[*v] : NULL;
	if (SF_GROW(p->link, p->nr_links + 1, p->link_alloc))
		return NULL;
	p->link[p->nr_links] = (struct sf_link){
		.path = key->path, .owner = key->owner, .relation = key->relation,
		.stack = key->stack, .after = key->after,
	};
	*v = (uint32_t)p->nr_links++;
	return &p->link[*v];
}

int sf_profile_link(struct sf_profile *p, const struct sf_link *key, double ms)
{
	struct sf_link *l = link_like(p, key);

	if (!l || SF_GROW(l->column, p->nr_columns + 1, l->alloc) ||
	    (l->after && SF_GROW(l->times, p->nr_columns + 1, l->times_alloc)))
		return -ENOMEM;
	for (; l->nr <= p->nr_columns; l->nr++) {
		l->column[l->nr] = 0;
		if (l->after)
			l->times[l->nr] = 0;
	}
	l->column[p->nr_columns] += ms;
	if (l->after)
		l->times[p->nr_columns]++;
	l->ms += ms;
	return 0;
}

static int links(struct sf_profile *p, struct sf_namer *n, const struct sf_critpath *cp,
		 const struct sf_segment *s, uint32_t path, uint32_t after)
{
	struct sf_link key = { .path = path };
	double ms = (double)(s->hi - s->lo) / NS_PER_MS;

	if (s->behind != SF_NO_THREAD) {
		key.relation = SF_HAS_CPU;
		key.owner = sf_profile_owner(p, n->rec, s->behind, 0);
		if (!key.owner || sf_profile_link(p, &key, ms))
			return -ENOMEM;
	}
	if (s->dev || s->waiter) {
		uint32_t who = s->dev ? s->thread : cp->waiter[s->waiter - 1].thread;
		uint32_t stack = s->dev ? s->stack : cp->waiter[s->waiter - 1].stack;

		key.relation = SF_WAITS;
		key.owner = sf_profile_owner(p, n->rec, who, 0);
		key.stack = sf_namer_stack_text(n, stack);
		key.after = after;
		if (!key.owner || sf_profile_link(p, &key, ms))
			return -ENOMEM;
	}
	if (s->server != SF_NO_THREAD || s->server_dev) {
		key = (struct sf_link){ .path = path, .relation = SF_SERVES };
		key.owner = sf_profile_owner(p, n->rec, s->server, s->server_dev);
		if (!key.owner || sf_profile_link(p, &key, ms))
			return -ENOMEM;
	}
	return 0;
}

/* Owners are children by their number, which is another one in each profile: by their label. */
static uint32_t find_owner(const struct sf_profile *p, const char *label)
{
	for (uint32_t i = 1; i < p->nr_owners; i++) {
		uint32_t at = strcmp(sf_strtab_text(&p->str, p->owner[i].label), label) ?
				      0 : sf_map64_get(&p->child, i, 0);

		if (at)
			return at;
	}
	return 0;
}

uint32_t sf_profile_find(const struct sf_profile *p, const struct sf_profile *from, uint32_t path)
{
	const struct sf_path *want = &from->path[path];
	const char *label = sf_strtab_text(&from->str, want->label);
	uint32_t parent, at, id;

	if (!path)
		return 0;
	if (!want->parent)
		return find_owner(p, label);
	parent = sf_profile_find(p, from, want->parent);
	id = sf_strtab_find(&p->str, label, strlen(label));
	if (!parent || !id)
		return 0;
	at = sf_map64_get(&p->child, (uint64_t)parent << 32 | id, 0);
	return at && p->path[at].level == want->level && p->path[at].flags == want->flags ? at : 0;
}

static int init_root(struct sf_profile *p)
{
	if (p->nr_paths)
		return 0;
	if (SF_GROW(p->path, 1, p->path_alloc))
		return -ENOMEM;
	p->path[p->nr_paths++] = (struct sf_path){ .level = SF_PATH_ROOT };
	return 0;
}

/* What the path of a segment depends on. */
struct sf_known_segment {
	uint32_t thread, dev, stack, lock_stack;
	uint8_t kind, state, task;
	bool lock;
	uint32_t path, kind_path;
	uint32_t next; /* with the same hash: index + 1 */
};

static bool same_segment(const struct sf_known_segment *a, const struct sf_known_segment *b)
{
	return a->thread == b->thread && a->dev == b->dev && a->stack == b->stack &&
	       a->lock_stack == b->lock_stack && a->kind == b->kind && a->state == b->state &&
	       a->task == b->task && a->lock == b->lock;
}

static struct sf_known_segment key_of(const struct sf_critpath *cp, const struct sf_segment *s)
{
	const struct sf_waiter *lw = s->lock ? lock_waiter(cp, s) : NULL;

	return (struct sf_known_segment){
		.thread = s->thread, .dev = s->dev, .stack = s->stack,
		.lock_stack = lw ? lw->stack : 0, .kind = (uint8_t)s->kind, .state = (uint8_t)s->state,
		.task = (uint8_t)s->task, .lock = lw,
	};
}

static int make_path(struct sf_profile *p, struct sf_namer *n, const struct sf_segment *s,
		     struct sf_known_segment *k)
{
	uint32_t owner = sf_profile_owner(p, n->rec, s->thread, s->dev), at;

	if (!owner || kind_path(p, s, owner, &at))
		return -ENOMEM;
	k->kind_path = at;
	if (k->lock && (frames(p, n, k->lock_stack, &at) || marker(p, &at)))
		return -ENOMEM;
	if (frames(p, n, s->stack, &at))
		return -ENOMEM;
	k->path = at;
	return 0;
}

/* NULL without memory. Valid until the next call. */
static const struct sf_known_segment *known_segment(struct sf_profile *p, struct sf_namer *n,
						    const struct sf_critpath *cp,
						    const struct sf_segment *s)
{
	struct sf_known_segment key = key_of(cp, s);
	uint64_t hash = sf_hash64((uint64_t)key.thread << 32 | key.stack) ^
			sf_hash64((uint64_t)key.dev << 32 | key.lock_stack) ^
			((uint64_t)key.kind << 24 | (uint64_t)key.state << 16 |
			 (uint64_t)key.task << 8 | key.lock);
	uint32_t *at = sf_map64_at(&n->known, hash, NULL);

	if (!at || init_root(p))
		return NULL;
	for (uint32_t i = *at; i; i = n->segment[i - 1].next) {
		const struct sf_known_segment *k = &n->segment[i - 1];

		if (!same_segment(k, &key))
			continue;
		if (!k->dev)
			sf_profile_seen(p, p->path[k->kind_path].owner, &n->rec->thread[k->thread]);
		return k;
	}
	if (SF_GROW(n->segment, n->nr_segments + 1, n->segment_alloc) || make_path(p, n, s, &key))
		return NULL;
	key.next = *at;
	n->segment[n->nr_segments] = key;
	*at = (uint32_t)++n->nr_segments;
	return &n->segment[n->nr_segments - 1];
}

int sf_profile_path(struct sf_profile *p, struct sf_namer *n, const struct sf_critpath *cp,
		    const struct sf_segment *s, uint32_t *path)
{
	const struct sf_known_segment *k = known_segment(p, n, cp, s);

	if (!k)
		return -ENOMEM;
	*path = k->path;
	return 0;
}

/* One window's ms by path. */
struct sf_column {
	double *ms;
	size_t nr, alloc;
};

/* kind: the node of the last one before in which somebody ran or slept, and of this one for the next. */
static int add_segment(struct sf_profile *p, struct sf_namer *n, const struct sf_critpath *cp,
		       const struct sf_segment *s, uint32_t *kind, struct sf_column *c)
{
	const struct sf_known_segment *k = known_segment(p, n, cp, s);
	uint32_t at = k ? k->path : 0, before = *kind;

	if (!k)
		return -ENOMEM;
	if (s->state == SF_STATE_RUNNING || s->state == SF_STATE_BLOCKED)
		*kind = k->kind_path;
	if (links(p, n, cp, s, k->kind_path, s->woken && s->behind != SF_NO_THREAD ? before : 0) ||
	    SF_GROW(c->ms, at + 1, c->alloc))
		return -ENOMEM;
	while (c->nr <= at)
		c->ms[c->nr++] = 0;
	c->ms[at] += (double)(s->hi - s->lo) / NS_PER_MS;
	return 0;
}

int sf_profile_add(struct sf_profile *p, struct sf_namer *n, const struct sf_critpath *cp)
{
	struct sf_column c = { 0 };
	uint32_t kind = 0;
	int ret = init_root(p);

	for (size_t i = 0; !ret && i < cp->nr; i++)
		ret = add_segment(p, n, cp, &cp->seg[i], &kind, &c);
	if (!ret)
		ret = sf_turns_add(p, n, cp);
	if (!ret && (SF_GROW(p->column, p->nr_columns + 1, p->column_alloc) ||
		     SF_GROW(p->column_paths, p->nr_columns + 1, p->column_paths_alloc)))
		ret = -ENOMEM;
	if (ret) {
		free(c.ms);
		return ret;
	}
	p->column[p->nr_columns] = c.ms;
	p->column_paths[p->nr_columns++] = c.nr;
	return 0;
}

int sf_profile_add_window(struct sf_profile *p, struct sf_namer *n, struct sf_mechanisms *m,
			  const struct sf_window *w)
{
	struct sf_critpath cp = { 0 };
	struct sf_timelines ts;
	int ret = sf_timelines_init(&ts, n->rec, w, w->lo, w->hi);

	if (!ret && w->root != SF_NO_THREAD)
		ret = sf_critpath_walk(&cp, &ts, m, w->root);
	if (!ret)
		ret = sf_profile_add(p, n, &cp);
	sf_critpath_release(&cp);
	sf_timelines_release(&ts);
	return ret;
}

int sf_profile_finish(struct sf_profile *p)
{
	size_t cells;

	if (init_root(p) || __builtin_mul_overflow(p->nr_paths, p->nr_columns, &cells))
		return -ENOMEM;
	free(p->self);
	free(p->total);
	p->self = calloc(cells ? cells : 1, sizeof(*p->self));
	p->total = calloc(cells ? cells : 1, sizeof(*p->total));
	if (!p->self || !p->total)
		return -ENOMEM;
	for (size_t c = 0; c < p->nr_columns; c++)
		for (size_t i = 0; i < p->column_paths[c]; i++)
			p->self[i * p->nr_columns + c] = p->column[c][i];
	memcpy(p->total, p->self, cells * sizeof(*p->total));
	/* Children come after their parents. */
	for (size_t i = p->nr_paths; i-- > 1;)
		for (size_t c = 0; c < p->nr_columns; c++)
			p->total[p->path[i].parent * p->nr_columns + c] +=
				p->total[i * p->nr_columns + c];
	return 0;
}

void sf_profile_release(struct sf_profile *p)
{
	for (size_t c = 0; c < p->nr_columns; c++)
		free(p->column[c]);
	free(p->column);
	free(p->column_paths);
	free(p->self);
	free(p->total);
	free(p->path);
	for (size_t i = 0; i < p->nr_links; i++) {
		free(p->link[i].column);
		free(p->link[i].times);
	}
	for (size_t i = 0; i < p->nr_exchanges; i++)
		free(p->exchange[i].column);
	free(p->exchange);
	free(p->owner);
	free(p->link);
	sf_map64_release(&p->child);
	sf_map64_release(&p->owner_of);
	sf_map64_release(&p->link_of);
	sf_strtab_release(&p->str);
	memset(p, 0, sizeof(*p));
}
