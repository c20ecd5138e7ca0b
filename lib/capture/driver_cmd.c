/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <snapflame/str.h>

#include "driver.h"
#include "proc.h"

enum {
	TEXT_MAX = 64 * 1024,  /* kept of what the command prints */
	GRACE_MS = 3000,       /* for the command to end when we have to */
};

struct cmd_driver {
	struct sf_driver base;
	char *path;
	char **cmd;
	char *fields;
	bool long_line; /* of what this BRANCH printed something is too long to be kept */
	int out_fd;
	pid_t pid;
	int pidfd;
	int go;      /* a byte lets the child execute the command */
	int failed;  /* errno of its exec comes from there, or the end */
	/* One pipe for all BRANCHes, the keeper's to read from when we are killed: a command that
	 * cannot print might not go on to resume the VM. */
	int input;
	struct rlimit files; /* before we raised it */
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* As execvp finds it, but before anything is recorded. */
static char *find_program(const char *name, int *error)
{
	const char *path = getenv("PATH");

	*error = ENOENT;
	if (strchr(name, '/')) {
		if (!access(name, X_OK))
			return strdup(name);
		*error = errno;
		return NULL;
	}
	if (!path || !*path)
		path = "/usr/local/bin:/usr/bin:/bin";
	for (;; path++) {
		size_t len = strcspn(path, ":");
		char *full;

		if (asprintf(&full, "%.*s/%s", len ? (int)len : 1, len ? path : ".", name) < 0)
			return NULL;
		if (!access(full, X_OK))
			return full;
		if (errno != ENOENT)
			*error = errno;
		free(full);
		path += len;
		if (!*path)
			return NULL;
	}
}

/* In the child; only async-signal-safe calls, as the parent has threads. */
static void child(const struct cmd_driver *c, const int go[2], const int failed[2])
{
	sigset_t none;
	char byte;
	int error;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	close(go[1]);
	setrlimit(RLIMIT_NOFILE, &c->files);
	if (read(go[0], &byte, 1) == 1 && dup2(c->input, STDOUT_FILENO) >= 0) {
		execv(c->path, c->cmd);
		error = errno;
		(void)!write(failed[1], &error, sizeof(error));
	}
	_exit(127);
}

static int pidfd_of(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* Never let go, it ends when the pipe does. */
static void dismiss(struct cmd_driver *c)
{
	close_fd(&c->go);
	if (c->pid > 0)
		waitpid(c->pid, NULL, 0);
	c->pid = 0;
	close_fd(&c->failed);
	close_fd(&c->pidfd);
}

static int fork_child(struct cmd_driver *c)
{
	int go[2] = { -1, -1 }, failed[2] = { -1, -1 }, ret = 0;

	if (pipe2(go, O_CLOEXEC) || pipe2(failed, O_CLOEXEC)) {
		ret = -errno;
	} else {
		c->pid = fork();
		if (!c->pid)
			child(c, go, failed);
		ret = c->pid < 0 ? -errno : 0;
	}
	if (!ret) {
		c->pidfd = pidfd_of(c->pid);
		ret = c->pidfd < 0 ? -errno : 0;
	}
	close_fd(&go[0]);
	close_fd(&failed[1]);
	c->go = go[1];
	c->failed = failed[0];
	if (ret) /* a child that waits on would keep what it inherited, such as the pipes of helpers */
		dismiss(c);
	return ret;
}

static int cmd_begin(struct sf_driver *d, struct sf_branch *b, struct sf_error *err)
{
	struct cmd_driver *c = (struct cmd_driver *)d;
	int ret;

	if (c->pid > 0) /* made before, for the events to be opened on it */
		return 0;
	ret = fork_child(c);
	return ret ? sf_error_set(err, ret, "%s cannot be started: %s", c->cmd[0], strerror(-ret))
		   : 0;
}

static void write_out(int fd, const char *data, size_t len)
{
	while (len && fd >= 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno != EINTR)
			return;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
}

/*
 * The reply is the last thing that is printed: of much text its end is kept, from a line's begin on. Of a
 * line that is longer nothing is, but a space: what follows is not the begin of a line.
 */
static void keep_end(struct cmd_driver *c, struct sf_str *text)
{
	char *from = text->buf + text->len - TEXT_MAX, *line = memchr(from, '\n', TEXT_MAX);
	size_t len = line ? (size_t)(text->buf + text->len - line - 1) : 1;

	if (line)
		memmove(text->buf, line + 1, len);
	else
		text->buf[0] = ' ';
	text->buf[len] = '\0';
	text->len = len;
	c->long_line |= !line;
}

/* Pass on what there is; how much, 0 where there is nothing. */
static size_t relay(struct cmd_driver *c, struct sf_str *text)
{
	char buf[4096];
	ssize_t n;

	do
		n = read(c->base.output, buf, sizeof(buf));
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return 0;
	write_out(c->out_fd, buf, (size_t)n);
	sf_str_addn(text, buf, (size_t)n);
	if (text->len >= 2 * TEXT_MAX)
		keep_end(c, text);
	return (size_t)n;
}

/* What is in the pipe when the command has ended; what it left running may go on and on. */
static void relay_rest(struct cmd_driver *c, struct sf_str *text)
{
	int left = 0;
	size_t n;

	if (ioctl(c->base.output, FIONREAD, &left))
		return;
	while (left > 0 && (n = relay(c, text)))
		left -= (int)n;
}

/* Wait for the command's end. Asked to stop, it gets a signal and some time; then we leave it. */
static int wait_child(struct cmd_driver *c, struct sf_str *text, uint64_t *end)
{
	struct pollfd p[4] = {
		{ c->pidfd, POLLIN, 0 },
		{ c->base.output, POLLIN, 0 },
		{ c->base.stop_fd, POLLIN, 0 },
		{ c->base.target_fd, POLLIN, 0 },
	};
	uint64_t deadline = 0;
	int ret = 0;

	for (;;) {
		uint64_t now = sf_now();
		int left = deadline ? (int)((deadline - now) / 1000000) : -1;

		if (deadline && now >= deadline)
			break;
		if (poll(p, 4, left) < 0 && errno != EINTR)
			return -errno;
		*end = sf_now();
		if (p[0].revents)
			return ret;
		if (p[1].revents)
			relay(c, text);
		for (int i = 2; i < 4; i++) {
			if (!p[i].revents)
				continue;
			p[i].fd = -1;
			deadline = *end + GRACE_MS * UINT64_C(1000000);
			if (i == 2) {
				ret = -EINTR;
				kill(c->pid, SIGTERM);
			}
		}
	}
	*end = sf_now();
	return ret ? ret : -ESRCH;
}

static int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void set_error(struct sf_branch *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void set_error(struct sf_branch *b, const char *fmt, ...)
{
	va_list ap;

	free(b->error);
	va_start(ap, fmt);
	if (vasprintf(&b->error, fmt, ap) < 0)
		b->error = NULL;
	va_end(ap);
}

static void collect(struct cmd_driver *c, struct sf_branch *b)
{
	int error, status;

	if (waitpid(c->pid, &status, WNOHANG) != c->pid) {
		/* It may be in the middle of a snapshot: killing it could leave the VM paused. */
		set_error(b, "%s (process %d) still runs", c->cmd[0], (int)c->pid);
		b->status = 124;
	} else {
		b->status = exit_status(status);
		if (read(c->failed, &error, sizeof(error)) == (ssize_t)sizeof(error))
			set_error(b, "%s cannot be executed: %s", c->cmd[0], strerror(error));
		else if (WIFSIGNALED(status))
			set_error(b, "%s was killed by signal %d (%s)", c->cmd[0], WTERMSIG(status),
				  strsignal(WTERMSIG(status)));
		else if (b->status)
			set_error(b, "%s ended with status %d", c->cmd[0], b->status);
	}
	c->pid = 0;
	close_fd(&c->pidfd);
	close_fd(&c->go);
	close_fd(&c->failed);
}

static int cmd_perform(struct sf_driver *d, struct sf_branch *b, struct sf_error *err)
{
	struct cmd_driver *c = (struct cmd_driver *)d;
	struct sf_str text = SF_STR_INIT;
	int ret;

	/* Without vCPUs the end of a window is the end of this process: the path starts at it. */
	if (!b->extra)
		b->extra = json_pack("{s:i}", "cmd_pid", (int)c->pid);
	c->long_line = false;
	b->begin = b->end = sf_now();
	(void)!write(c->go, "", 1);
	ret = wait_child(c, &text, &b->end);
	relay_rest(c, &text);
	collect(c, b);
	sf_branch_take_reply(b, text.buf, text.len, c->fields);
	if (c->long_line && !b->json && !b->note)
		b->note = strdup("it printed a line that is too long for a reply");
	sf_str_release(&text);
	return ret == -ESRCH ? 0 : ret;
}

static void cmd_free(struct sf_driver *d)
{
	struct cmd_driver *c = (struct cmd_driver *)d;

	if (!c)
		return;
	dismiss(c);
	close_fd(&c->base.output);
	close_fd(&c->input);
	for (char **w = c->cmd; w && *w; w++)
		free(*w);
	free(c->cmd);
	free(c->fields);
	free(c->path);
	free(c);
}

static char **copy_words(char *const *word)
{
	size_t nr = 0;
	char **copy;

	while (word[nr])
		nr++;
	copy = calloc(nr + 1, sizeof(*copy));
	for (size_t i = 0; copy && i < nr; i++)
		copy[i] = strdup(word[i]);
	return copy;
}

int sf_driver_cmd(struct sf_driver **out, char *const *cmd, int out_fd, const char *json_fields,
		  struct sf_error *err)
{
	struct cmd_driver *c = calloc(1, sizeof(*c));
	int error = ENOMEM, output[2];

	*out = NULL;
	if (!c)
		return sf_error_set(err, -ENOMEM, "out of memory");
	c->base = (struct sf_driver){ "cmd", -1, -1, -1, cmd_begin, cmd_perform, cmd_free };
	c->out_fd = out_fd;
	c->pidfd = c->go = c->failed = c->input = -1;
	c->path = find_program(cmd[0], &error);
	c->cmd = copy_words(cmd);
	c->fields = json_fields ? strdup(json_fields) : NULL;
	if (!c->path || !c->cmd) {
		cmd_free(&c->base);
		return sf_error_set(err, -error, "%s cannot be run: %s", cmd[0], strerror(error));
	}
	if (pipe2(output, O_CLOEXEC)) {
		error = errno;
		cmd_free(&c->base);
		return sf_error_set(err, -error, "no pipe: %s", strerror(error));
	}
	getrlimit(RLIMIT_NOFILE, &c->files);
	c->base.output = output[0];
	c->input = output[1];
	fcntl(output[0], F_SETFL, O_NONBLOCK);
	*out = &c->base;
	return 0;
}

const char *sf_driver_cmd_path(const struct sf_driver *d)
{
	return ((const struct cmd_driver *)d)->path;
}

pid_t sf_driver_cmd_pid(const struct sf_driver *d)
{
	return ((const struct cmd_driver *)d)->pid;
}
