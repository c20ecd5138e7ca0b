/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A vCPU says that it resumes, then sets its clock before it enters the guest. The API's reply
 * does not wait for that: only the dark window gets longer.
 */
#include "burn.h"
#include "cause.h"
#include "util.h"
#include "vmm.h"

static uint64_t digest;

static FRAME uint64_t scale_tsc(uint64_t x)
{
	return burn_dose(x);
}

static FRAME void restore_vcpu_clock(double ms)
{
	for (uint64_t i = burn_doses(ms); i; i--)
		digest ^= scale_tsc(i);
}

static void setup(struct vmm *vmm)
{
	burn_doses(1);
}

static void start(struct vmm *vmm, unsigned vcpu, unsigned k)
{
	if (!vcpu)
		restore_vcpu_clock(vmm_work(vmm, k));
}

static struct cause cause = {
	.name = "slow-vcpu",
	.summary = "a vCPU computes between its resume and the guest; no API call shows it",
	.unit = "ms",
	.base = 10,
	.grow = 40,
	.answers = { { "vcpu", ROLE_VCPU, "0", NULL } },
	.setup = setup,
	.vcpu_start = start,
};
CAUSE(cause)
