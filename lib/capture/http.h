/* SPDX-License-Identifier: GPL-2.0-only */
/* HTTP over a unix socket, one call at a time, that can be interrupted. */
#ifndef SF_CAPTURE_HTTP_H
#define SF_CAPTURE_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include <snapflame/error.h>

#include "api_wait.h"

struct sf_http_reply {
	long status;           /* 200 … */
	char *body;            /* terminated; never NULL after a call that returned 0 */
	size_t len;
	uint64_t begin, end;   /* ns: of the call, also where it failed */
};

/*
 * One request on a connection of its own: method, path ("/vm"), body (JSON, or NULL) to the socket
 * sock. 0 for any reply, whatever its status; -ETIMEDOUT, -EINTR (stop_fd), -ESRCH (target_fd),
 * -EPROTO for what is not HTTP, -E2BIG, -ENOTSUP where built without libcurl, others.
 */
int sf_http_call(const char *sock, const char *method, const char *path, const char *body,
		 const struct sf_api_wait *wait, struct sf_http_reply *reply, struct sf_error *err);
void sf_http_release(struct sf_http_reply *reply);

#endif
