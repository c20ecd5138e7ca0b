/* SPDX-License-Identifier: GPL-2.0-only */
/* Another process compresses device state for main, and has more of it each time. */
#include "burn.h"
#include "cause.h"
#include "peer.h"
#include "util.h"
#include "vmm.h"

static struct helper helper;
static uint64_t digest;

static FRAME uint64_t compress_block(uint64_t block)
{
	return burn_dose(block);
}

static FRAME int64_t compress_state(void *arg, int64_t blocks)
{
	for (int64_t i = 0; i < blocks; i++)
		digest ^= compress_block((uint64_t)i);
	return (int64_t)(digest & 1);
}

static FRAME void ask_helper(int64_t blocks)
{
	helper_post(&helper, blocks);
	helper_wait(&helper);
}

static void setup(struct vmm *vmm)
{
	burn_doses(1);
	helper_start(&helper, "snap-helper", compress_state, NULL);
}

static void run(struct vmm *vmm, unsigned k)
{
	ask_helper((int64_t)burn_doses(vmm_work(vmm, k)));
}

static void teardown(struct vmm *vmm)
{
	helper_stop(&helper);
}

static struct cause cause = {
	.name = "rpc-cpu",
	.summary = "main waits for the reply of another process that computes",
	.unit = "ms",
	.base = 10,
	.grow = 40,
	.answers = { { "cpu-user", ROLE_PROCESS, "snap-helper", "compress_block compress_state" } },
	.setup = setup,
	.run = run,
	.teardown = teardown,
};
CAUSE(cause)
