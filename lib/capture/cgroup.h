/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SF_CAPTURE_CGROUP_H
#define SF_CAPTURE_CGROUP_H

#include <stdint.h>
#include <sys/types.h>

#include <snapflame/str.h>

/*
 * The directory of the thread's cgroup with the given version 1 controller, or of version 2 where
 * no such hierarchy is mounted. 0 or -errno.
 */
int sf_cgroup_path(pid_t pid, pid_t tid, const char *controller, struct sf_str *path);

/* ns that the CPU quota of the thread's cgroup kept its threads from running; -1 unknown. */
int64_t sf_cgroup_throttled(pid_t pid, pid_t tid);

#endif
