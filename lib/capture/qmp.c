/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "qmp.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <snapflame/str.h>

#include "proc.h"

enum {
	LINE_MAX_BYTES = 1024 * 1024,
	READ_BYTES = 16 * 1024,
	STEP_MS = 1000,
	WORDS_MAX = 400,
	SET_NS = 1000000, /* a clock that jumps so far was set */
};

static int64_t time_of_day(void)
{
	struct timespec real;

	clock_gettime(CLOCK_REALTIME, &real);
	return (int64_t)real.tv_sec * 1000000000 + real.tv_nsec;
}

/* Events are stamped with the time of day: where that was set meanwhile, they came just now. */
static uint64_t monotonic_of(const struct sf_qmp *q, const json_t *stamp)
{
	json_int_t s = json_integer_value(json_object_get(stamp, "seconds"));
	json_int_t us = json_integer_value(json_object_get(stamp, "microseconds"));
	int64_t real = time_of_day(), age;
	uint64_t now = sf_now();

	if (s <= 0 || s > INT64_MAX / 2000000000 || us < 0 || us > 999999 ||
	    llabs(real - (int64_t)now - q->time_of_day) > SET_NS)
		return now;
	age = real - s * 1000000000 - us * 1000;
	/* No event is from the future. */
	return age > 0 && (uint64_t)age < now ? now - (uint64_t)age : now;
}

void sf_qmp_begin(struct sf_qmp *q)
{
	q->stop = q->resume = 0;
	q->time_of_day = time_of_day() - (int64_t)sf_now();
}

static void take_event(struct sf_qmp *q, const json_t *o)
{
	const char *name = json_string_value(json_object_get(o, "event"));
	uint64_t at = monotonic_of(q, json_object_get(o, "timestamp"));

	if (!strcmp(name, "STOP"))
		q->stop = at;
	else if (!strcmp(name, "RESUME"))
		q->resume = at;
}

/* The first whole line in the buffer as an object: 1, or 0 where there is none yet. */
static int next_object(struct sf_qmp *q, json_t **o)
{
	char *end = q->used ? memchr(q->buf, '\n', q->used) : NULL;
	size_t len;

	if (!end)
		return q->used > LINE_MAX_BYTES ? -E2BIG : 0;
	len = (size_t)(end + 1 - q->buf);
	*o = json_loadb(q->buf, len, 0, NULL);
	memmove(q->buf, end + 1, q->used - len);
	q->used -= len;
	if (json_is_object(*o))
		return 1;
	json_decref(*o);
	*o = NULL;
	return -EPROTO;
}

static int fill(struct sf_qmp *q)
{
	ssize_t n;
	char *p;

	if (q->alloc - q->used < READ_BYTES) {
		p = realloc(q->buf, q->used + 2 * READ_BYTES);
		if (!p)
			return -ENOMEM;
		q->buf = p;
		q->alloc = q->used + 2 * READ_BYTES;
	}
	n = read(q->fd, q->buf + q->used, q->alloc - q->used);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (!n)
		return -ECONNRESET;
	q->used += (size_t)n;
	return 0;
}

/* The next object that is not an event. */
static int receive(struct sf_qmp *q, const struct sf_api_wait *wait, json_t **o)
{
	struct pollfd p[3] = { { q->fd, POLLIN, 0 }, { wait->stop_fd, POLLIN, 0 },
			       { wait->target_fd, POLLIN, 0 } };
	struct sf_api_clock clock;
	int ret;

	sf_api_clock_start(&clock, wait);
	for (;;) {
		while ((ret = next_object(q, o)) == 1) {
			if (!json_is_string(json_object_get(*o, "event")))
				return 0;
			take_event(q, *o);
			json_decref(*o);
			*o = NULL;
		}
		if (!ret)
			ret = sf_api_clock_look(&clock, p[1].revents, p[2].revents);
		if (ret)
			return ret;
		if (clock.stopped)
			p[1].fd = -1;
		if (poll(p, 3, sf_api_clock_ms(&clock, STEP_MS)) < 0 && errno != EINTR)
			return -errno;
		if (p[0].revents)
			ret = fill(q);
		if (ret)
			return ret;
	}
}

/* A line with a descriptor. Commands are short: they fit the socket's buffer or nobody reads. */
static int send_line(int fd, const char *text, int pass)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { (void *)(uintptr_t)text, strlen(text) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;
	ssize_t n;

	if (pass >= 0) {
		m.msg_control = control.bytes;
		m.msg_controllen = sizeof(control.bytes);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &pass, sizeof(int));
	}
	do
		n = sendmsg(fd, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EPIPE ? -ECONNRESET : -errno;
	return (size_t)n == iov.iov_len ? 0 : -EPROTO;
}

