/* SPDX-License-Identifier: GPL-2.0-only */
/* The threads of a pool take turns at one work: none of them is the cause, all of them are. */
#include "burn.h"
#include "cause.h"
#include "peer.h"
#include "util.h"
#include "vmm.h"

#include <stdio.h>

#define THREADS 3

static struct worker pool[THREADS];
static uint64_t digest;

static FRAME uint64_t pack_chunk(uint64_t chunk)
{
	return burn_dose(chunk);
}

static FRAME int64_t pack_chunks(void *arg, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		digest ^= pack_chunk((uint64_t)i);
	return 0;
}

static FRAME void run_pool(double ms)
{
	for (unsigned i = 0; i < THREADS; i++) {
		worker_post(&pool[i], (int64_t)burn_doses(ms / THREADS));
		worker_wait(&pool[i]);
	}
}

static void setup(struct vmm *vmm)
{
	char name[sizeof(pool[0].name)];

	burn_doses(1);
	for (unsigned i = 0; i < THREADS; i++) {
		snprintf(name, sizeof(name), "fc_pool-%u", i);
		worker_start(&pool[i], name, pack_chunks, NULL);
	}
}

static void run(struct vmm *vmm, unsigned k)
{
	run_pool(vmm_work(vmm, k));
}

static struct cause cause = {
	.name = "pool",
	.summary = "main waits for the threads of a pool, which compute in turns",
	.unit = "ms",
	.base = 12,
	.grow = 42,
	.answers = { { "cpu-user", ROLE_THREAD, "fc_pool-0", "pack_chunk pack_chunks" },
		     { "cpu-user", ROLE_THREAD, "fc_pool-1", "pack_chunk pack_chunks" },
		     { "cpu-user", ROLE_THREAD, "fc_pool-2", "pack_chunk pack_chunks" } },
	.setup = setup,
	.run = run,
};
CAUSE(cause)
