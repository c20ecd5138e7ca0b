/* SPDX-License-Identifier: GPL-2.0-only */
/* Main waits for a thread, the thread for another process, and that one computes. */
#include "burn.h"
#include "cause.h"
#include "peer.h"
#include "util.h"
#include "vmm.h"

static struct worker codec_thread;
static struct helper codec;
static uint64_t digest;

static FRAME uint64_t encode_frame(uint64_t x)
{
	return burn_dose(x);
}

static FRAME int64_t encode_frames(void *arg, int64_t frames)
{
	for (int64_t i = 0; i < frames; i++)
		digest ^= encode_frame((uint64_t)i);
	return (int64_t)(digest & 1);
}

static FRAME int64_t pass_on(void *arg, int64_t frames)
{
	helper_post(&codec, frames);
	return helper_wait(&codec);
}

static FRAME void wait_for_codec(int64_t frames)
{
	worker_post(&codec_thread, frames);
	worker_wait(&codec_thread);
}

static void setup(struct vmm *vmm)
{
	burn_doses(1);
	helper_start(&codec, "snap-codec", encode_frames, NULL);
	worker_start(&codec_thread, "fc_codec", pass_on, NULL);
}

static void run(struct vmm *vmm, unsigned k)
{
	wait_for_codec((int64_t)burn_doses(vmm_work(vmm, k)));
}

static void teardown(struct vmm *vmm)
{
	helper_stop(&codec);
}

static struct cause cause = {
	.name = "two-hop",
	.summary = "main waits for a thread that waits for another process that computes",
	.unit = "ms",
	.base = 10,
	.grow = 40,
	.answers = { { "cpu-user", ROLE_PROCESS, "snap-codec", "encode_frame encode_frames" } },
	.setup = setup,
	.run = run,
	.teardown = teardown,
};
CAUSE(cause)
