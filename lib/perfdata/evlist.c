/* SPDX-License-Identifier: GPL-2.0-only */
#include "perfdata/evlist.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

void sf_evlist_init(struct sf_evlist *l)
{
	const void *random = (const void *)(uintptr_t)getauxval(AT_RANDOM);

	memset(l, 0, sizeof(*l));
	l->salt = random ? sf_raw64(random, false) | 1 : 1;
}

static unsigned bits(uint64_t mask)
{
	return (unsigned)__builtin_popcountll(mask);
}

/* Where the id is in a sample: the fields before it, one u64 each. */
static int8_t sample_id_place(uint64_t type)
{
	if (type & PERF_SAMPLE_IDENTIFIER)
		return 0;
	if (!(type & PERF_SAMPLE_ID))
		return -1;
	return (int8_t)bits(
		type & (PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ADDR));
}

/* The trailer is TID, TIME, ID, STREAM_ID, CPU, IDENTIFIER: place counted from its end. */
static int8_t trailer_place(uint64_t type, uint64_t field)
{
	static const uint64_t order[] = { PERF_SAMPLE_TID, PERF_SAMPLE_TIME,
					  PERF_SAMPLE_ID,  PERF_SAMPLE_STREAM_ID,
					  PERF_SAMPLE_CPU, PERF_SAMPLE_IDENTIFIER };
	int8_t place = 0;

	if (!(type & field))
		return -1;
	for (int i = (int)SF_ARRAY_SIZE(order) - 1; i >= 0; i--) {
		place += !!(type & order[i]);
		if (order[i] == field)
			break;
	}
	return place;
}

static void find_places(struct sf_evsel *ev)
{
	uint64_t type = ev->pub.sample_type;

	ev->sample_time = -1;
	if (type & PERF_SAMPLE_TIME)
		ev->sample_time = (int8_t)bits(
			type & (PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID));
	ev->trailer_time = ev->trailer_id = -1;
	ev->trailer_size = 0;
	if (!ev->pub.attr.sample_id_all)
		return;
	ev->trailer_time = trailer_place(type, PERF_SAMPLE_TIME);
	ev->trailer_id = trailer_place(type, type & PERF_SAMPLE_IDENTIFIER ? PERF_SAMPLE_IDENTIFIER
									   : PERF_SAMPLE_ID);
	ev->trailer_size = (uint8_t)(8 * bits(type & (PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
						      PERF_SAMPLE_ID | PERF_SAMPLE_STREAM_ID |
						      PERF_SAMPLE_CPU | PERF_SAMPLE_IDENTIFIER)));
}

int sf_evlist_add(struct sf_evlist *l, const struct perf_event_attr *attr)
{
	struct sf_evsel *ev;

	if (l->nr >= SF_MAX_EVENTS)
		return -E2BIG;
	if (SF_GROW(l->ev, l->nr + 1, l->alloc))
		return -ENOMEM;
	ev = calloc(1, sizeof(*ev));
	if (!ev)
		return -ENOMEM;
	ev->pub.index = (uint32_t)l->nr;
	ev->pub.attr = *attr;
	ev->pub.sample_type = attr->sample_type;
	ev->pub.name = "";
	find_places(ev);
	l->ev[l->nr++] = ev;
	l->last = NULL;
	return 0;
}

int sf_evlist_add_id(struct sf_evlist *l, struct sf_evsel *ev, uint64_t id)
{
	uint32_t *slot;

	if (l->by_id.nr >= SF_MAX_IDS || ev->nr_ids >= SF_MAX_IDS)
		return -E2BIG;
	if (SF_GROW(ev->ids, ev->nr_ids + 1, ev->id_alloc))
		return -ENOMEM;
	slot = sf_map64_at(&l->by_id, id * l->salt, NULL);
	if (!slot)
		return -ENOMEM;
	*slot = ev->pub.index;
	ev->ids[ev->nr_ids++] = id;
	ev->pub.id = ev->ids;
	ev->pub.nr_ids = ev->nr_ids;
	l->last = NULL;
	return 0;
}

int sf_evlist_finish(struct sf_evlist *l)
{
	if (l->nr && !l->finished) {
		l->sample_id = sample_id_place(l->ev[0]->pub.sample_type);
		l->trailer_id = l->ev[0]->trailer_id;
		l->sample_id_all = l->ev[0]->pub.attr.sample_id_all;
		l->same_time = true;
	}
	for (; l->finished < l->nr; l->finished++) {
		struct sf_evsel *ev = l->ev[l->finished];

		if (ev->sample_time != l->ev[0]->sample_time ||
		    ev->trailer_time != l->ev[0]->trailer_time)
			l->same_time = false;
		l->any_build_id |= ev->pub.attr.build_id;
		if (!ev->name) {
			ev->pub.name = ev->name = sf_evname_compose(&ev->pub.attr);
			if (!ev->name)
				return -ENOMEM;
		}
	}
	return 0;
}

/* Callers may hold the old name: it stays; a file that renames for ever keeps the last but one. */
int sf_evsel_set_name(struct sf_evsel *ev, const char *name, size_t len)
{
	char *copy;

	if (!len)
		return 0;
	if (ev->name && strlen(ev->name) == len && !memcmp(ev->name, name, len)) {
		ev->named = true;
		return 0;
	}
	if (ev->name && ev->nr_old == SF_ARRAY_SIZE(ev->old_name))
		return -E2BIG;
	copy = strndup(name, len);
	if (!copy)
		return -ENOMEM;
	if (ev->name)
		ev->old_name[ev->nr_old++] = ev->name;
	ev->pub.name = ev->name = copy;
	ev->named = true;
	return 0;
}

struct sf_evsel *sf_evlist_find(const struct sf_evlist *l, uint64_t id)
{
	uint32_t i = sf_map64_get(&l->by_id, id * l->salt, UINT32_MAX);

	return i < l->nr ? l->ev[i] : NULL;
}

static struct sf_evsel *find_cached(struct sf_evlist *l, uint64_t id)
{
	if (!l->last || l->last_id != id) {
		l->last = sf_evlist_find(l, id);
		l->last_id = id;
	}
	return l->last;
}

struct sf_evsel *sf_evlist_of(struct sf_evlist *l, const uint8_t *rec, size_t size, uint32_t type,
			      bool swapped)
{
	size_t at;
	uint64_t id;

	if (l->nr <= 1)
		return l->nr ? l->ev[0] : NULL;
	if (type == PERF_RECORD_SAMPLE) {
		if (l->sample_id < 0)
			return l->ev[0];
		at = 8 + 8 * (size_t)l->sample_id;
		if (at + 8 > size)
			return NULL;
	} else {
		if (!l->sample_id_all || l->trailer_id < 0)
			return l->ev[0];
		at = 8 * (size_t)l->trailer_id;
		if (at + 8 > size)
			return NULL;
		at = size - at;
	}
	id = sf_raw64(rec + at, swapped);
	return id ? find_cached(l, id) : l->ev[0];
}

void sf_evlist_release(struct sf_evlist *l)
{
	for (size_t i = 0; i < l->nr; i++) {
		struct sf_evsel *ev = l->ev[i];

		for (unsigned k = 0; k < ev->nr_old; k++)
			free(ev->old_name[k]);
		free(ev->name);
		free(ev->ids);
		free(ev);
	}
	free(l->ev);
	sf_map64_release(&l->by_id);
	memset(l, 0, sizeof(*l));
}
