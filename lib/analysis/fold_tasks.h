/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads while a recording is folded: what they are called, and a number that changes whenever the
 * same addresses may mean something else.
 */
#ifndef ANALYSIS_FOLD_TASKS_H
#define ANALYSIS_FOLD_TASKS_H

#include <snapflame/reader.h>
#include <snapflame/table.h>

#include "analysis/fold_impl.h"

struct sf_fold_task {
	uint32_t pid, tid;
	uint32_t comm;	/* id in comms, 0 unknown */
	uint32_t root;	/* name of the root frame, 0: not made yet */
	uint32_t node;	 /* of the root frame in the tree of stacks, for who makes that; 0 */
	bool java;	 /* frames are named as those of a JVM */
	bool by_sample; /* the root is another one for each sample */
	bool filtered;	/* its name is none that opts ask for; known with root */
};

struct sf_fold_tasks {
	struct sf_strtab comms;
	struct sf_map64 index; /* tid -> task + 1 */
	struct sf_fold_task *task;
	size_t nr, alloc;
	size_t last; /* asked for, + 1: samples come in runs of one thread */
	struct sf_map64 spaces; /* pid -> changes of its address space */
	uint32_t kernel_space;	/* the same of the kernel */
	bool has_last_space;
	uint32_t last_pid; /* whose space was asked for last, for runs of samples of one process */
	uint64_t last_space;
	bool has_kernel_map;
	struct sf_str header; /* scratch */
};

void sf_fold_tasks_init(struct sf_fold_tasks *t);
void sf_fold_tasks_release(struct sf_fold_tasks *t);

/* Take note of records of tasks and mappings. 0 or -ENOMEM. */
int sf_fold_tasks_feed(struct sf_fold_tasks *t, const struct sf_record *rec);
/* The sample's task with its root frame, valid until the next call; NULL without memory. */
struct sf_fold_task *sf_fold_tasks_get(struct sf_fold_tasks *t, struct sf_fold *f,
					     const struct sf_record *rec);
/* A number for the address space as it is now; equal numbers, equal spaces. */
static inline uint64_t sf_fold_tasks_space(struct sf_fold_tasks *t, uint32_t pid, bool user)
{
	uint64_t kernel = (uint64_t)t->kernel_space << 32;

	if (!user)
		return kernel;
	if (!t->has_last_space || t->last_pid != pid) {
		t->last_space =
			sf_hash64(((uint64_t)pid + 1) << 32 | sf_map64_get(&t->spaces, pid, 0));
		t->last_pid = pid;
		t->has_last_space = true;
	}
	return t->last_space ^ kernel;
}

#endif
