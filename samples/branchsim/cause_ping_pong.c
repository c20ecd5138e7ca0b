/* SPDX-License-Identifier: GPL-2.0-only */
/* Work in small portions for another thread: thousands of short waits instead of a long one. */
#include "burn.h"
#include "cause.h"
#include "peer.h"
#include "util.h"
#include "vmm.h"

#define PORTION_MS 0.1

static struct worker ring;
static uint64_t digest;

static FRAME uint64_t parse_descriptor(uint64_t x)
{
	return burn_dose(x);
}

static FRAME int64_t handle_descriptors(void *arg, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		digest ^= parse_descriptor((uint64_t)i);
	return 0;
}

static FRAME void drain_ring(double ms)
{
	for (; ms > 0; ms -= PORTION_MS) {
		worker_post(&ring, (int64_t)burn_doses(PORTION_MS));
		worker_wait(&ring);
	}
}

static void setup(struct vmm *vmm)
{
	burn_doses(1);
	worker_start(&ring, "fc_ring", handle_descriptors, NULL);
}

static void run(struct vmm *vmm, unsigned k)
{
	drain_ring(vmm_work(vmm, k));
}

static struct cause cause = {
	.name = "ping-pong",
	.summary = "main hands work to a thread in small portions, more each time",
	.unit = "ms",
	.base = 10,
	.grow = 40,
	.answers = { { "cpu-user", ROLE_THREAD, "fc_ring", "parse_descriptor handle_descriptors" } },
	.setup = setup,
	.run = run,
};
CAUSE(cause)
