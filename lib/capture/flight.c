/* SPDX-License-Identifier: GPL-2.0-only */
#include "flight.h"

#include <errno.h>
#include <stdlib.h>

#include <snapflame/array.h>

#include "session.h"

static struct sf_flight_task *task_of(struct sf_flight *f, uint32_t tid)
{
	uint32_t *at = sf_map64_at(&f->by_tid, tid, NULL);

	if (!at || (!*at && SF_GROW(f->task, f->nr_tasks + 1, f->tasks_alloc)))
		return NULL;
	if (!*at) {
		f->task[f->nr_tasks] = (struct sf_flight_task){ 0 };
		sf_str_init(&f->task[f->nr_tasks].records);
		*at = (uint32_t)++f->nr_tasks;
	}
	return &f->task[*at - 1];
}

static int append(struct sf_flight_task *t, uint32_t pid, const struct perf_event_header *h)
{
	t->pid = pid;
	sf_str_addn(&t->records, h, h->size);
	return sf_str_failed(&t->records) ? -ENOMEM : 0;
}

int sf_flight_learn(struct sf_flight *f, uint32_t target, const struct perf_event_header *h)
{
	const uint32_t *u = (const uint32_t *)(h + 1);
	struct sf_flight_task *t;

	if (h->size < sizeof(*h) + 16)
		return 0;
	switch (h->type) {
	case PERF_RECORD_FORK:
	case PERF_RECORD_EXIT:
		t = task_of(f, u[2]);
		if (!t)
			return -ENOMEM;
		if (u[2] != target) {
			sf_str_release(&t->records);
			sf_str_init(&t->records);
		}
		return h->type == PERF_RECORD_FORK ? append(t, u[0], h) : 0;
	case PERF_RECORD_COMM:
		t = task_of(f, u[1]);
		/* With exec the mappings before it are void. */
		if (t && h->misc & PERF_RECORD_MISC_COMM_EXEC)
			sf_str_reset(&t->records);
		return t ? append(t, u[0], h) : -ENOMEM;
	case PERF_RECORD_MMAP:
	case PERF_RECORD_MMAP2:
		t = task_of(f, u[0]);
		return t ? append(t, u[0], h) : -ENOMEM;
	default:
		return 0;
	}
}

void sf_flight_kept(const struct sf_flight *f, struct sf_str *records)
{
	sf_str_addn(records, f->read.buf, f->read.len);
	for (size_t i = 0; i < f->nr_tasks; i++)
		sf_str_addn(records, f->task[i].records.buf, f->task[i].records.len);
}

void sf_flight_release(struct sf_flight *f)
{
	for (size_t i = 0; i < f->nr_tasks; i++)
		sf_str_release(&f->task[i].records);
	free(f->task);
	free(f->item);
	sf_map64_release(&f->by_tid);
	sf_str_release(&f->read);
	*f = (struct sf_flight){ 0 };
}

static int learn_chunk(struct sf_capture *c, const uint8_t *data, uint64_t size)
{
	int ret = 0;

	for (uint64_t at = 0; !ret && size - at >= sizeof(struct perf_event_header);) {
		const struct perf_event_header *h = (const void *)(data + at);

		if (h->size < sizeof(*h) || h->size > size - at)
			break;
		ret = sf_flight_learn(&c->flight, (uint32_t)c->pid, h);
		at += h->size;
	}
	return ret;
}

/* Records of the oldest BRANCH, and what came before the next one. */
static int forget_oldest(struct sf_capture *c, uint64_t rings, uint64_t polls)
{
	struct sf_flight *f = &c->flight;
	const struct sf_chunk *chunk;
	struct sf_spool_map m;
	const uint8_t *data;
	int ret = sf_spool_map(&c->spool, &m);

	if (ret)
		return ret;
	if (f->nr > 1) {
		rings = f->item[1].rings;
		polls = f->item[1].polls;
	}
	while (!ret && m.at < rings && (chunk = sf_spool_next(&m, &data)))
		if (chunk->kind == SF_CHUNK_PERF)
			ret = learn_chunk(c, data, chunk->size);
	sf_spool_unmap(&m);
	if (ret)
		return ret;
	sf_spool_forget(&c->spool, rings);
	sf_spool_forget(&c->poll_spool, polls);
	sf_marks_forget(&c->marks, f->item[0].number);
	for (size_t i = 1; i < f->nr; i++)
		f->item[i - 1] = f->item[i];
	f->nr--;
	c->stats.forgotten++;
	return 0;
}

static bool has_room(const struct sf_capture *c)
{
	return c->spooled + c->flight.largest + c->flight.largest / 4 <= c->spool.max;
}

/* Until at most keep are left, and there is room for one more if room is set. */
static int trim(struct sf_capture *c, size_t keep, bool room)
{
	struct sf_flight *f = &c->flight;
	bool forgotten = false;
	int ret = 0;

	while (!ret && f->nr && (f->nr > keep || (room && !has_room(c)))) {
		/* Not the spool's size: its thread may be adding to it. */
		ret = forget_oldest(c, c->reader.counted_to, c->poll_spool.size);
		forgotten = true;
	}
	return !ret && forgotten ? sf_journal_rewrite(c) : ret;
}

int sf_flight_begin(struct sf_capture *c, unsigned number)
{
	struct sf_flight *f = &c->flight;
	int ret;

	if (!c->opts.keep)
		return 0;
	sf_ring_sync(&c->reader);
	ret = trim(c, c->opts.keep, true);
	if (ret || SF_GROW(f->item, f->nr + 1, f->alloc))
		return -ENOMEM;
	f->item[f->nr++] = (struct sf_flight_branch){
		number, c->reader.counted_to, c->poll_spool.size,
	};
	return 0;
}

int sf_flight_end(struct sf_capture *c)
{
	struct sf_flight *f = &c->flight;
	const struct sf_flight_branch *last;
	uint64_t size;

	if (!c->opts.keep)
		return 0;
	last = &f->item[f->nr - 1];
	size = c->reader.counted_to - last->rings + c->poll_spool.size - last->polls;
	f->largest = size > f->largest ? size : f->largest;
	return trim(c, c->opts.keep, false);
}
