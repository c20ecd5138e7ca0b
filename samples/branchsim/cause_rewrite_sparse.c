/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory file of the last BRANCH is truncated and written again, sparsely, on an ext4 whose
 * disk is slow: what a truncated file got written is allocated and submitted at close, by main,
 * and the block layer's writeback throttle makes main wait.
 */
#include "cause.h"

static struct cause cause = {
	.name = "rewrite-sparse",
	.summary = "the last memory file is rewritten, sparsely, on ext4 on a slow disk",
	.storage = "ext4-slow",
	.needs = "root loop throttle",
	.dirty_mb = 12,
	.chunk_kb = 16,
	.no_fsync = 1,
	.answers = { { "io-throttle", ROLE_MAIN, NULL, "wbt_wait|rq_qos_wait ext4_writepages" } },
};
CAUSE(cause)
