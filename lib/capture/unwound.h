/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stack dumps into callchains, after the windows: a chain is a hundredth of the dump's size, and can
 * be read without the binaries.
 */
#ifndef SF_CAPTURE_UNWOUND_H
#define SF_CAPTURE_UNWOUND_H

#include <stdbool.h>
#include <stdint.h>

#include <snapflame/error.h>

#include "merge.h"

/* Fields of a sample that unwinding uses up. */
#define SF_DUMP_TYPE (PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER)

/* Is there an unwinder in this build? Without it perf can unwind full dumps, but not repair chains. */
bool sf_can_unwind(void);

/*
 * recording is m's records as a file, in which the first lies at offset. Replaces each sample with
 * user registers by one whose callchain has the user's part, too, or, where it has one by frame
 * pointers, has that repaired: the callers that a function without frame pointer hid are put in, and
 * what is no code is cut off. The samples lack SF_DUMP_TYPE then. All or
 * none: on failure (-ENOSYS: built without libdw) m is as it was.
 */
int sf_unwind_records(struct sf_merge *m, const char *recording, uint64_t offset,
		      struct sf_error *err);

#endif
