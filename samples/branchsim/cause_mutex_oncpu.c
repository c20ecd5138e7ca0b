/* SPDX-License-Identifier: GPL-2.0-only */
/* Main waits for a mutex. Its holder does not wait: it computes, longer each time. */
#include "burn.h"
#include "cause.h"
#include "peer.h"
#include "util.h"
#include "vmm.h"

static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static struct chan locked;
static struct worker flusher;
static uint64_t digest;

static FRAME uint64_t checksum_block(uint64_t block)
{
	return burn_dose(block);
}

static FRAME void flush_blocks(uint64_t blocks)
{
	for (uint64_t i = 0; i < blocks; i++)
		digest ^= checksum_block(i);
}

static int64_t flush(void *arg, int64_t blocks)
{
	pthread_mutex_lock(&queue_lock);
	chan_send(&locked, 0);
	flush_blocks((uint64_t)blocks);
	pthread_mutex_unlock(&queue_lock);
	return 0;
}

static FRAME void drain_block_queue(void)
{
	pthread_mutex_lock(&queue_lock);
	pthread_mutex_unlock(&queue_lock);
}

static void setup(struct vmm *vmm)
{
	burn_doses(1);
	chan_init(&locked, 0);
	worker_start(&flusher, "fc_blk_flush", flush, NULL);
}

static void run(struct vmm *vmm, unsigned k)
{
	worker_post(&flusher, (int64_t)burn_doses(vmm_work(vmm, k)));
	chan_recv(&locked);
	drain_block_queue();
	worker_wait(&flusher);
}

static struct cause cause = {
	.name = "mutex-oncpu",
	.summary = "main waits for a mutex whose holder, another thread, computes",
	.unit = "ms",
	.base = 10,
	.grow = 40,
	.answers = { { "cpu-user", ROLE_THREAD, "fc_blk_flush", "checksum_block flush_blocks" } },
	.setup = setup,
	.run = run,
};
CAUSE(cause)
