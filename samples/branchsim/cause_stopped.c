/* SPDX-License-Identifier: GPL-2.0-only */
/* Another process stops the whole VMM with SIGSTOP for a while, as a debugger would. */
#include "cause.h"
#include "peer.h"
#include "util.h"
#include "vmm.h"

#include <signal.h>
#include <unistd.h>

static struct helper guard;

static FRAME int64_t stop_vmm(void *arg, int64_t ns)
{
	pid_t vmm = getppid();

	kill(vmm, SIGSTOP);
	sleep_ns(ns);
	kill(vmm, SIGCONT);
	return 0;
}

static FRAME void report_to_guard(int64_t ns)
{
	helper_post(&guard, ns);
	helper_wait(&guard);
}

static void setup(struct vmm *vmm)
{
	helper_start(&guard, "snap-guard", stop_vmm, NULL);
}

static void run(struct vmm *vmm, unsigned k)
{
	report_to_guard(MS_TO_NS(vmm_work(vmm, k)));
}

static void teardown(struct vmm *vmm)
{
	helper_stop(&guard);
}

static struct cause cause = {
	.name = "stopped",
	.summary = "another process stops the whole VMM with a signal",
	.unit = "ms",
	.base = 10,
	.grow = 40,
	.answers = { { "timer", ROLE_PROCESS, "snap-guard", "hrtimer_nanosleep" } },
	.setup = setup,
	.run = run,
	.teardown = teardown,
};
CAUSE(cause)
