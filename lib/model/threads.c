/* SPDX-License-Identifier: GPL-2.0-only */
/* Threads come and go; a tid is used again. */
#include <errno.h>
#include <string.h>

#include "model/loader.h"

static uint32_t make(struct sf_loader *ld, uint32_t pid, uint32_t tid, uint64_t start)
{
	struct sf_recording *rec = ld->rec;
	uint32_t *at = sf_map64_at(&rec->tid_of, tid, NULL);
	uint32_t i = (uint32_t)rec->nr_threads;

	if (!at || SF_GROW(rec->thread, rec->nr_threads + 1, rec->thread_alloc))
		return SF_NO_THREAD;
	rec->thread[i] = (struct sf_thread){
		.tid = tid,
		.pid = pid,
		.start = start,
		.exit = UINT64_MAX,
		.creator = SF_NO_THREAD,
		.flags = tid ? 0 : SF_THREAD_IDLE,
	};
	if (!tid)
		rec->thread[i].comm = sf_strtab_id(&rec->str, "swapper");
	rec->nr_threads++;
	*at = i;
	return i;
}

uint32_t sf_load_thread(struct sf_loader *ld, uint32_t pid, uint32_t tid)
{
	struct sf_recording *rec = ld->rec;
	uint32_t i = sf_map64_get(&rec->tid_of, tid, SF_NO_THREAD);

	if (i == SF_NO_THREAD)
		return make(ld, pid, tid, 0);
	if (rec->thread[i].pid == UINT32_MAX && pid != UINT32_MAX)
		rec->thread[i].pid = pid;
	return i;
}

int sf_load_comm(struct sf_loader *ld, const struct sf_record *r)
{
	struct sf_recording *rec = ld->rec;
	uint32_t i = sf_load_thread(ld, r->u.comm.pid, r->u.comm.tid);

	if (i == SF_NO_THREAD)
		return -ENOMEM;
	rec->thread[i].comm = sf_strtab_id(&rec->str, r->u.comm.comm);
	return 0;
}

/* A child has its parent's mappings: it is no kernel thread if the parent is none. */
static int inherit_space(struct sf_loader *ld, uint32_t ppid, uint32_t pid)
{
	uint32_t *u;

	if (!sf_map64_get(&ld->user_pid, ppid, 0))
		return 0;
	u = sf_map64_at(&ld->user_pid, pid, NULL);
	if (!u)
		return -ENOMEM;
	*u = 1;
	return 0;
}

int sf_load_fork(struct sf_loader *ld, const struct sf_record *r)
{
	struct sf_recording *rec = ld->rec;
	uint32_t i = sf_map64_get(&rec->tid_of, r->u.task.tid, SF_NO_THREAD), parent;
	uint64_t when = r->u.task.time ? r->u.task.time : r->time;
	const struct sf_thread *old = i == SF_NO_THREAD ? NULL : &rec->thread[i];

	/* Recorders write FORK for threads that exist already, too: those come before any event. */
	if (!rec->first || when <= rec->first)
		when = 0;
	if (!old || old->exit != UINT64_MAX || old->nr_sched || old->nr_samples ||
	    (old->pid != r->u.task.pid && old->pid != UINT32_MAX))
		i = make(ld, r->u.task.pid, r->u.task.tid, when);
	if (i == SF_NO_THREAD)
		return -ENOMEM;
	rec->thread[i].pid = r->u.task.pid;
	parent = sf_map64_get(&rec->tid_of, r->u.task.ptid, SF_NO_THREAD);
	if (parent != SF_NO_THREAD && !rec->thread[i].comm)
		rec->thread[i].comm = rec->thread[parent].comm;
	if (when)
		rec->thread[i].creator = parent;
	return inherit_space(ld, r->u.task.ppid, r->u.task.pid);
}

int sf_load_exit(struct sf_loader *ld, const struct sf_record *r)
{
	struct sf_recording *rec = ld->rec;
	uint32_t i = sf_map64_get(&rec->tid_of, r->u.task.tid, SF_NO_THREAD);

	if (i != SF_NO_THREAD)
		rec->thread[i].exit = r->u.task.time ? r->u.task.time : r->time;
	return 0;
}
