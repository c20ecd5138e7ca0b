/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory file of the last BRANCH is truncated and written again, on a disk whose writes are
 * throttled. The first two fill the throttle's allowance; from then on open(O_TRUNC) waits for
 * the pages of the last BRANCH, which are still under writeback. The vmstate file is kept out of
 * it: on a file system that discards what it frees, truncating that file would wait first.
 */
#include "cause.h"

static struct cause cause = {
	.name = "rewrite",
	.summary = "the last memory file is rewritten before a throttled disk has it",
	.storage = "disk",
	.needs = "root throttle",
	.max_gap = 0.2,
	.dirty_mb = 12,
	.no_fsync = 1,
	.in_memory = STATE_FILE,
	.answers = { { "io-throttle", ROLE_MAIN, NULL,
		       "folio_wait_writeback truncate_inode_pages_range snapshot_memory_to_file" } },
};
CAUSE(cause)
