/* SPDX-License-Identifier: GPL-2.0-only */
#include "client.h"

#include "http.h"
#include "util.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int failed(struct client *c, const char *what)
{
	snprintf(c->fault, sizeof(c->fault), "%s", what);
	return -1;
}

int client_open(struct client *c, const char *path, double wait_s)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	uint64_t end = now_ns() + (uint64_t)(wait_s * 1e9);

	c->fault[0] = '\0';
	if (strlen(path) >= sizeof(addr.sun_path))
		return failed(c, "the socket's path is too long");
	strcpy(addr.sun_path, path);
	for (;;) {
		c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (!connect(c->fd, (struct sockaddr *)&addr, sizeof(addr)))
			return 0;
		failed(c, strerror(errno));
		close(c->fd);
		c->fd = -1;
		if (now_ns() >= end)
			return -1;
		sleep_ns(MS_TO_NS(20));
	}
}

void client_close(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

/* A peer that hangs up must not kill us: send, with MSG_NOSIGNAL. */
static int send_request(struct client *c, const char *method, const char *path, json_t *body)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	char *msg = xasprintf("%s %s HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n"
			      "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
			      method, path, text ? strlen(text) : 0, text ? text : "");
	size_t len = strlen(msg);
	ssize_t n = send(c->fd, msg, len, MSG_NOSIGNAL);

	json_decref(body);
	free(text);
	free(msg);
	return n == (ssize_t)len ? 0 : failed(c, "the request could not be sent");
}

static int read_body(struct client *c, const struct http_message *m, json_t **reply)
{
	json_t *body = m->body_len ? json_loadb(m->body, m->body_len, 0, NULL) : NULL;
	const char *fault = json_string_value(json_object_get(body, "fault_message"));
	int ok = m->status / 100 == 2;

	if (!ok && fault)
		failed(c, fault);
	else if (!ok)
		snprintf(c->fault, sizeof(c->fault), "HTTP status %d", m->status);
	if (ok && reply)
		*reply = body;
	else
		json_decref(body);
	return ok ? 0 : -1;
}

int client_call(struct client *c, const char *method, const char *path, json_t *body,
		json_t **reply)
{
	char buf[HTTP_BUFFER];
	struct http_message m;
	const char *why = NULL;
	size_t used = 0;

	if (reply)
		*reply = NULL;
	if (send_request(c, method, path, body))
		return -1;
	for (;;) {
		ssize_t n = recv(c->fd, buf + used, sizeof(buf) - used, 0);
		long whole;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return failed(c, "the VMM hung up");
		used += (size_t)n;
		whole = http_parse_reply(buf, used, &m, &why);
		if (whole < 0)
			return failed(c, why);
		if (whole)
			return read_body(c, &m, reply);
	}
}
