/* SPDX-License-Identifier: GPL-2.0-only */
/* Slow every time, for the same reason as rewrite-sparse on top of every stack: but not slower. */
#include "cause.h"

static struct cause cause = {
	.name = "flat-fsync",
	.summary = "control: a slow disk makes every BRANCH slow, none slower",
	.storage = "ext4-slow",
	.needs = "root loop throttle",
	.steady = 1,
	.dirty_mb = 12,
	.chunk_kb = 16,
	.answers = { { "none", ROLE_NOBODY, NULL, NULL } },
};
CAUSE(cause)
