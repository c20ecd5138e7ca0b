/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fc_api thread: Firecracker's HTTP API on a unix socket. Requests are checked here and
 * handed to main, which acts; meanwhile this thread waits in a futex, as Firecracker's does.
 */
#include "http.h"
#include "util.h"
#include "vmm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRECRACKER_VERSION "1.12.0"

struct connection {
	int fd;
	size_t used;
	char buf[HTTP_BUFFER];
};

struct reply {
	int status;
	json_t *body; /* NULL: none */
};

static struct reply fault(const char *fmt, ...) PRINTF_LIKE(1, 2);

static struct reply fault(const char *fmt, ...)
{
	char text[1100];
	json_t *message;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	message = json_string(text);
	if (!message) /* bytes of the request that are not UTF-8 */
		message = json_string("Invalid request: not UTF-8.");
	return (struct reply){ 400, json_pack("{s:o}", "fault_message", message) };
}

/* Hand the action to main and wait until it is done. */
static FRAME struct reply perform(struct vmm *vmm, struct action *a)
{
	uint64_t one = 1;

	__atomic_store_n(&vmm->action, a, __ATOMIC_RELEASE);
	if (write(vmm->wake_fd, &one, sizeof(one)) != sizeof(one))
		die("cannot wake main: %s", strerror(errno));
	chan_recv(&vmm->answered);
	if (a->fault[0])
		return fault("%s", a->fault);
	return (struct reply){ a->body ? 200 : 204, a->body };
}

static struct reply get(struct vmm *vmm, enum action_kind kind)
{
	struct action a = { .kind = kind };

	return perform(vmm, &a);
}

static struct reply patch_vm(struct vmm *vmm, json_t *body)
{
	const char *state = json_string_value(json_object_get(body, "state"));
	struct action a = { .kind = ACTION_PAUSE };

	if (!state || json_object_size(body) != 1)
		return fault("An error occurred when deserializing the json body of a request: "
			     "expected one field, `state`");
	if (!strcmp(state, "Resumed"))
		a.kind = ACTION_RESUME;
	else if (strcmp(state, "Paused"))
		return fault("An error occurred when deserializing the json body of a request: "
			     "unknown variant `%s`, expected `Paused` or `Resumed`", state);
	return perform(vmm, &a);
}

/* A required path; 0, or -1 with *r filled in. */
static int get_path(json_t *body, const char *key, char *out, size_t size, struct reply *r)
{
	const char *path = json_string_value(json_object_get(body, key));

	if (path && (size_t)snprintf(out, size, "%s", path) < size)
		return 0;
	*r = path ? fault("Create snapshot error: `%s` is too long", key)
		  : fault("An error occurred when deserializing the json body of a request: "
			  "missing field `%s`", key);
	return -1;
}

static struct reply put_snapshot_create(struct vmm *vmm, json_t *body)
{
	const char *type = json_string_value(json_object_get(body, "snapshot_type"));
	struct action a = { .kind = ACTION_CREATE };
	struct reply r;
	const char *key;
	json_t *value;

	json_object_foreach(body, key, value)
		if (strcmp(key, "snapshot_type") && strcmp(key, "snapshot_path") &&
		    strcmp(key, "mem_file_path") && strcmp(key, "version"))
			return fault("An error occurred when deserializing the json body of a "
				     "request: unknown field `%s`", key);
	a.full = !type || !strcmp(type, "Full");
	if (!a.full && strcmp(type, "Diff"))
		return fault("An error occurred when deserializing the json body of a request: "
			     "unknown variant `%s`, expected `Diff` or `Full`", type);
	if (get_path(body, "snapshot_path", a.snapshot_path, sizeof(a.snapshot_path), &r) ||
	    get_path(body, "mem_file_path", a.mem_path, sizeof(a.mem_path), &r))
		return r;
	return perform(vmm, &a);
}

static struct reply with_body(struct vmm *vmm, const struct http_message *m,
			      struct reply (*handle)(struct vmm *, json_t *))
{
	json_error_t err;
	json_t *body = json_loadb(m->body, m->body_len, JSON_REJECT_DUPLICATES, &err);
	struct reply r;

	if (!body)
		return fault("An error occurred when deserializing the json body of a request: "
			     "%s, line %d column %d", err.text, err.line, err.column);
	r = json_is_object(body)
		    ? handle(vmm, body)
		    : fault("An error occurred when deserializing the json body of a request: "
			    "expected an object");
	json_decref(body);
	return r;
}

