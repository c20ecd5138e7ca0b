/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Main has the same work each time, but its cgroup, or the one above that, gets less and less CPU time
 * per period. A group below a limit has none itself, and no count of what it was denied.
 */
#include "burn.h"
#include "cause.h"
#include "cgroup.h"
#include "vmm.h"

#define MAIN_WORK_MS 30

static struct cgroup group;
static uint64_t digest;

static FRAME uint64_t encode_state(uint64_t x)
{
	return burn_dose(x);
}

static const char *probe(struct vmm *vmm)
{
	return cgroup_probe("cpu");
}

static void setup_own(struct vmm *vmm)
{
	burn_doses(1);
	cgroup_enter(&group, "cpu");
}

static void setup_parent(struct vmm *vmm)
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
		digest ^= encode_state(i);
}

static void teardown(struct vmm *vmm)
{
	cgroup_leave(&group);
}

static struct cause own = {
	.name = "cpu-quota",
	.summary = "the VMM's cgroup gets less and less CPU time per period",
	.unit = "th part of a CPU",
	.base = 1,
	.grow = 2,
	.needs = "root cgroup-cpu",
	.answers = { { "cpu-quota", ROLE_MAIN, NULL, NULL } },
	.probe = probe,
	.setup = setup_own,
	.between = between,
	.run = run,
	.teardown = teardown,
};
CAUSE(own)

static struct cause parent = {
	.name = "parent-quota",
	.summary = "the cgroup above the VMM's gets less and less CPU time per period",
	.unit = "th part of a CPU",
	.base = 1,
	.grow = 2,
	.needs = "root cgroup-cpu",
	.answers = { { "cpu-quota", ROLE_MAIN, NULL, NULL } },
	.probe = probe,
	.setup = setup_parent,
	.between = between,
	.run = run,
	.teardown = teardown,
};
CAUSE(parent)
