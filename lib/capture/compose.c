/* SPDX-License-Identifier: GPL-2.0-only */
/* From the spools to records in order of time. */
#define _GNU_SOURCE
#include "compose.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/array.h>
#include <snapflame/marks.h>

#include "proc.h"

enum { FRAMES_MAX = 128 };

static int note(struct sf_map64 *m, uint64_t key, uint32_t value)
{
	uint32_t *v = sf_map64_at(m, key, NULL);

	if (!v)
		return -ENOMEM;
	*v = value;
	return 0;
}

/* Who is who, and whose mappings are missing. */
static int learn(struct sf_compose *s, const struct perf_event_header *h)
{
	const uint32_t *u = (const uint32_t *)(h + 1);

	if (h->type == PERF_RECORD_SAMPLE && h->size >= sizeof(*h) + 24) {
		/* IDENTIFIER, IP, pid and tid */
		if (note(&s->pids, u[5], u[4]) || note(&s->ran, u[5], 1))
			return -ENOMEM;
		return u[4] != UINT32_MAX && u[4] ? note(&s->sampled, u[4], 1) : 0;
	}
	if (h->type == PERF_RECORD_COMM && h->size >= sizeof(*h) + 8) {
		if (h->misc & PERF_RECORD_MISC_COMM_EXEC && note(&s->born, u[0], 1))
			return -ENOMEM;
		return note(&s->pids, u[1], u[0]);
	}
	if (h->type == PERF_RECORD_FORK && h->size >= sizeof(*h) + 16) {
		if (u[0] != u[1] && note(&s->born, u[0], 1))
			return -ENOMEM;
		return note(&s->pids, u[2], u[0]);
	}
	return 0;
}

/*
 * While somebody else records with build ids, the kernel (6.18) says of our MMAP2 records, too, that
 * they have one, over device and inode: what we did not ask for is not there.
 */
static int add_record(struct sf_compose *s, uint64_t time, const struct perf_event_header *h)
{
	struct sf_str copy = SF_STR_INIT;
	int ret;

	if (h->type != PERF_RECORD_MMAP2 || !(h->misc & PERF_RECORD_MISC_MMAP_BUILD_ID))
		return sf_merge_add(&s->merge, time, h);
	sf_str_addn(&copy, h, h->size);
	if (sf_str_failed(&copy))
		return -ENOMEM;
	((struct perf_event_header *)(void *)copy.buf)->misc &= (uint16_t)~PERF_RECORD_MISC_MMAP_BUILD_ID;
	ret = sf_merge_add_copy(&s->merge, time, &copy);
	sf_str_release(&copy);
	return ret;
}

static int add_perf_chunk(struct sf_compose *s, const uint8_t *data, uint64_t size)
{
	uint64_t last = s->c->start;

	for (uint64_t at = 0; at < size;) {
		const struct perf_event_header *h = (const void *)(data + at);
		uint64_t time;
		int ret;

		if (size - at < sizeof(*h) || h->size < sizeof(*h) || h->size % 8 ||
		    h->size > size - at) {
			s->bad++;
			return 0;
		}
		time = sf_record_time(h);
		if (time)
			last = time;
		ret = learn(s, h);
		if (!ret)
			ret = add_record(s, time ? time : last, h);
		if (ret)
			return ret;
		at += h->size;
	}
	return 0;
}

static uint32_t pid_of(const struct sf_compose *s, uint32_t tid)
{
	return sf_map64_get(&s->pids, tid, tid);
}

/* A trace entry becomes a sample as perf would have written it. */
static int add_traced(void *arg, uint64_t time, const void *entry, size_t size)
{
	struct sf_compose *s = arg;
	struct sf_str buf = SF_STR_INIT;
	struct sf_build_sample b = {
		.misc = PERF_RECORD_MISC_KERNEL,
		.id = SF_OWN_ID(SF_ID_WAKING),
		.time = time,
		.cpu = s->cpu,
		.raw = entry,
		.raw_size = size,
	};
	uint16_t type;
	int32_t tid;
	int ret;

	if (size < 8) {
		s->bad++;
		return 0;
	}
	memcpy(&type, entry, sizeof(type)); /* common_type */
	if (s->c->requests && type == s->c->rq_done_type)
		b.id = SF_OWN_ID(SF_ID_RQ_DONE);
	else if (s->c->sent && type == s->c->sent_type)
		b.id = SF_OWN_ID(SF_ID_SENT);
	memcpy(&tid, (const char *)entry + 4, sizeof(tid)); /* common_pid */
	b.tid = (uint32_t)tid;
	b.pid = pid_of(s, b.tid);
	ret = sf_build_sample(&buf, SF_WAKING_TYPE, &b);
	if (!ret)
		ret = sf_merge_add_copy(&s->merge, time, &buf);
	sf_str_release(&buf);
	return ret;
}

