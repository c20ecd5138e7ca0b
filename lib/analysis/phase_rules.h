/* SPDX-License-Identifier: GPL-2.0-only */
/* Which phase of a snapshot a system call or a stack tells of. */
#ifndef SNAPFLAME_ANALYSIS_PHASE_RULES_H
#define SNAPFLAME_ANALYSIS_PHASE_RULES_H

#include <snapflame/phases.h>

/* What a system call does for a snapshot. */
enum phase_call {
	PHASE_CALL_UNKNOWN, /* the recording does not tell: the stack may */
	PHASE_CALL_NONE,    /* none, or one that says nothing */
	PHASE_CALL_DIRTY_LOG,
	PHASE_CALL_VCPU,
	PHASE_CALL_VM,
	PHASE_CALL_SYNC,
	PHASE_CALL_FILE,
};

enum phase_call sf_phase_call(const struct sf_recording *rec, const struct sf_syscall *s);

/* Remembers what each location says; rec is set by the caller. */
struct sf_phase_memo {
	const struct sf_recording *rec;
	struct sf_map64 of_location;
};

/* *phase is SF_PHASE_FILES for a call to a file where no function's name says which one. 0 or
 * -ENOMEM. */
int sf_phase_of_stack(struct sf_phase_memo *memo, uint32_t stack, enum phase_call call,
		      enum sf_phase_kind *phase);
void sf_phase_memo_release(struct sf_phase_memo *memo);

#endif