static struct reply get_version(void)
{
	return (struct reply){ 200, json_pack("{s:s}", "firecracker_version", FIRECRACKER_VERSION) };
}

static struct reply dispatch(struct vmm *vmm, const struct http_message *m)
{
	static const struct {
		const char *path;
		enum action_kind kind;
	} gets[] = {
		{ "/", ACTION_INFO },
		{ "/vm", ACTION_STATE },
		{ "/machine-config", ACTION_MACHINE },
		{ "/branchsim", ACTION_BRANCHES },
	};

	if (!strcmp(m->method, "GET")) {
		if (!strcmp(m->path, "/version"))
			return get_version();
		for (size_t i = 0; i < ARRAY_SIZE(gets); i++)
			if (!strcmp(m->path, gets[i].path))
				return get(vmm, gets[i].kind);
	}
	if (!strcmp(m->method, "PATCH") && !strcmp(m->path, "/vm"))
		return with_body(vmm, m, patch_vm);
	if (!strcmp(m->method, "PUT") && !strcmp(m->path, "/snapshot/create"))
		return with_body(vmm, m, put_snapshot_create);
	return fault("Invalid request method and/or path: %s %s.", m->method, m->path);
}

static int send_full(int fd, const char *buf, size_t len)
{
	while (len) {
		ssize_t n = send(fd, buf, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		buf += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Takes over r.body; -1 when the client has gone. */
static int send_reply(int fd, struct reply r, int last)
{
	char *text = r.body ? json_dumps(r.body, JSON_COMPACT) : NULL, *msg;
	int err;

	if (text)
		msg = xasprintf("HTTP/1.1 %d \r\nServer: Firecracker API\r\nConnection: %s\r\n"
				"Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
				r.status, last ? "close" : "keep-alive", strlen(text), text);
	else
		msg = xasprintf("HTTP/1.1 %d \r\nServer: Firecracker API\r\nConnection: %s\r\n\r\n",
				r.status, last ? "close" : "keep-alive");
	err = send_full(fd, msg, strlen(msg));
	json_decref(r.body);
	free(text);
	free(msg);
	return err;
}

/* Answer every whole request in the buffer; -1 when the connection is over. */
static int answer(struct vmm *vmm, struct connection *c)
{
	struct http_message m;
	const char *why = NULL;
	long n;

	while ((n = http_parse_request(c->buf, c->used, &m, &why)) > 0) {
		if (send_reply(c->fd, dispatch(vmm, &m), m.close) || m.close)
			return -1;
		memmove(c->buf, c->buf + n, c->used - (size_t)n);
		c->used -= (size_t)n;
	}
	if (n < 0)
		send_reply(c->fd, fault("%s.", why), 1);
	return n < 0 ? -1 : 0;
}

/* There is always room: a message that would fill the buffer was refused before. */
static int serve_connection(struct vmm *vmm, struct connection *c)
{
	ssize_t n = recv(c->fd, c->buf + c->used, sizeof(c->buf) - c->used, 0);

	if (n <= 0)
		return n < 0 && errno == EINTR ? 0 : -1;
	c->used += (size_t)n;
	return answer(vmm, c);
}

static void accept_one(struct vmm *vmm, int poll_fd)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct connection *c;
	int fd = accept4(vmm->listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	c = xcalloc(1, sizeof(*c));
	c->fd = fd;
	ev.data.ptr = c;
	epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &ev);
}

static void *api_main(void *arg)
{
	struct vmm *vmm = arg;
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = NULL };
	int poll_fd = epoll_create1(EPOLL_CLOEXEC);

	epoll_ctl(poll_fd, EPOLL_CTL_ADD, vmm->listen_fd, &ev);
	for (;;) {
		struct connection *c;

		if (epoll_wait(poll_fd, &ev, 1, -1) != 1)
			continue;
		c = ev.data.ptr;
		if (!c) {
			accept_one(vmm, poll_fd);
		} else if (serve_connection(vmm, c)) {
			close(c->fd);
			free(c);
		}
	}
	return NULL;
}

void api_start(struct vmm *vmm)
{
	if (pthread_create(&vmm->api_thread, NULL, api_main, vmm))
		die("cannot start the API thread: %s", strerror(errno));
	set_thread_name(vmm->api_thread, names.api);
}
