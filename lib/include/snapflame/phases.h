/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a pause consists of: stopping the vCPUs, the devices' state, the vCPUs' state, the file of
 * both, the dirty log, the memory file, the syncs, resuming. Each ns of a window is in one phase, so
 * they sum to it.
 *
 * The evidence, for each piece of the critical path: the driver's own calls (they tell the stop and
 * the resume); the system call under way, where the recording holds them; else the functions on the
 * stack of the owner, and of whoever waits for it. A piece without evidence between two of the same
 * phase is of that phase, any other is SF_PHASE_OTHER: nothing is guessed. Without recorded system
 * calls a border between two phases is as exact as the CPU samples are dense.
 */
#ifndef SNAPFLAME_PHASES_H
#define SNAPFLAME_PHASES_H

#include <snapflame/critpath.h>

/* In the order in which a snapshot goes through them. */
enum sf_phase_kind {
	SF_PHASE_OTHER, /* no evidence */
	SF_PHASE_STOP,
	SF_PHASE_DEVICES,
	SF_PHASE_VCPUS,
	SF_PHASE_STATE_FILE,
	SF_PHASE_FILES, /* one of the files; which one is not known */
	SF_PHASE_DIRTY_LOG,
	SF_PHASE_MEMORY_FILE,
	SF_PHASE_SYNC,
	SF_PHASE_RESUME,
	SF_NR_PHASES,
};

/* "other", "stop", "device state", … */
const char *sf_phase_name(enum sf_phase_kind phase);

struct sf_phase_span {
	uint64_t lo, hi;  /* ns */
	uint32_t segment; /* index into the critical path: whose time it is, and where */
	uint8_t phase;    /* enum sf_phase_kind */
};

/* In order of time, without gaps: from the window's begin to its end. */
struct sf_phase_spans {
	struct sf_phase_span *item;
	size_t nr, alloc;
};

/*
 * The phases of a window whose critical path is cp. spans is zeroed or was filled before. 0 or
 * -ENOMEM.
 */
int sf_phases_of(struct sf_phase_spans *spans, const struct sf_recording *rec,
		 const struct sf_window *window, const struct sf_critpath *cp);
void sf_phase_spans_release(struct sf_phase_spans *spans);

#endif
