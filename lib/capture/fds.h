/* SPDX-License-Identifier: GPL-2.0-only */
/* Which descriptors a child keeps: what it inherits beside them others would wait for in vain. */
#ifndef SF_CAPTURE_FDS_H
#define SF_CAPTURE_FDS_H

#include <stdbool.h>
#include <stddef.h>

struct sf_fds {
	int *item;
	size_t nr, alloc;
};

/* Negative ones are nothing to keep. false: out of memory */
bool sf_fds_add(struct sf_fds *f, int fd);
/* Sorts the list. Async-signal-safe but for that. */
void sf_fds_close_others(struct sf_fds *f);

#endif
