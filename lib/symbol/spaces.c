/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/spaces.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/sorted.h"

/* vm.max_map_count is 65530 unless someone raised it. */
#define MAX_MAPPINGS (1u << 17)

/* Processes that exited and whose maps are kept for samples that are sorted behind their EXIT. */
#define MAX_EXITED 4096u

static void maps_put(struct sf_maps *m)
{
	if (!m || --m->refs)
		return;
	free(m->map);
	free(m);
}

/* Make *maps one that may be changed. */
static int own(struct sf_spaces *s, struct sf_maps **maps)
{
	struct sf_maps *m;

	if (*maps && (*maps)->refs == 1) {
		(*maps)->gen = ++s->last_gen;
		return 0;
	}
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->refs = 1;
	if (*maps && SF_GROW(m->map, (*maps)->nr + 1, m->alloc)) {
		free(m);
		return -ENOMEM;
	}
	if (*maps) {
		m->nr = (*maps)->nr;
		memcpy(m->map, (*maps)->map, m->nr * sizeof(*m->map));
	}
	m->gen = ++s->last_gen;
	maps_put(*maps);
	*maps = m;
	return 0;
}

/* Index of the first mapping that ends behind addr. */
static size_t first_behind(const struct sf_maps *m, uint64_t addr)
{
	return SF_UP_TO(m->map, 0, m->nr, end, addr);
}

static struct sf_mapping tail_of(const struct sf_mapping *old, uint64_t from)
{
	struct sf_mapping t = *old;

	t.pgoff += from - old->start;
	t.start = from;
	return t;
}

/* Put m in, and cut away what it overlaps: a piece may be left on either side. */
static int insert(struct sf_maps *maps, const struct sf_mapping *m)
{
	size_t at = first_behind(maps, m->start), end = at, n = 0;
	struct sf_mapping piece[3];

	while (end < maps->nr && maps->map[end].start < m->end)
		end++;
	if (at < end && maps->map[at].start < m->start) {
		piece[n] = maps->map[at];
		piece[n++].end = m->start;
	}
	piece[n++] = *m;
	if (at < end && maps->map[end - 1].end > m->end)
		piece[n++] = tail_of(&maps->map[end - 1], m->end);
	if (SF_GROW(maps->map, maps->nr + n, maps->alloc))
		return -ENOMEM;
	memmove(maps->map + at + n, maps->map + end, (maps->nr - end) * sizeof(*m));
	memcpy(maps->map + at, piece, n * sizeof(*m));
	maps->nr = maps->nr + n - (end - at);
	return 0;
}

static struct sf_space *space_at(struct sf_spaces *s, uint32_t pid)
{
	uint32_t *index;
	bool made;

	/* Room first: an entry of the table must always have its space. */
	if (SF_GROW(s->space, s->nr + 1, s->alloc))
		return NULL;
	index = sf_map64_at(&s->by_pid, pid, &made);
	if (!index)
		return NULL;
	if (made) {
		*index = (uint32_t)s->nr;
		s->space[s->nr++] = (struct sf_space){0};
	}
	return &s->space[*index];
}

static int map_into(struct sf_spaces *s, struct sf_maps **maps, const struct sf_mapping *m)
{
	int ret;

	if (m->start >= m->end)
		return 0;
	if (*maps && (*maps)->nr >= MAX_MAPPINGS) {
		s->full = true;
		return 0;
	}
	ret = own(s, maps);
	return ret ? ret : insert(*maps, m);
}

int sf_spaces_map(struct sf_spaces *s, uint32_t pid, const struct sf_mapping *m)
{
	struct sf_space *space = space_at(s, pid);

	if (!space)
		return -ENOMEM;
	space->exits = 0;
	return map_into(s, &space->maps, m);
}

int sf_spaces_map_kernel(struct sf_spaces *s, bool guest, const struct sf_mapping *m)
{
	return map_into(s, &s->kernel[guest], m);
}

void sf_spaces_unmap_kernel(struct sf_spaces *s, uint64_t addr)
{
	struct sf_maps *m = s->kernel[0];
	size_t at = m ? first_behind(m, addr) : 0;

	if (!m || at >= m->nr || m->map[at].start != addr)
		return;
	memmove(m->map + at, m->map + at + 1, (m->nr - at - 1) * sizeof(*m->map));
	m->nr--;
	m->gen = ++s->last_gen;
}

