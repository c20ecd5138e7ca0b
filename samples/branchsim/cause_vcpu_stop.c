/* SPDX-License-Identifier: GPL-2.0-only */
/* A vCPU came out of the guest with an access to a device that takes a while to finish. */
#include "cause.h"
#include "util.h"
#include "vmm.h"

static FRAME void finish_device_access(double ms)
{
	sleep_ns(MS_TO_NS(ms));
}

static void stop(struct vmm *vmm, unsigned vcpu, unsigned k)
{
	if (!vcpu)
		finish_device_access(vmm_work(vmm, k));
}

static struct cause cause = {
	.name = "vcpu-stop",
	.summary = "main waits for a vCPU that sleeps before it is paused",
	.unit = "ms",
	.base = 10,
	.grow = 40,
	.answers = { { "vcpu", ROLE_VCPU, "0", NULL } },
	.vcpu_stop = stop,
};
CAUSE(cause)