static int add_rings(struct sf_compose *s)
{
	const struct sf_chunk *chunk;
	const uint8_t *data;
	int ret = sf_spool_map(&s->c->spool, &s->map);

	while (!ret && (chunk = sf_spool_next(&s->map, &data))) {
		if (chunk->kind == SF_CHUNK_PERF)
			ret = add_perf_chunk(s, data, chunk->size);
	}
	/* Wakings afterwards: their processes are known then. */
	s->map.at = s->c->spool.first;
	while (!ret && (chunk = sf_spool_next(&s->map, &data))) {
		if (chunk->kind != SF_CHUNK_FTRACE)
			continue;
		s->cpu = chunk->source;
		ret = sf_wakings_decode(data, chunk->size, add_traced, s);
		if (ret == -EINVAL) {
			s->torn++;
			ret = 0;
		}
	}
	return ret;
}

/* What is known of a polled thread: texts that a record does not repeat. */
struct polled {
	uint64_t chain[FRAMES_MAX + 1];
	size_t nr;
	struct sf_task_raw raw;
};

static void parse_polled(const struct sf_compose *s, struct polled *p,
			 const struct sf_poll_rec *rec, const char *syscall, const char *stack)
{
	char line[256];
	size_t n = rec->syscall_len < sizeof(line) ? rec->syscall_len : sizeof(line) - 1;

	memcpy(line, syscall, n);
	line[n] = '\0';
	if (sf_proc_parse_syscall(line, &p->raw))
		p->raw.syscall = -2;
	p->chain[0] = PERF_CONTEXT_KERNEL;
	p->nr = sf_kallsyms_stack(&s->c->kallsyms, stack, rec->stack_len, p->chain + 1, FRAMES_MAX);
}

static int add_poll(struct sf_compose *s, const struct sf_poll_rec *rec, struct polled *p)
{
	struct sf_str buf = SF_STR_INIT;
	struct sf_build_sample b = {
		.misc = PERF_RECORD_MISC_KERNEL,
		.id = SF_OWN_ID(SF_ID_TASK_STACK),
		.ip = p->nr ? p->chain[1] : 0,
		.time = rec->time,
		.period = rec->period,
		.pid = rec->pid ? rec->pid : (uint32_t)s->c->pid,
		.tid = rec->tid,
		.chain = p->chain,
		.nr_chain = p->nr ? p->nr + 1 : 0,
		.raw = &p->raw,
		.raw_size = sizeof(p->raw),
	};
	int ret;

	p->raw.state = rec->state;
	ret = sf_build_sample(&buf, SF_TASK_STACK_TYPE, &b);
	if (!ret)
		ret = sf_merge_add_copy(&s->merge, rec->time, &buf);
	sf_str_release(&buf);
	return ret;
}

struct polled_list {
	struct polled *item;
	size_t nr, alloc;
	struct sf_map64 by_tid; /* index + 1 */
};

static int add_poll_record(struct sf_compose *s, struct polled_list *l,
			   const struct sf_poll_rec *rec, const char *syscall, const char *stack)
{
	uint32_t *at;

	/* Who else slept and was never woken: nobody waited for it, if it was not for I/O. */
	if (rec->pid && rec->state == 'S' && !sf_map64_get(&s->ran, rec->tid, 0))
		return 0;
	at = sf_map64_at(&l->by_tid, rec->tid, NULL);
	if (!at || SF_GROW(l->item, l->nr + 1, l->alloc))
		return -ENOMEM;
	if (!*at) {
		l->item[l->nr] = (struct polled){ 0 };
		*at = (uint32_t)++l->nr;
	}
	if (!rec->again)
		parse_polled(s, &l->item[*at - 1], rec, syscall, stack);
	return add_poll(s, rec, &l->item[*at - 1]);
}

static int add_polls(struct sf_compose *s)
{
	struct polled_list l = { 0 };
	const struct sf_chunk *chunk;
	const uint8_t *data;
	int ret = sf_spool_map(&s->c->poll_spool, &s->poll_map);

	while (!ret && (chunk = sf_spool_next(&s->poll_map, &data))) {
		const struct sf_poll_rec *rec;
		const char *syscall, *stack;
		uint64_t at = 0;

		while (!ret && (rec = sf_poll_next(data, chunk->size, &at, &syscall, &stack)))
			ret = add_poll_record(s, &l, rec, syscall, stack);
	}
	free(l.item);
	sf_map64_release(&l.by_tid);
	return ret;
}

int sf_compose_mark(struct sf_compose *s, const struct sf_mark *m)
{
	struct sf_str buf = SF_STR_INIT;
	struct sf_build_sample b = {
		.misc = PERF_RECORD_MISC_USER,
		.id = SF_OWN_ID(SF_ID_MARK),
		.time = m->time,
		.pid = (uint32_t)s->c->pid,
		.tid = (uint32_t)s->c->pid,
		.raw = m->text,
		.raw_size = m->len + 1,
	};
	int ret = sf_build_sample(&buf, SF_MARK_TYPE, &b);

	if (!ret)
		ret = sf_merge_add_copy(&s->merge, m->time, &buf);
	sf_str_release(&buf);
	return ret;
}

