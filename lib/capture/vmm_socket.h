/* SPDX-License-Identifier: GPL-2.0-only */
/* The unix socket of a VMM's API: who listens, and how paths look from there. */
#ifndef SF_CAPTURE_VMM_SOCKET_H
#define SF_CAPTURE_VMM_SOCKET_H

#include <stdint.h>
#include <sys/types.h>

#include <snapflame/error.h>

/*
 * Connect to path: a descriptor (non-blocking, close-on-exec), or -errno with what to do in err:
 * -ENOTSOCK where the file is something else, -ECONNREFUSED where nobody listens.
 */
int sf_vmm_connect(const char *path, struct sf_error *err);

/*
 * The process that serves the socket at path, in our pid namespace; fd is a connection to it.
 * -ESRCH where it cannot be told.
 */
int sf_vmm_owner(const char *path, int fd, pid_t *pid, struct sf_error *err);

/*
 * The directory dir as process pid sees it, which may have another root; malloc'd. NULL dir stands
 * for the directory that path is in. -ENOENT where pid cannot see it.
 */
int sf_vmm_view_dir(const char *path, pid_t pid, char **dir, struct sf_error *err);

/* A file that pid calls name, as a path for us; malloc'd, or NULL. */
char *sf_vmm_our_path(pid_t pid, const char *name);

#endif
