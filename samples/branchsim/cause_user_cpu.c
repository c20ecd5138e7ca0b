/* SPDX-License-Identifier: GPL-2.0-only */
/* A registry of devices that is hashed entry by entry, and has more entries each time. */
#include "burn.h"
#include "cause.h"
#include "util.h"
#include "vmm.h"

static uint64_t digest;

static FRAME uint64_t hash_entry(uint64_t entry)
{
	return burn_dose(entry);
}

static FRAME void serialize_device_registry(uint64_t entries)
{
	for (uint64_t i = 0; i < entries; i++)
		digest ^= hash_entry(i);
}

static void setup(struct vmm *vmm)
{
	burn_doses(1);
}

static void run(struct vmm *vmm, unsigned k)
{
	serialize_device_registry(burn_doses(vmm_work(vmm, k)));
}

static struct cause cause = {
	.name = "user-cpu",
	.summary = "main serialises a registry of devices that grows",
	.unit = "ms",
	.base = 20,
	.grow = 40,
	.answers = { { "cpu-user", ROLE_MAIN, NULL, "hash_entry serialize_device_registry" } },
	.setup = setup,
	.run = run,
};
CAUSE(cause)
