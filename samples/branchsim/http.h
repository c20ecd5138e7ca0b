/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As much of HTTP/1.1 as an API over a unix socket needs: messages with Content-Length, kept-alive
 * connections.
 */
#ifndef BRANCHSIM_HTTP_H
#define BRANCHSIM_HTTP_H

#include <stddef.h>

#define HTTP_MAX_HEAD 8192
#define HTTP_MAX_BODY 51200 /* Firecracker's default limit */
#define HTTP_BUFFER   (HTTP_MAX_HEAD + HTTP_MAX_BODY + 1)

struct http_message {
	/* of a request */
	char method[16], path[256];
	/* of a reply */
	int status;
	/* of both; body lies in the buffer that was parsed */
	const char *body;
	size_t body_len;
	int close; /* the connection ends after this message */
};

/*
 * Parse one message from the start of buf. Returns the bytes it takes, 0 when more are needed, -1
 * when it is malformed: then *why says how, and the connection cannot be used any more.
 */
long http_parse_request(const char *buf, size_t len, struct http_message *m, const char **why);
long http_parse_reply(const char *buf, size_t len, struct http_message *m, const char **why);

#endif
