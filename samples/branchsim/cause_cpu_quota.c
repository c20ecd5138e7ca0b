/* SPDX-License-Identifier: GPL-2.0-only */
/* Main has the same work each time, but its cgroup gets less and less CPU time per period. */
#include "burn.h"
#include "cause.h"
#include "cgroup.h"
#include "util.h"
#include "vmm.h"

#define MAIN_WORK_MS 30
#define PERIOD_US    20000

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

static void setup(struct vmm *vmm)
{
	burn_doses(1);
	cgroup_enter(&group, "cpu");
}

/* What whoever runs the machine does to the group before the next BRANCH. */
static void between(struct vmm *vmm, unsigned k)
{
	double share = 1 / vmm_work(vmm, k + 1);
	char text[64];

	if (group.version == 1) {
		snprintf(text, sizeof(text), "%d", PERIOD_US);
		cgroup_set(&group, "cpu.cfs_period_us", text);
		snprintf(text, sizeof(text), "%d", (int)(PERIOD_US * share));
		cgroup_set(&group, "cpu.cfs_quota_us", text);
	} else {
		snprintf(text, sizeof(text), "%d %d", (int)(PERIOD_US * share), PERIOD_US);
		cgroup_set(&group, "cpu.max", text);
	}
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

static struct cause cause = {
	.name = "cpu-quota",
	.summary = "the VMM's cgroup gets less and less CPU time per period",
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
