/* SPDX-License-Identifier: GPL-2.0-only */
/* export --push: one profile for each BRANCH, to a server for continuous profiling. */
#ifndef SF_CMD_PUSH_H
#define SF_CMD_PUSH_H

#include <snapflame/recording.h>

#include "options.h"

struct sf_push_settings {
	const char *url;   /* NULL: no --push */
	const char *spool; /* NULL: the user's */
	struct sf_texts headers; /* "Name: value", or "@FILE" with such lines */
	uint64_t timeout, retry; /* ns */
};

/*
 * Send the BRANCHes that windows names of these recordings, and what waits in the spool from before;
 * without recordings only that. An exit status.
 */
int sf_push_recordings(const struct sf_push_settings *o, const struct sf_recording_opts *load,
		       const struct sf_list *windows, char **paths, int nr);

#endif
