/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a stack says about why a thread waits or works: the kinds of causes, and the kernel functions
 * that tell them apart. Function names are those of Linux 4.14 to 6.18.
 */
#ifndef SNAPFLAME_MECHANISM_H
#define SNAPFLAME_MECHANISM_H

#include <snapflame/recording.h>

/* Kinds of causes; sf_kind_name() gives the names of the JSON. */
enum sf_kind {
	SF_KIND_NONE, /* no growth */
	SF_KIND_CPU_USER,
	SF_KIND_CPU_KERNEL,
	SF_KIND_RUNQUEUE,
	SF_KIND_CPU_QUOTA,
	SF_KIND_LOCK,
	SF_KIND_IO_DEVICE,
	SF_KIND_IO_THROTTLE,
	SF_KIND_IO_WRITEBACK,
	SF_KIND_IO_JOURNAL,
	SF_KIND_MEMORY,
	SF_KIND_TIMER,
	SF_KIND_PEER,
	SF_KIND_VCPU,
	SF_KIND_UNKNOWN,
	SF_NR_KINDS,
};

const char *sf_kind_name(enum sf_kind kind);

/* What a sleeping thread's stack says. */
enum sf_wait {
	SF_WAIT_UNKNOWN,
	SF_WAIT_FUTEX,     /* a lock or condition of user space: whoever wakes is the owner */
	SF_WAIT_PEER,      /* a reply: socket, pipe, eventfd, poll, child */
	SF_WAIT_TIMER,     /* asked to sleep */
	SF_WAIT_LOCK,      /* a lock of the kernel */
	SF_WAIT_MM_LOCK,   /* the lock of an address space */
	SF_WAIT_FAULT,     /* a page fault that somebody in user space serves */
	SF_WAIT_RECLAIM,
	SF_WAIT_THROTTLE,
	SF_WAIT_WRITEBACK,
	SF_WAIT_JOURNAL,
	SF_WAIT_DEVICE,    /* I/O, with nothing more special on the stack */
	SF_WAIT_WORKER,    /* a kernel worker without work */
	SF_WAIT_VCPU,      /* an idle guest */
	SF_NR_WAITS,
};

enum sf_frame_role {
	SF_FRAME_ROLE_NONE,
	SF_FRAME_ROLE_SCHED, /* the scheduler itself: never a cause, cut from the leaf */
	SF_FRAME_ROLE_ENTRY, /* system call and interrupt entry code */
	SF_FRAME_ROLE_IRQ,   /* entry that interrupted user mode: what is above it is not work */
};

/* Remembers what each location and each stack of a recording means. */
struct sf_mechanisms {
	const struct sf_recording *rec;
	uint8_t *wait_of; /* by location: enum sf_wait + 1 of its name alone, 0 not looked up */
	uint16_t *role_of; /* by location: what it is, and its enum sf_frame_role */
	size_t nr;
	struct sf_stack_facts {
		uint32_t trimmed; /* 0: not looked up */
		uint8_t wait;     /* enum sf_wait + 1; 0: not looked up */
		uint8_t seen;     /* private: of what is asked about its frames */
	} *stack; /* by stack */
	size_t nr_stacks;
};

int sf_mechanisms_init(struct sf_mechanisms *m, const struct sf_recording *rec);
void sf_mechanisms_release(struct sf_mechanisms *m);

enum sf_wait sf_mechanism_wait(struct sf_mechanisms *m, uint32_t stack);
enum sf_frame_role sf_mechanism_role(struct sf_mechanisms *m, uint32_t loc);
/* Is the CPU time of this stack spent on memory: page faults, reclaim, compaction? */
bool sf_mechanism_memory(struct sf_mechanisms *m, uint32_t stack);
/* Was a bio held back by the block cgroup's throttle before it was issued with this stack? */
bool sf_mechanism_blk_throttled(struct sf_mechanisms *m, uint32_t stack);
/*
 * What a stack that a thread left the CPU with says of its CPU quota. Since Linux 6.18 a thread without
 * quota takes itself off the CPU on its way to user mode, in work that is run there for many reasons.
 */
enum sf_quota_sign {
	SF_QUOTA_NO_SIGN,
	SF_QUOTA_MAYBE,     /* such work was run; some cgroup must have been throttled then */
	SF_QUOTA_THROTTLES, /* the throttle itself */
};

enum sf_quota_sign sf_mechanism_quota_sign(struct sf_mechanisms *m, uint32_t stack);
/* The stack without the scheduler's frames at its leaf; entry code after an interrupt, too. */
uint32_t sf_mechanism_trim(struct sf_mechanisms *m, uint32_t stack);
/* First frame from the leaf on that is in the kernel or not; false for SF_NO_STACK. */
bool sf_mechanism_in_kernel(struct sf_mechanisms *m, uint32_t stack);

/* What a kernel function's name alone says, and how much it weighs against the other frames of a
 * stack (0: nothing). */
enum sf_wait sf_mechanism_of_function(const char *name, unsigned *rank);

/* The kind of a wait that is not followed any further. */
enum sf_kind sf_wait_kind(enum sf_wait wait);

#endif
