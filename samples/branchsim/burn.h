/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * User CPU time in calibrated doses. A cause has its own leaf function (FRAME), which mixes one
 * dose, and calls it burn_doses(ms) times: so the stack shows the cause's names, and the loop
 * makes no system call that would show up in it.
 */
#ifndef BRANCHSIM_BURN_H
#define BRANCHSIM_BURN_H

#include "util.h"

#include <stdint.h>

#define BURN_STEPS 8192

static inline uint64_t burn_dose(uint64_t x)
{
	KEEP_FRAME();
	for (unsigned i = 0; i < BURN_STEPS; i++) {
		x ^= x >> 33;
		x *= 0xff51afd7ed558ccdull;
		x += i;
	}
	return x;
}

/* How many doses take that much CPU time. Measured on the first call: call it in setup. */
uint64_t burn_doses(double ms);

#endif
