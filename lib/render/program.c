/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE /* pipe2, posix_spawn_file_actions_addfchdir_np */
#include "render/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SAID_MAX = 4096, ENV_MAX = 8, PAUSE_NS = 2000000 };
#define MEMORY_MAX (UINT64_C(2) << 30)
#define FILE_MAX   (UINT64_C(512) << 20)

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* "NAME=value" of the variables that the program is given; the caller frees them. */
static int environment(char **env)
{
	static const char *const keep[] = { "PATH", "HOME", "TMPDIR" };
	size_t nr = 0;

	for (size_t i = 0; i < sizeof(keep) / sizeof(keep[0]); i++) {
		const char *v = getenv(keep[i]);

		if (v && asprintf(&env[nr], "%s=%s", keep[i], v) < 0)
			goto nomem;
		nr += v != NULL;
	}
	env[nr] = strdup("LC_ALL=C.UTF-8");
	if (env[nr])
		return 0;
nomem:
	env[nr] = NULL;
	return -ENOMEM;
}

/* Its own process group, so that a time-out ends what it started, too; signals as usual. */
static int attributes(posix_spawnattr_t *a)
{
	sigset_t all, none;
	int ret = posix_spawnattr_init(a);

	if (ret)
		return -ret;
	sigfillset(&all);
	sigemptyset(&none);
	ret = posix_spawnattr_setpgroup(a, 0);
	if (!ret)
		ret = posix_spawnattr_setsigdefault(a, &all);
	if (!ret)
		ret = posix_spawnattr_setsigmask(a, &none);
	if (!ret)
		ret = posix_spawnattr_setflags(a, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF |
							  POSIX_SPAWN_SETSIGMASK);
	if (ret)
		posix_spawnattr_destroy(a);
	return -ret;
}

static int actions(posix_spawn_file_actions_t *a, int dirfd, int out, int err)
{
	int ret = posix_spawn_file_actions_init(a);

	if (ret)
		return -ret;
	ret = posix_spawn_file_actions_addopen(a, 0, "/dev/null", O_RDONLY, 0);
	if (!ret)
		ret = posix_spawn_file_actions_adddup2(a, out, 1);
	if (!ret)
		ret = posix_spawn_file_actions_adddup2(a, err, 2);
	if (!ret)
		ret = posix_spawn_file_actions_addfchdir_np(a, dirfd);
#if __GLIBC_PREREQ(2, 34)
	/* Ours are closed as it is; this is for what we inherited. */
	if (!ret)
		ret = posix_spawn_file_actions_addclosefrom_np(a, 3);
#endif
	if (ret)
		posix_spawn_file_actions_destroy(a);
	return -ret;
}

/* More than any figure needs: names can make no program fill memory or disk. */
static void limit(pid_t pid)
{
	const struct rlimit memory = { MEMORY_MAX, MEMORY_MAX }, file = { FILE_MAX, FILE_MAX };

	prlimit(pid, RLIMIT_AS, &memory, NULL);
	prlimit(pid, RLIMIT_FSIZE, &file, NULL);
}

static int start(const char *const *argv, int dirfd, int out, int err, pid_t *pid)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	char *env[ENV_MAX] = { NULL };
	int ret = environment(env);

	if (!ret)
		ret = attributes(&attr);
	if (ret)
		goto out_env;
	ret = actions(&fa, dirfd, out, err);
	if (ret)
		goto out_attr;
	ret = -posix_spawnp(pid, argv[0], &fa, &attr, (char *const *)argv, env);
	posix_spawn_file_actions_destroy(&fa);
	if (!ret)
		limit(*pid);
out_attr:
	posix_spawnattr_destroy(&attr);
out_env:
	for (size_t i = 0; i < ENV_MAX; i++)
		free(env[i]);
	return ret;
}

/* Take what comes from the pipe until its end; false when the time is over. */
static bool listen_to(int fd, uint64_t end, struct sf_str *said)
{
	char buf[1024];

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		uint64_t t = now_ms();
		ssize_t n;

		if (t >= end)
			return false;
		n = poll(&p, 1, (int)(end - t < 1000 ? end - t : 1000));
		if (n <= 0)
			continue;
		n = read(fd, buf, sizeof(buf));
		if (n <= 0)
			return true;
		if (said && said->len < SAID_MAX)
			sf_str_addn(said, buf, (size_t)n);
	}
}

/* It may close its standard error and go on. */
static int reap(pid_t pid, uint64_t end)
{
	struct timespec pause = { 0, PAUSE_NS };
	int status;

	for (;;) {
		pid_t got = waitpid(pid, &status, WNOHANG);

		if (got < 0 && errno != EINTR)
			return -errno;
		if (got == pid)
			break;
		if (now_ms() >= end)
			return -ETIMEDOUT;
		nanosleep(&pause, NULL);
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int sf_program_run(const char *const *argv, int dirfd, int out_fd, unsigned timeout_ms,
		   struct sf_str *said)
{
	uint64_t end = now_ms() + timeout_ms;
	int fd[2], ret;
	pid_t pid;

	if (pipe2(fd, O_CLOEXEC))
		return -errno;
	ret = start(argv, dirfd, out_fd >= 0 ? out_fd : fd[1], fd[1], &pid);
	close(fd[1]);
	if (ret) {
		close(fd[0]);
		return ret;
	}
	ret = listen_to(fd[0], end, said) ? reap(pid, end) : -ETIMEDOUT;
	close(fd[0]);
	if (ret == -ETIMEDOUT) {
		kill(-pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	return ret;
}
