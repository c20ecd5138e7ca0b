/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Main has the same work each time, but the cgroup above its own gets less and less CPU time per
 * period: its own has no limit, and no count of what it was denied.
 */
#include "burn.h"
#include "cause.h"
#include "cgroup.h"
#include "vmm.h"

#define MAIN_WORK_MS 30

static struct cgroup group;
static uint64_t digest;

static FRAME uint64_t pack_state(uint64_t x)
{
	return burn_dose(x);
}

static const char *probe(struct vmm *vmm)
{
	return cgroup_probe("cpu");
}

static void setup(struct vmm *vmm)
{
	burn_doses(1);
	cgroup_enter_below(&group, "cpu");
}

/* What whoever runs the machine does to the group before the next BRANCH. */
static void between(struct vmm *vmm, unsigned k)
{
	cgroup_limit_cpu(&group, 1 / vmm_work(vmm, k + 1));
}

static void run(struct vmm *vmm, unsigned k)
{
	for (uint64_t i = burn_doses(MAIN_WORK_MS); i; i--)
		digest ^= pack_state(i);
}

static void teardown(struct vmm *vmm)
{
	cgroup_leave(&group);
}

static struct cause cause = {
	.name = "parent-quota",
	.summary = "the cgroup above the VMM's gets less and less CPU time per period",
	.unit = "th part of a CPU",
	.base = 1,
	.grow = 2,
	.needs = "root cgroup-cpu",
	.answers = { { "cpu-quota", ROLE_MAIN, NULL, NULL } },
	.probe = probe,
	.setup = setup,
	.between = between,
	.run = run,
	.teardown = teardown,
};
CAUSE(cause)
