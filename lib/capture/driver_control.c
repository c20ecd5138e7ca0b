/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Somebody else performs the BRANCHes and says so, a line each: "begin [NAME]", "end [JSON]", "quit".
 * snapflame-control(7) is the contract. Through a FIFO there are no replies, unless a second one is
 * given for them; through a socket each line is answered.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <snapflame/str.h>

#include "base/own_link.h"
#include "driver.h"
#include "mark_list.h"
#include "proc.h"

enum { LINE_BYTES = 16 * 1024, NAME_BYTES = 255 };

struct control {
	struct sf_driver base;
	char *path, *ack_path;
	bool made, made_ack; /* removed at the end */
	int listener;        /* of a socket, else -1 */
	int in, out;         /* out is -1 where nobody is answered */
	char *fields, *name;
	char buf[LINE_BYTES];
	size_t used;
	bool skip; /* the rest of a line that was too long */
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Whoever does not read what he asked for is not waited for. */
static void answer(struct control *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void answer(struct control *c, const char *fmt, ...)
{
	struct sf_str s = SF_STR_INIT;
	va_list ap;

	if (c->out < 0)
		return;
	va_start(ap, fmt);
	sf_str_vaddf(&s, fmt, ap);
	va_end(ap);
	sf_str_addch(&s, '\n');
	if (c->listener >= 0)
		(void)!send(c->out, s.buf, s.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	else
		(void)!write(c->out, s.buf, s.len);
	sf_str_release(&s);
}

/* A line that makes no sense here: to who can hear it; else true, and it has to be said otherwise. */
static bool complain(struct control *c, struct sf_error *err, const char *what)
{
	answer(c, "error: %s", what);
	sf_error_set(err, -EPROTO, "%s: %s", c->path, what);
	return c->out < 0;
}

/* The next whole line without its end into line (LINE_BYTES long); false where there is none yet. */
static bool next_line(struct control *c, char *line)
{
	char *end;
	size_t len;

	while ((end = memchr(c->buf, '\n', c->used))) {
		bool whole = !c->skip;

		len = (size_t)(end - c->buf);
		memcpy(line, c->buf, len);
		line[len] = '\0';
		while (len && strchr(" \t\r", line[len - 1]))
			line[--len] = '\0';
		c->used -= (size_t)(end + 1 - c->buf);
		memmove(c->buf, end + 1, c->used);
		c->skip = false;
		if (whole)
			return true;
	}
	if (c->used == sizeof(c->buf)) {
		if (!c->skip)
			answer(c, "error: the line is longer than %d bytes", LINE_BYTES);
		c->skip = true;
		c->used = 0;
	}
	return false;
}

/* The writer has gone: a socket waits for the next one. A FIFO is open for writing here, too. */
static void hang_up(struct control *c)
{
	c->used = 0;
	c->skip = false;
	if (c->listener < 0)
		return;
	close_fd(&c->in);
	c->out = -1;
}

static void receive(struct control *c)
{
	ssize_t n = read(c->in, c->buf + c->used, sizeof(c->buf) - c->used);

	if (n > 0)
		c->used += (size_t)n;
	else if (!n || (errno != EAGAIN && errno != EINTR))
		hang_up(c);
}

static void accept_one(struct control *c)
{
	c->in = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	c->out = c->in;
}

/* 0 with a line, -EINTR, -ESRCH; *gone: the one who began has hung up instead. */
static int wait_line(struct control *c, char *line, bool *gone)
{
	for (;;) {
		struct pollfd p[3] = { { c->in >= 0 ? c->in : c->listener, POLLIN, 0 },
				       { c->base.stop_fd, POLLIN, 0 },
				       { c->base.target_fd, POLLIN, 0 } };

		if (next_line(c, line))
			return 0;
		if (poll(p, 3, -1) < 0 && errno != EINTR)
			return -errno;
		if (p[0].revents && c->in >= 0) {
			receive(c);
			if (c->in < 0 && gone) {
				*gone = true;
				return 0;
			}
		} else if (p[0].revents) {
			accept_one(c);
		} else if (p[1].revents) {
			return -EINTR;
		} else if (p[2].revents) {
			return -ESRCH;
		}
	}
}

/* What follows the word, or NULL where the line is another's. */
static const char *after(const char *line, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(line, word, len) || (line[len] && line[len] != ' ' && line[len] != '\t'))
		return NULL;
	line += len;
	return line + strspn(line, " \t");
}

#define UNKNOWN "unknown command; begin [NAME], end [JSON] and quit are known"

/* -ENODATA after quit. */
static int control_begin(struct sf_driver *d, struct sf_branch *b, struct sf_error *err)
{
	struct control *c = (struct control *)d;
	char line[LINE_BYTES + 1];
	const char *rest, *wrong;
	int ret;

	for (;;) {
		ret = wait_line(c, line, NULL);
		if (ret)
			return ret;
		rest = after(line, "begin");
		if (rest && strlen(rest) <= NAME_BYTES)
			break;
		if (after(line, "quit")) {
			answer(c, "ok");
			return -ENODATA;
		}
		wrong = rest ? "a name may have 255 bytes"
			: after(line, "end") ? "end without begin" : UNKNOWN;
		if (*line && complain(c, err, wrong))
			return -EPROTO;
	}
	free(c->name);
	c->name = *rest ? strdup(rest) : NULL;
	return 0;
}

static void take_reply(struct control *c, struct sf_branch *b, const char *text)
{
	if (*text)
		sf_branch_take_reply(b, text, strlen(text), c->fields);
}

/* Until its end: 0; 1 where it was cut short, which b says; -errno. */
static int wait_end(struct control *c, struct sf_branch *b, char *line, const char **reply)
{
	bool gone = false;
	int ret;

	for (;;) {
		ret = wait_line(c, line, &gone);
		b->end = sf_now();
		if (ret)
			return ret;
		if (gone) {
			sf_branch_fail(b, "the connection was closed before its end");
			return 1;
		}
		*reply = after(line, "end");
		if (*reply)
			return 0;
		if (after(line, "quit"))
			return -ENODATA;
		if (after(line, "begin")) {
			if (complain(c, NULL, "begin before the end of the BRANCH that has begun"))
				sf_branch_fail(b, "another began before its end");
		} else if (*line && complain(c, NULL, UNKNOWN)) {
			sf_branch_fail(b, "neither end nor quit came, but an unknown command");
		}
	}
}

static int control_perform(struct sf_driver *d, struct sf_branch *b, struct sf_error *err)
{
	struct control *c = (struct control *)d;
	char line[LINE_BYTES + 1];
	const char *reply;
	int ret;

	b->begin = b->end = sf_now();
	if (c->name)
		sf_branch_set(b, "name", sf_json_text(c->name, strlen(c->name)));
	/* Only now is everything recorded: who waits for this misses nothing. */
	answer(c, "ok");
	ret = wait_end(c, b, line, &reply);
	if (ret == -EINTR || ret == -ENODATA)
		sf_branch_fail(b, "it had not ended when the recording did");
	if (ret <= 0)
		answer(c, "ok");
	if (!ret)
		take_reply(c, b, reply);
	return ret > 0 || ret == -ESRCH ? 0 : ret;
}

static void control_free(struct sf_driver *d)
{
	struct control *c = (struct control *)d;

	if (!c)
		return;
	if (c->out == c->in)
		c->out = -1;
	close_fd(&c->in);
	close_fd(&c->out);
	close_fd(&c->listener);
	if (c->made)
		unlink(c->path);
	if (c->made_ack)
		unlink(c->ack_path);
	free(c->path);
	free(c->ack_path);
	free(c->fields);
	free(c->name);
	free(c);
}

/* Open for both directions, so that it does not end with each writer. */
static int open_fifo(const char *path, bool *made, struct sf_error *err)
{
	struct stat st;
	int fd;

	if (!mkfifo(path, 0600))
		*made = true;
	else if (errno != EEXIST)
		return sf_error_set(err, -errno, "%s: %s", path, strerror(errno));
	fd = sf_open_own(path, O_RDWR | O_NONBLOCK | O_NOCTTY, 0);
	if (fd == -ELOOP)
		return sf_error_set(err, fd, "%s: a symbolic link of another user, not followed", path);
	if (fd < 0)
		return sf_error_set(err, fd, "%s: %s", path, strerror(-fd));
	if (!fstat(fd, &st) && S_ISFIFO(st.st_mode))
		return fd;
	close(fd);
	return sf_error_set(err, -EEXIST, "%s is there and is not a FIFO", path);
}

static int listen_at(struct control *c, struct sf_error *err)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	mode_t mask;
	int ret = 0;

	if (strlen(c->path) >= sizeof(a.sun_path))
		return sf_error_set(err, -ENAMETOOLONG, "%s: a socket's path may have %zu bytes", c->path,
				    sizeof(a.sun_path) - 1);
	memcpy(a.sun_path, c->path, strlen(c->path));
	c->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	mask = umask(0177);
	if (c->listener < 0 || bind(c->listener, (struct sockaddr *)&a, sizeof(a)) ||
	    listen(c->listener, 1))
		ret = -errno;
	else
		c->made = true;
	umask(mask);
	return ret ? sf_error_set(err, ret, "%s: %s", c->path, strerror(-ret)) : 0;
}

/* "FIFO", "FIFO,ACK" or "unix:SOCK" */
static int open_channel(struct control *c, const char *where, struct sf_error *err)
{
	const char *comma = strchr(where, ',');
	bool socket = !strncmp(where, "unix:", 5);

	if (socket)
		comma = NULL;
	c->path = socket ? strdup(where + 5)
			 : strndup(where, comma ? (size_t)(comma - where) : strlen(where));
	c->ack_path = comma ? strdup(comma + 1) : NULL;
	if (!c->path || (comma && !c->ack_path))
		return sf_error_set(err, -ENOMEM, "out of memory");
	if (socket)
		return listen_at(c, err);
	c->in = open_fifo(c->path, &c->made, err);
	if (c->in >= 0 && comma)
		c->out = open_fifo(c->ack_path, &c->made_ack, err);
	return c->in < 0 ? c->in : comma && c->out < 0 ? c->out : 0;
}

int sf_driver_control(struct sf_driver **out, const char *where, const char *json_fields,
		      struct sf_error *err)
{
	struct control *c = calloc(1, sizeof(*c));
	int ret;

	*out = NULL;
	if (!c)
		return sf_error_set(err, -ENOMEM, "out of memory");
	c->base = (struct sf_driver){ "control", -1, -1, -1, control_begin, control_perform, control_free };
	c->in = c->out = c->listener = -1;
	c->fields = json_fields ? strdup(json_fields) : NULL;
	ret = open_channel(c, where, err);
	if (ret) {
		control_free(&c->base);
		return ret;
	}
	*out = &c->base;
	return 0;
}