static void clear(struct sf_space *space)
{
	maps_put(space->maps);
	maps_put(space->before);
	space->maps = space->before = NULL;
}

int sf_spaces_fork(struct sf_spaces *s, uint32_t pid, uint32_t ppid, bool copy)
{
	struct sf_space *child, *parent;
	struct sf_maps *maps = NULL;

	if (copy) {
		parent = space_at(s, ppid);
		maps = parent ? parent->maps : NULL;
		if (maps)
			maps->refs++;
	}
	child = space_at(s, pid);
	if (!child) {
		maps_put(maps);
		return -ENOMEM;
	}
	clear(child);
	child->maps = maps;
	child->exits = 0;
	return 0;
}

void sf_spaces_exec(struct sf_spaces *s, uint32_t pid)
{
	struct sf_space *space = space_at(s, pid);

	if (!space || !space->maps)
		return;
	maps_put(space->before);
	space->before = space->maps;
	space->maps = NULL;
	space->exits = 0;
}

static void forget_oldest(struct sf_spaces *s)
{
	struct sf_exited *e = &s->exited[s->exited_head];
	struct sf_space *space = &s->space[e->index];

	s->exited_head = (s->exited_head + 1) % MAX_EXITED;
	s->nr_exited--;
	if (space->exits != e->serial)
		return; /* the pid has been used again */
	clear(space);
	*space = (struct sf_space){0};
}

int sf_spaces_exit(struct sf_spaces *s, uint32_t pid)
{
	struct sf_space *space = space_at(s, pid);

	if (!space)
		return -ENOMEM;
	if (!space->maps)
		return 0;
	if (!s->exited) {
		s->exited = calloc(MAX_EXITED, sizeof(*s->exited));
		if (!s->exited)
			return -ENOMEM;
	}
	if (s->nr_exited == MAX_EXITED)
		forget_oldest(s);
	space->exits = ++s->exits ? s->exits : ++s->exits;
	s->exited[(s->exited_head + s->nr_exited++) % MAX_EXITED] = (struct sf_exited){
		.index = (uint32_t)(space - s->space),
		.serial = space->exits,
	};
	return 0;
}

static struct sf_space *existing(struct sf_spaces *s, uint32_t pid)
{
	if (!s->has_last || s->last_pid != pid) {
		s->last_index = sf_map64_get(&s->by_pid, pid, UINT32_MAX);
		s->last_pid = pid;
		s->has_last = s->last_index != UINT32_MAX;
	}
	return s->has_last ? &s->space[s->last_index] : NULL;
}

struct sf_maps *sf_spaces_maps(struct sf_spaces *s, uint32_t pid)
{
	struct sf_space *space = existing(s, pid);

	return space ? space->maps : NULL;
}

const struct sf_mapping *sf_spaces_before(struct sf_spaces *s, uint32_t pid, uint64_t addr)
{
	struct sf_space *space = existing(s, pid);

	return space && space->before ? sf_maps_find(space->before, addr) : NULL;
}

void sf_spaces_runs(struct sf_spaces *s, uint32_t pid)
{
	struct sf_space *space = existing(s, pid);

	if (!space || !space->before)
		return;
	maps_put(space->before);
	space->before = NULL;
	/* What was found in them is cached. */
	if (space->maps && space->maps->refs == 1)
		space->maps->gen = ++s->last_gen;
}

const struct sf_mapping *sf_maps_find(const struct sf_maps *m, uint64_t addr)
{
	size_t i = first_behind(m, addr);

	return i < m->nr && m->map[i].start <= addr ? &m->map[i] : NULL;
}

void sf_spaces_release(struct sf_spaces *s)
{
	for (size_t i = 0; i < s->nr; i++)
		clear(&s->space[i]);
	maps_put(s->kernel[0]);
	maps_put(s->kernel[1]);
	free(s->space);
	free(s->exited);
	sf_map64_release(&s->by_pid);
	memset(s, 0, sizeof(*s));
}
