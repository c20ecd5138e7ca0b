/* SPDX-License-Identifier: GPL-2.0-only */
/* Main waits for a signal, which another process sends after it has computed. */
#include "burn.h"
#include "cause.h"
#include "peer.h"
#include "util.h"
#include "vmm.h"

#include <signal.h>
#include <unistd.h>

static struct helper notifier;
static uint64_t digest;

static FRAME uint64_t check_block(uint64_t block)
{
	return burn_dose(block);
}

static FRAME int64_t check_blocks(void *arg, int64_t blocks)
{
	for (int64_t i = 0; i < blocks; i++)
		digest ^= check_block((uint64_t)i);
	return kill(*(const pid_t *)arg, SIGUSR2);
}

static FRAME void wait_for_signal(void)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigwait(&set, &sig);
}

static void setup(struct vmm *vmm)
{
	static pid_t self;
	sigset_t set;

	burn_doses(1);
	/* Blocked in all threads, which come later: only sigwait() takes it. */
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	self = getpid();
	helper_start(&notifier, "snap-notifier", check_blocks, &self);
}

static void run(struct vmm *vmm, unsigned k)
{
	helper_post(&notifier, (int64_t)burn_doses(vmm_work(vmm, k)));
	wait_for_signal();
	helper_wait(&notifier);
}

static void teardown(struct vmm *vmm)
{
	helper_stop(&notifier);
}

static struct cause cause = {
	.name = "signal-peer",
	.summary = "main waits for a signal that another process sends when it has computed",
	.unit = "ms",
	.base = 10,
	.grow = 40,
	.answers = { { "cpu-user", ROLE_PROCESS, "snap-notifier", "check_block check_blocks" } },
	.setup = setup,
	.run = run,
	.teardown = teardown,
};
CAUSE(cause)
