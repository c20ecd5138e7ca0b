/* SPDX-License-Identifier: GPL-2.0-only */
/* Main reads from a pipe. The process at its other end sleeps before it writes. */
#include "cause.h"
#include "peer.h"
#include "util.h"
#include "vmm.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static struct helper agent;
static int pipe_fds[2];

static FRAME int64_t quiesce(void *arg, int64_t ns)
{
	sleep_ns(ns);
	return write(pipe_fds[1], "", 1) == 1 ? 0 : -1;
}

static FRAME void wait_for_agent(void)
{
	char byte;

	while (read(pipe_fds[0], &byte, 1) < 0 && errno == EINTR)
		;
}

static void setup(struct vmm *vmm)
{
	if (pipe2(pipe_fds, O_CLOEXEC))
		die("pipe: %s", strerror(errno));
	helper_start(&agent, "snap-agent", quiesce, NULL);
}

static void run(struct vmm *vmm, unsigned k)
{
	helper_post(&agent, MS_TO_NS(vmm_work(vmm, k)));
	wait_for_agent();
	helper_wait(&agent);
}

static void teardown(struct vmm *vmm)
{
	helper_stop(&agent);
}

static struct cause cause = {
	.name = "pipe-peer",
	.summary = "main reads from a pipe; the process at its other end sleeps first",
	.unit = "ms",
	.base = 10,
	.grow = 40,
	.answers = { { "timer", ROLE_PROCESS, "snap-agent", "hrtimer_nanosleep" } },
	.setup = setup,
	.run = run,
	.teardown = teardown,
};
CAUSE(cause)
