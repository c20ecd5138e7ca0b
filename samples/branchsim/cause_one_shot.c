/* SPDX-License-Identifier: GPL-2.0-only */
/* Each BRANCH starts a thread that computes and ends: it is there in no snapshot of the threads. */
#include "burn.h"
#include "cause.h"
#include "util.h"
#include "vmm.h"

static uint64_t digest;

static FRAME uint64_t encode_page(uint64_t page)
{
	return burn_dose(page);
}

static FRAME void *encode_pages(void *arg)
{
	name_thread("fc_encoder");
	for (uint64_t i = *(const uint64_t *)arg; i-- > 0;)
		digest ^= encode_page(i);
	return NULL;
}

static void setup(struct vmm *vmm)
{
	burn_doses(1);
}

static void run(struct vmm *vmm, unsigned k)
{
	uint64_t pages = burn_doses(vmm_work(vmm, k));
	pthread_t thread;

	if (pthread_create(&thread, NULL, encode_pages, &pages))
		die("one-shot: no thread");
	pthread_join(thread, NULL);
}

static struct cause cause = {
	.name = "one-shot",
	.summary = "main waits for a thread that each BRANCH starts anew and that computes",
	.unit = "ms",
	.base = 10,
	.grow = 40,
	.answers = { { "cpu-user", ROLE_THREAD, "fc_encoder", "encode_page encode_pages" } },
	.setup = setup,
	.run = run,
};
CAUSE(cause)
