/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SF_CAPTURE_CGROUP_H
#define SF_CAPTURE_CGROUP_H

#include <stddef.h>
#include <sys/types.h>

#include <snapflame/str.h>

/* Where the hierarchy of a version 1 controller is mounted, or else that of version 2. 0 or -errno. */
int sf_cgroup_mount(const char *controller, struct sf_str *path);

/*
 * The directory of the thread's cgroup with the given version 1 controller, or of version 2 where
 * no such hierarchy is mounted; the first *mount bytes (NULL: not asked for) are the hierarchy's own.
 * 0 or -errno.
 */
int sf_cgroup_path(pid_t pid, pid_t tid, const char *controller, struct sf_str *path, size_t *mount);

/*
 * How many CPUs the quota of the cgroup in directory dir allows, its own alone; *cpus is 0 where it allows
 * all. -ENOENT where no file tells, as in the root of version 2.
 */
int sf_cgroup_quota(const char *dir, double *cpus);

#endif
