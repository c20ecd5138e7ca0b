/* SPDX-License-Identifier: GPL-2.0-only */
/* Which threads a recording is about: what record keeps of a system-wide recording. */
#ifndef SNAPFLAME_NEEDED_H
#define SNAPFLAME_NEEDED_H

#include <snapflame/error.h>
#include <snapflame/table.h>

/*
 * Add to tids the ids of all threads that own a part of a window's critical path, wait for an owner,
 * had the CPU that one waited for, or handed a request to a device. recording is a path. 0; 1 where there is no window to go by, so
 * that everything should be kept; negative errno with the reason in err.
 */
int sf_needed_tids(const char *recording, struct sf_map64 *tids, struct sf_error *err);

#endif
