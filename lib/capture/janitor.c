/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "janitor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	REPLY_MAX = 16 * 1024,
	REPLY_MS = 600 * 1000, /* a call waits until the snapshot before it is written */
	RETRY_MS = 100,
	RETRIES_MAX = 3000,
	GONE_MAX = 20, /* nobody listens: the VMM has exited */
};

/* All of this runs in a forked child: only async-signal-safe calls, as the parent may have threads. */
static void rest(void)
{
	const struct timespec t = { 0, RETRY_MS * 1000000L };

	nanosleep(&t, NULL);
}

static int dial(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strncpy(a.sun_path, path, sizeof(a.sun_path) - 1);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a))) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool send_all(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		text += n;
		len -= (size_t)n;
	}
	return true;
}

/* Only what was read since the step's text was sent counts. */
static bool await(int fd, const struct sf_janitor_step *s)
{
	static char buf[REPLY_MAX];
	size_t used = 0;

	for (;;) {
		struct pollfd p = { fd, POLLIN, 0 };
		ssize_t n;

		if (used == sizeof(buf) - 1 || poll(&p, 1, REPLY_MS) <= 0)
			return false;
		n = read(fd, buf + used, sizeof(buf) - 1 - used);
		if (n <= 0)
			return false;
		used += (size_t)n;
		buf[used] = '\0';
		if (strstr(buf, s->expect))
			return true;
		if (s->retry && strstr(buf, s->retry))
			return false;
	}
}

static bool resume(int fd, const struct sf_janitor_step *s)
{
	for (; s->send; s++)
		if (!send_all(fd, s->send) || !await(fd, s))
			return false;
	return true;
}

static void work(const char *path, const struct sf_janitor_step *step)
{
	int gone = 0;

	for (int i = 0; i < RETRIES_MAX && gone < GONE_MAX; i++) {
		int fd = dial(path);
		bool done = fd >= 0 && resume(fd, step);

		gone = fd < 0 ? gone + 1 : 0;
		if (fd >= 0)
			close(fd);
		if (done)
			return;
		rest();
	}
}

static void close_above(unsigned first)
{
#ifdef SYS_close_range
	if (!syscall(SYS_close_range, first, ~0U, 0))
		return;
#endif
	for (int fd = (int)first; fd < 4096; fd++)
		close(fd);
}

static void child(int pipe_fd, const char *path, const struct sf_janitor_step *step)
{
	bool paused = false;
	ssize_t n;
	char c;

	setsid();
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_IGN);
	/* Nobody must wait for us through a pipe that we inherited. */
	dup2(pipe_fd, 0);
	close_above(1);
	for (;;) {
		n = read(0, &c, 1);
		if (n == 1)
			paused = c == 'p';
		else if (n == 0 || errno != EINTR)
			break;
	}
	if (paused)
		work(path, step);
	_exit(0);
}

int sf_janitor_start(struct sf_janitor *j, const char *path, const struct sf_janitor_step *step)
{
	int fd[2];

	*j = (struct sf_janitor)SF_JANITOR_INIT;
	if (pipe2(fd, O_CLOEXEC))
		return -errno;
	j->pid = fork();
	if (!j->pid) {
		close(fd[1]);
		child(fd[0], path, step);
	}
	close(fd[0]);
	if (j->pid < 0) {
		close(fd[1]);
		return -errno;
	}
	j->pipe = fd[1];
	return 0;
}

void sf_janitor_paused(struct sf_janitor *j, bool paused)
{
	j->paused = paused;
	if (j->pipe >= 0)
		(void)!write(j->pipe, paused ? "p" : "r", 1);
}

void sf_janitor_release(struct sf_janitor *j)
{
	if (j->pipe < 0)
		return;
	close(j->pipe);
	j->pipe = -1;
	/* At work it may have to wait for long: it is left to init. */
	if (!j->paused)
		while (waitpid(j->pid, NULL, 0) < 0 && errno == EINTR)
			;
}
