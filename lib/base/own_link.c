/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE /* O_PATH */
#include "base/own_link.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { MOST_LINKS = 8 };

/* /proc/self/fd/1 and its like: what they say is no path, and nobody can plant one. */
static bool is_of_proc(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && fs.f_type == PROC_SUPER_MAGIC;
}

/*
 * What the link at path says, as a path: 0, 1 for a link of /proc, -ELOOP where it is another's. It
 * is held open meanwhile: a link cannot be changed, only replaced, so what is read belongs to whom
 * was looked at.
 */
static int read_link(const char *path, char *to, size_t size)
{
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC), ret = 0;
	const char *slash = strrchr(path, '/');
	char text[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		ret = -errno;
	else if (!S_ISLNK(st.st_mode))
		ret = -ENOTDIR;
	else if (st.st_uid && st.st_uid != geteuid())
		ret = -ELOOP;
	else if (is_of_proc(fd))
		ret = 1;
	if (!ret) {
		n = readlinkat(fd, "", text, sizeof(text) - 1);
		text[n > 0 ? n : 0] = '\0';
		n = text[0] == '/' || !slash
			    ? snprintf(to, size, "%s", text)
			    : snprintf(to, size, "%.*s/%s", (int)(slash - path), path, text);
		if (!text[0] || (size_t)n >= size)
			ret = -ENAMETOOLONG;
	}
	close(fd);
	return ret;
}

int sf_open_own(const char *path, int flags, mode_t mode)
{
	char at[PATH_MAX], next[PATH_MAX];

	flags |= O_CLOEXEC;
	if ((size_t)snprintf(at, sizeof(at), "%s", path) >= sizeof(at))
		return -ENAMETOOLONG;
	for (int i = 0; i < MOST_LINKS; i++) {
		int fd = open(at, flags | O_NOFOLLOW, mode), ret;

		/* ENOTDIR: of a link, where a directory is asked for. */
		if (fd >= 0 || (errno != ELOOP && errno != ENOTDIR))
			return fd >= 0 ? fd : -errno;
		ret = read_link(at, next, sizeof(next));
		if (ret < 0)
			return ret;
		if (ret) {
			fd = open(at, flags, mode);
			return fd >= 0 ? fd : -errno;
		}
		memcpy(at, next, sizeof(at));
	}
	return -ELOOP;
}
