/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How long the CPU quotas of cgroups kept threads from running. A quota holds back all that is below it,
 * and is counted where it stands only: a group's own count says nothing of those above it.
 */
#ifndef SF_CAPTURE_THROTTLED_H
#define SF_CAPTURE_THROTTLED_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <snapflame/str.h>

/* A cgroup on the way up and its own count in ns; cgroup is as in /proc/PID/cgroup ("/a/b"). */
typedef void (*sf_throttled_fn)(void *arg, const char *cgroup, int64_t ns);

/*
 * The counts of the cgroup in directory path and of all above it, up to the first mount bytes of path:
 * their sum, or -1 where none has one. fn may be NULL. path is empty afterwards.
 */
int64_t sf_throttled_upwards(struct sf_str *path, size_t mount, sf_throttled_fn fn, void *arg);

/* The same for the cgroup that a thread is in. */
int64_t sf_throttled_of(pid_t pid, pid_t tid, sf_throttled_fn fn, void *arg);

/* The answer for one thread after the other of a process: most are in the same cgroup. */
struct sf_throttled {
	struct sf_str cgroup; /* of the last one: what /proc says */
	int64_t ns;
};

#define SF_THROTTLED_INIT { SF_STR_INIT, -1 }

int64_t sf_throttled_next(struct sf_throttled *t, pid_t pid, pid_t tid);
void sf_throttled_release(struct sf_throttled *t);

/* The sum over all cgroups below path that have a quota; -1 where no cgroup has a count. */
int64_t sf_throttled_below(const char *path);

/* The same for this machine, or what of it is seen from this container. */
int64_t sf_throttled_machine(void);

#endif