static int say(int ret, const struct sf_api_wait *wait, const char *what, struct sf_error *err)
{
	if (ret == -ECONNRESET)
		return sf_error_set(err, ret, "%s: the connection was closed before the reply was there",
				    what);
	if (ret == -EPROTO)
		return sf_error_set(err, ret, "%s: the reply is not QMP", what);
	if (ret == -E2BIG)
		return sf_error_set(err, ret, "%s: the reply is longer than any of QMP", what);
	return sf_api_fail(ret, wait, what, err);
}

static int refused(const json_t *error, const char *command, struct sf_error *err)
{
	const json_t *desc = json_object_get(error, "desc");
	size_t len = json_is_string(desc) ? json_string_length(desc) : 0;
	struct sf_str words = SF_STR_INIT;

	sf_str_add_printable(&words, len ? json_string_value(desc) : "refused",
			     len ? len < WORDS_MAX ? len : WORDS_MAX : strlen("refused"));
	sf_error_set(err, -EREMOTEIO, "%s: %s", command, words.buf);
	sf_str_release(&words);
	return -EREMOTEIO;
}

static char *line_of(const char *command, json_t *arguments, unsigned id)
{
	json_t *o = json_pack("{s:s, s:i}", "execute", command, "id", (int)id);
	char *text, *line = NULL;

	if (o && arguments)
		json_object_set(o, "arguments", arguments);
	json_decref(arguments);
	text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	if (text && (line = realloc(text, strlen(text) + 2)))
		strcat(line, "\n");
	else
		free(text);
	json_decref(o);
	return line;
}

int sf_qmp_call(struct sf_qmp *q, const char *command, json_t *arguments, int pass,
		const struct sf_api_wait *wait, json_t **ret, struct sf_error *err)
{
	unsigned id = ++q->id;
	char *line = line_of(command, arguments, id);
	int code = line ? send_line(q->fd, line, pass) : -ENOMEM;
	json_t *o = NULL;

	if (ret)
		*ret = NULL;
	free(line);
	while (!code) {
		code = receive(q, wait, &o);
		/* The reply to a command that was given up may still come. */
		if (code || (unsigned)json_integer_value(json_object_get(o, "id")) == id)
			break;
		json_decref(o);
	}
	if (code)
		return say(code, wait, command, err);
	if (json_object_get(o, "error"))
		code = refused(json_object_get(o, "error"), command, err);
	else if (!json_object_get(o, "return"))
		code = say(-EPROTO, wait, command, err);
	else if (ret)
		*ret = json_incref(json_object_get(o, "return"));
	json_decref(o);
	return code;
}

/* {"QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": 17}, "package": "Debian 1:7.2"}}} */
static void read_version(struct sf_qmp *q, const json_t *greeting)
{
	const json_t *v = json_object_get(json_object_get(greeting, "QMP"), "version");
	const json_t *n = json_object_get(v, "qemu"), *package = json_object_get(v, "package");
	const char *text = json_is_string(package) ? json_string_value(package) : "";

	if (!json_is_integer(json_object_get(n, "major")))
		return;
	snprintf(q->version, sizeof(q->version), "%d.%d.%d%s%.40s%s",
		 (int)json_integer_value(json_object_get(n, "major")),
		 (int)json_integer_value(json_object_get(n, "minor")),
		 (int)json_integer_value(json_object_get(n, "micro")), *text ? " (" : "", text,
		 *text ? ")" : "");
}

int sf_qmp_open(struct sf_qmp *q, int fd, const struct sf_api_wait *wait, struct sf_error *err)
{
	json_t *o = NULL;
	int ret;

	*q = (struct sf_qmp){ .fd = fd };
	sf_qmp_begin(q);
	ret = receive(q, wait, &o);
	if (!ret && !json_object_get(o, "QMP"))
		ret = -EPROTO;
	if (!ret)
		read_version(q, o);
	json_decref(o);
	if (ret == -ETIMEDOUT)
		return sf_error_set(err, ret, "no greeting within %.3g s: not QMP, or it serves another "
				    "client (give QEMU a second -qmp)", (double)wait->timeout / 1e9);
	if (ret)
		return say(ret, wait, "greeting", err);
	return sf_qmp_call(q, "qmp_capabilities", NULL, -1, wait, NULL, err);
}

void sf_qmp_close(struct sf_qmp *q)
{
	if (q->fd >= 0)
		close(q->fd);
	free(q->buf);
	*q = (struct sf_qmp){ .fd = -1 };
}
