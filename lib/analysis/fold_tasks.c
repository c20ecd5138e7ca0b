/* SPDX-License-Identifier: GPL-2.0-only */
#include "analysis/fold_tasks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/array.h>

static struct sf_fold_task *find(struct sf_fold_tasks *t, uint32_t pid, uint32_t tid)
{
	uint32_t *at;

	if (t->last && t->task[t->last - 1].tid == tid)
		return &t->task[t->last - 1];
	at = sf_map64_at(&t->index, tid, NULL);
	if (!at)
		return NULL;
	if (!*at) {
		if (SF_GROW(t->task, t->nr + 1, t->alloc))
			return NULL;
		t->task[t->nr++] = (struct sf_fold_task){.pid = pid, .tid = tid};
		*at = (uint32_t)t->nr;
	}
	t->last = *at;
	return &t->task[*at - 1];
}

static int change_space(struct sf_fold_tasks *t, uint32_t pid)
{
	uint32_t *n = sf_map64_at(&t->spaces, pid, NULL);

	t->has_last_space = false;
	if (n)
		++*n;
	return n ? 0 : -ENOMEM;
}

static int feed_comm(struct sf_fold_tasks *t, const struct sf_record *rec)
{
	struct sf_fold_task *task = find(t, rec->u.comm.pid, rec->u.comm.tid);
	uint32_t comm = sf_strtab_id(&t->comms, rec->u.comm.comm);

	if (!task || !comm)
		return -ENOMEM;
	task->comm = comm;
	task->root = 0;
	return rec->u.comm.exec ? change_space(t, rec->u.comm.pid) : 0;
}

/* A child has its parent's name until it takes its own. */
static int feed_fork(struct sf_fold_tasks *t, const struct sf_record *rec)
{
	struct sf_fold_task *parent = find(t, rec->u.task.ppid, rec->u.task.ptid), *child;
	uint32_t comm = parent ? parent->comm : 0;

	child = parent ? find(t, rec->u.task.pid, rec->u.task.tid) : NULL;
	if (!child)
		return -ENOMEM;
	*child =
		(struct sf_fold_task){.pid = rec->u.task.pid, .tid = rec->u.task.tid, .comm = comm};
	return rec->u.task.pid != rec->u.task.ppid ? change_space(t, rec->u.task.pid) : 0;
}

static int feed_mmap(struct sf_fold_tasks *t, const struct sf_record *rec)
{
	if ((rec->misc & PERF_RECORD_MISC_CPUMODE_MASK) == PERF_RECORD_MISC_USER)
		return change_space(t, rec->u.mmap.pid);
	t->kernel_space++;
	t->has_kernel_map = true;
	return 0;
}

int sf_fold_tasks_feed(struct sf_fold_tasks *t, const struct sf_record *rec)
{
	switch (rec->type) {
	case PERF_RECORD_COMM:
		return feed_comm(t, rec);
	case PERF_RECORD_FORK:
		return feed_fork(t, rec);
	case PERF_RECORD_MMAP:
	case PERF_RECORD_MMAP2:
		return feed_mmap(t, rec);
	case PERF_RECORD_KSYMBOL:
		t->kernel_space++;
		return 0;
	case PERF_RECORD_EXIT:
		return rec->u.task.pid == rec->u.task.tid ? change_space(t, rec->u.task.pid) : 0;
	default:
		return 0;
	}
}

/* The start of the line that perf script prints above the stack, without the event. */
static void print_header(struct sf_str *s, struct sf_text comm, const struct sf_record *rec)
{
	sf_str_reset(s);
	sf_str_addn(s, comm.p, comm.len);
	sf_str_addf(s, " %5d ", (int)rec->tid);
	if (rec->has_cpu)
		sf_str_addf(s, "[%03d] ", (int)rec->cpu);
	if (rec->has_time)
		sf_str_addf(s, "%5llu.%06llu: ", (unsigned long long)(rec->time / 1000000000),
			    (unsigned long long)(rec->time % 1000000000 / 1000));
	if (rec->event && rec->event->attr.type != PERF_TYPE_TRACEPOINT)
		sf_str_addf(s, "%10llu ", (unsigned long long)rec->u.sample.period);
}

static void make_root(struct sf_fold_tasks *t, struct sf_fold *f, struct sf_fold_task *task,
		      const struct sf_record *rec)
{
	struct sf_printed_thread thread = {
		.has_pid = true, .pid = (int32_t)rec->pid, .tid = (int32_t)rec->tid};
	char number[16];

	if (task->comm) {
		thread.comm.p = sf_strtab_text(&t->comms, task->comm);
		thread.comm.len = sf_strtab_len(&t->comms, task->comm);
	} else {
		/* perf's name for a thread that it has heard nothing of; the idle one is known. */
		snprintf(number, sizeof(number), ":%d", (int)rec->tid);
		thread.comm.p = rec->tid ? number : "swapper";
		thread.comm.len = strlen(thread.comm.p);
	}
	task->by_sample = sf_root_is_odd(thread.comm, thread.tid) && !f->opts.pid && !f->opts.tid;
	if (task->by_sample) {
		print_header(&t->header, thread.comm, rec);
		thread.header = (struct sf_text){t->header.buf, t->header.len};
	}
	task->filtered = !sf_fold_wants_thread(f, thread.comm.p, thread.comm.len);
	task->root = sf_fold_namer_root(&f->namer, &thread);
	task->node = 0;
}

struct sf_fold_task *sf_fold_tasks_get(struct sf_fold_tasks *t, struct sf_fold *f,
					     const struct sf_record *rec)
{
	struct sf_fold_task *task = find(t, rec->pid, rec->tid);

	if (!task || (task->root && task->pid == rec->pid && !task->by_sample))
		return task;
	task->pid = rec->pid;
	make_root(t, f, task, rec);
	return task->root ? task : NULL;
}

void sf_fold_tasks_init(struct sf_fold_tasks *t)
{
	*t = (struct sf_fold_tasks){0};
	sf_str_init(&t->header);
}

void sf_fold_tasks_release(struct sf_fold_tasks *t)
{
	sf_strtab_release(&t->comms);
	sf_map64_release(&t->index);
	sf_map64_release(&t->spaces);
	free(t->task);
	sf_str_release(&t->header);
	memset(t, 0, sizeof(*t));
}
