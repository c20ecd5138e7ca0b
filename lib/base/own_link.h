/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Opening a path in a directory that others may write to. Whoever runs as root must not be sent
 * elsewhere by a link that another user has put there; links of root and of our own are fine, as
 * /dev/stdout is one.
 */
#ifndef SF_BASE_OWN_LINK_H
#define SF_BASE_OWN_LINK_H

#include <sys/types.h>

/*
 * As open(path, flags | O_CLOEXEC, mode), but a symbolic link at the end of path is followed only
 * where it belongs to root or to us: else -ELOOP. A descriptor, or -errno.
 */
int sf_open_own(const char *path, int flags, mode_t mode);

#endif
