/* SPDX-License-Identifier: GPL-2.0-only */
#include "merge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/writer.h>

int sf_merge_add(struct sf_merge *m, uint64_t time, const struct perf_event_header *rec)
{
	if (SF_GROW(m->item, m->nr + 1, m->alloc))
		return -ENOMEM;
	m->item[m->nr] = (struct sf_merge_entry){ time, m->nr, rec };
	m->nr++;
	return 0;
}

int sf_merge_add_copy(struct sf_merge *m, uint64_t time, const struct sf_str *buf)
{
	char *copy;
	int ret = 0;

	if (sf_str_failed(buf))
		return -ENOMEM;
	copy = sf_arena_alloc(&m->own, buf->len);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, buf->buf, buf->len);
	for (size_t at = 0; at < buf->len && !ret;) {
		const struct perf_event_header *rec = (const void *)(copy + at);
		uint64_t own = sf_record_time(rec);

		ret = sf_merge_add(m, own ? own : time, rec);
		at += rec->size;
	}
	return ret;
}

static int by_time(const void *a, const void *b)
{
	const struct sf_merge_entry *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

void sf_merge_sort(struct sf_merge *m)
{
	if (m->nr)
		qsort(m->item, m->nr, sizeof(*m->item), by_time);
}

void sf_merge_release(struct sf_merge *m)
{
	free(m->item);
	sf_arena_release(&m->own);
	*m = (struct sf_merge){ 0 };
}
