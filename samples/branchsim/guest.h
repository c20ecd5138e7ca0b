/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest: memory in KVM slots with a dirty log, and a tiny 64-bit program per vCPU. On every
 * tick of its local APIC's timer the program dirties some pages of its working set, then it
 * executes HLT, so that an idle vCPU sleeps in kvm_vcpu_halt inside KVM_RUN as a real guest does.
 *
 * Where /dev/kvm cannot be used the vCPU threads dirty the same pages themselves, into a bitmap
 * that stands in for the dirty log, and sleep between ticks.
 */
#ifndef BRANCHSIM_GUEST_H
#define BRANCHSIM_GUEST_H

#include <stddef.h>
#include <stdint.h>

#define GUEST_PAGE  4096u
#define GUEST_SLOTS 2
#define GUEST_TICK_NS 10000000
#define GUEST_TICKS_PER_SET 4 /* a working set is dirtied in so many ticks */
#define GUEST_WARMUP_TICKS  (GUEST_TICKS_PER_SET + 2)

struct guest_opts {
	unsigned mem_mb;   /* 4…64 */
	unsigned vcpus;
	size_t dirty_bytes; /* working set of all vCPUs together */
	size_t chunk;       /* 0: dense; else only every other chunk of this size is dirtied */
	int no_kvm;
};

struct guest_slot {
	uint64_t base; /* guest physical */
	size_t size;
	uint64_t *bitmap; /* what the last guest_dirty_log() read */
};

struct guest {
	struct guest_opts opts;
	int kvm_fd, vm_fd; /* -1: no KVM */
	size_t run_size;   /* of the shared page(s) of a vCPU */
	char *mem;
	size_t size;
	struct guest_slot slots[GUEST_SLOTS];
	uint64_t *soft_dirty; /* without KVM: pages dirtied since the last guest_dirty_log() */
};

struct guest_vcpu {
	unsigned index;
	int fd; /* -1: no KVM */
	struct kvm_run *run;
	uint64_t cursor, first, last; /* without KVM: where the next page is dirtied */
	volatile int stop;            /* without KVM: the kick's flag */
};

/* Create the memory and the VM. Falls back to no KVM, unless it is impossible to go on. */
void guest_init(struct guest *g, const struct guest_opts *opts);
void guest_release(struct guest *g);

void guest_vcpu_init(struct guest *g, struct guest_vcpu *v, unsigned index);
void guest_vcpu_release(struct guest *g, struct guest_vcpu *v);

/* Run until kicked. 0 when kicked, -1 when the guest is broken (the message is printed). */
int guest_vcpu_run(struct guest *g, struct guest_vcpu *v);

/* From the kick's signal handler, in the vCPU's own thread: the next or current run ends. */
void guest_vcpu_kick(struct guest_vcpu *v);

/* Forget a kick that came while the vCPU was not running. */
void guest_vcpu_unkick(struct guest_vcpu *v);

/* State of a paused vCPU as bytes, in its own thread; returns how many were put into buf. */
size_t guest_vcpu_save(struct guest_vcpu *v, void *buf, size_t size);

/* Read and clear one slot's dirty log into its bitmap; 0 or -errno. */
int guest_dirty_log(struct guest *g, struct guest_slot *slot);

#endif
