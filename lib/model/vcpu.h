/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vCPU threads, and when they were out of the guest. A vCPU is known by behaviour: it was seen in
 * the ioctl KVM_RUN or in the kernel's KVM code; names are a hint for emulators without KVM.
 */
#ifndef SNAPFLAME_MODEL_VCPU_H
#define SNAPFLAME_MODEL_VCPU_H

#include <snapflame/recording.h>

struct sf_vcpu_memo {
	struct sf_map64 in_kvm; /* stack id -> 1 no, 2 yes */
};

/* Set SF_THREAD_VCPU on the target's vCPU threads. */
int sf_find_vcpus(struct sf_recording *rec, struct sf_vcpu_memo *memo);

/*
 * The longest time within [lo, hi] that the thread spent outside of the guest, asleep for some part
 * of it: false where there is none. An idle guest sleeps inside KVM_RUN (kvm_vcpu_halt) and does
 * not count.
 */
bool sf_vcpu_pause(struct sf_recording *rec, struct sf_vcpu_memo *memo, const struct sf_thread *t,
		   uint64_t lo, uint64_t hi, uint64_t *begin, uint64_t *end);

struct sf_vcpu_span {
	uint64_t lo, hi;
};

/*
 * All such times of at least min ns, in order: fn is called for each; it ends with what fn returns
 * where that is not 0.
 */
int sf_vcpu_pauses(struct sf_recording *rec, struct sf_vcpu_memo *memo, const struct sf_thread *t,
		   uint64_t lo, uint64_t hi, uint64_t min,
		   int (*fn)(void *arg, uint64_t begin, uint64_t end), void *arg);

/* Seen in KVM_RUN; else its name says that it is one. */
bool sf_vcpu_uses_kvm(struct sf_recording *rec, struct sf_vcpu_memo *memo,
		      const struct sf_thread *t);

/* In place of a window that was only recorded for some time: those found in it, if any. */
int sf_find_unannounced(struct sf_recording *rec, struct sf_vcpu_memo *memo);

void sf_vcpu_memo_release(struct sf_vcpu_memo *memo);

#endif