static int add_marks(struct sf_compose *s)
{
	int ret = 0;

	for (size_t i = 0; i < s->c->marks.nr && !ret; i++)
		ret = sf_compose_mark(s, &s->c->marks.item[i]);
	return ret;
}

/* What perf does not know it lost, said as it says it of its own: wakings, and what we dropped. */
static int add_lost(struct sf_compose *s, uint64_t time, uint64_t id, uint64_t lost)
{
	struct sf_stamp stamp = { .time = time, .id = id };
	struct sf_str buf = SF_STR_INIT;
	int ret = 0;

	if (!lost)
		return 0;
	sf_build_lost(&buf, &stamp, stamp.id, lost);
	ret = sf_merge_add_copy(&s->merge, time, &buf);
	sf_str_release(&buf);
	return ret;
}

/* Mappings of the other processes that have samples, and whose exec was not recorded. */
static int add_foreign(struct sf_compose *s)
{
	int ret = 0;

	sf_sideband_init(&s->foreign, s->c->start, SF_OWN_ID(SF_ID_MARK));
	for (size_t i = 0; i < s->sampled.size && !ret; i++) {
		const struct sf_map64_slot *slot = &s->sampled.slot[i];

		if (!slot->used || slot->key == (uint64_t)s->c->pid ||
		    sf_map64_get(&s->born, slot->key, 0))
			continue;
		/* One that has exited or is not ours to see has no names: not a failure. */
		if (sf_sideband_maps(&s->foreign, (pid_t)slot->key) == -ENOMEM)
			ret = -ENOMEM;
	}
	if (!ret)
		ret = sf_merge_add_copy(&s->merge, s->c->start, &s->foreign.records);
	return ret;
}

static int add_end(struct sf_compose *s)
{
	struct sf_capture *c = s->c;
	struct sf_mark m = { .time = sf_now() };
	struct sf_marks list = { 0 };
	uint64_t lost = c->stats.lost + c->waking_lost;
	int ret;

	ret = sf_marks_add(&list, "end", m.time,
			   json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "reason", c->reason,
				     "lost", (json_int_t)lost, "recorder_cpu_ns",
				     (json_int_t)c->recorder_ns, "poll_cpu_ns",
				     (json_int_t)c->poll_ns, "bytes",
				     (json_int_t)(c->spool.size - c->spool.first +
						  c->poll_spool.size - c->poll_spool.first),
				     "ring_overruns", (json_int_t)c->stats.lost, "ftrace_lost",
				     (json_int_t)c->waking_lost, "dropped_chunks",
				     (json_int_t)(c->spool.refused + c->poll_spool.refused)));
	if (!ret)
		ret = sf_compose_mark(s, &list.item[0]);
	if (!ret)
		ret = add_lost(s, m.time, SF_OWN_ID(SF_ID_WAKING), c->waking_lost);
	if (!ret)
		ret = add_lost(s, m.time, SF_OWN_ID(SF_ID_MARK), c->reader.refused);
	sf_marks_release(&list);
	return ret;
}

/* What the flight recorder keeps of BRANCHes that it forgot. */
static int add_kept(struct sf_compose *s)
{
	struct sf_str kept = SF_STR_INIT;
	int ret;

	sf_flight_kept(&s->c->flight, &kept);
	ret = sf_merge_add_copy(&s->merge, s->c->start, &kept);
	for (size_t at = 0; at < kept.len && !ret;) {
		const struct perf_event_header *h = (const void *)(kept.buf + at);

		ret = learn(s, h);
		at += h->size;
	}
	sf_str_release(&kept);
	return ret;
}

int sf_compose(struct sf_compose *s, struct sf_capture *c)
{
	int ret;

	*s = (struct sf_compose){ .c = c };
	ret = sf_merge_add_copy(&s->merge, s->c->start, &s->c->sideband.records);

	if (!ret)
		ret = add_kept(s);
	if (!ret)
		ret = add_rings(s);
	if (!ret)
		ret = add_foreign(s);
	if (!ret)
		ret = add_polls(s);
	if (!ret)
		ret = add_marks(s);
	if (!ret)
		ret = add_end(s);
	if (!ret)
		sf_merge_sort(&s->merge);
	return ret;
}

void sf_compose_release(struct sf_compose *s)
{
	sf_spool_unmap(&s->map);
	sf_spool_unmap(&s->poll_map);
	sf_merge_release(&s->merge);
	sf_map64_release(&s->pids);
	sf_map64_release(&s->born);
	sf_map64_release(&s->ran);
	sf_map64_release(&s->sampled);
	sf_sideband_release(&s->foreign);
}
