/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE /* O_DIRECTORY, O_NOFOLLOW */
#include "render/outdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own_link.h"

static int failed(struct sf_error *err, const struct sf_outdir *o, const char *what)
{
	int code = -errno;

	return sf_error_at(err, code, o->path, 0, "%s: %s", what, strerror(-code));
}

static int make_parents(const char *path)
{
	char *copy = strdup(path);
	int ret = 0;

	if (!copy)
		return -ENOMEM;
	for (char *p = copy + (*copy == '/'); !ret && (p = strchr(p, '/')); p++) {
		*p = '\0';
		if (*copy && mkdir(copy, 0777) && errno != EEXIST)
			ret = -errno;
		*p = '/';
	}
	free(copy);
	return ret;
}

static int open_dir(struct sf_outdir *o, struct sf_error *err)
{
	int ret = make_parents(o->path);

	if (ret || (mkdir(o->path, 0777) && errno != EEXIST)) {
		errno = ret ? -ret : errno;
		return failed(err, o, "cannot be made");
	}
	o->fd = sf_open_own(o->path, O_RDONLY | O_DIRECTORY, 0);
	if (o->fd >= 0)
		return 0;
	if (o->fd == -ELOOP)
		return sf_error_at(err, -ELOOP, o->path, 0, "a symbolic link of another user, not "
				   "followed; name the directory itself");
	errno = -o->fd;
	return failed(err, o, "cannot be opened");
}

static int open_stage(struct sf_outdir *o, struct sf_error *err)
{
	uint64_t r;

	for (int tries = 0; tries < 100; tries++) {
		if (getrandom(&r, sizeof(r), 0) != sizeof(r))
			return failed(err, o, "no random numbers");
		snprintf(o->stage, sizeof(o->stage), ".snapflame-%016llx", (unsigned long long)r);
		if (!mkdirat(o->fd, o->stage, 0700)) {
			o->stage_fd = openat(o->fd, o->stage,
					     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			o->listing = o->stage_fd >= 0 ? fdopendir(o->stage_fd) : NULL;
			return o->listing ? 0 : failed(err, o, "not writable");
		}
		o->stage[0] = '\0';
		if (errno != EEXIST)
			break;
	}
	return failed(err, o, "not writable");
}

int sf_outdir_open(struct sf_outdir *o, const char *path, struct sf_error *err)
{
	int ret;

	*o = (struct sf_outdir){ .fd = -1, .stage_fd = -1 };
	if (!*path)
		return sf_error_set(err, -EINVAL, "an empty name of a directory");
	if (strlen(path) >= sizeof(o->path))
		return sf_error_set(err, -ENAMETOOLONG, "%.40s…: the name is too long", path);
	snprintf(o->path, sizeof(o->path), "%s", path);
	ret = open_dir(o, err);
	if (!ret)
		ret = open_stage(o, err);
	if (ret)
		sf_outdir_release(o);
	return ret;
}

static int remember(struct sf_outdir *o, const char *name)
{
	for (size_t i = 0; i < o->file.nr; i++)
		if (!strcmp(o->file.name[i], name))
			return 0;
	if (SF_GROW(o->file.name, o->file.nr + 1, o->file.alloc))
		return -ENOMEM;
	o->file.name[o->file.nr] = strdup(name);
	return o->file.name[o->file.nr++] ? 0 : -ENOMEM;
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

int sf_outdir_scratch(struct sf_outdir *o, const char *name, const void *data, size_t len,
		      struct sf_error *err)
{
	int fd = openat(o->stage_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
	int ret;

	if (fd < 0)
		return failed(err, o, name);
	ret = write_all(fd, data, len);
	if (close(fd) && !ret)
		ret = -errno;
	errno = -ret;
	return ret ? failed(err, o, name) : 0;
}

int sf_outdir_write(struct sf_outdir *o, const char *name, const void *data, size_t len,
		    struct sf_error *err)
{
	int ret = sf_outdir_scratch(o, name, data, len, err);

	if (ret)
		return ret;
	return remember(o, name) ? sf_error_set(err, -ENOMEM, "out of memory") : 0;
}

int sf_outdir_keep(struct sf_outdir *o, const char *name)
{
	struct stat st;

	if (fstatat(o->stage_fd, name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode) || !st.st_size)
		return -ENOENT;
	return remember(o, name);
}

static int sync_file(const struct sf_outdir *o, const char *name)
{
	int fd = openat(o->stage_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -1;
	/* EINVAL: the file system has nothing to write back to. */
	if (fsync(fd) && errno != EINVAL)
		ret = -1;
	close(fd);
	return ret;
}

/* All contents reach the disk before the first name does. */
int sf_outdir_commit(struct sf_outdir *o, struct sf_error *err)
{
	for (size_t i = 0; i < o->file.nr; i++)
		if (sync_file(o, o->file.name[i]))
			return failed(err, o, o->file.name[i]);
	for (size_t i = 0; i < o->file.nr; i++)
		if (renameat(o->stage_fd, o->file.name[i], o->fd, o->file.name[i]))
			return failed(err, o, o->file.name[i]);
	fsync(o->fd); /* file systems that cannot sync a directory do not matter here */
	return 0;
}

static void remove_stage(struct sf_outdir *o)
{
	struct dirent *e;

	if (o->listing) {
		rewinddir(o->listing);
		while ((e = readdir(o->listing)))
			if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
				unlinkat(o->stage_fd, e->d_name, 0);
		closedir(o->listing);
	} else if (o->stage_fd >= 0) {
		close(o->stage_fd);
	}
	unlinkat(o->fd, o->stage, AT_REMOVEDIR);
}

void sf_outdir_release(struct sf_outdir *o)
{
	if (o->stage[0])
		remove_stage(o);
	if (o->fd >= 0)
		close(o->fd);
	for (size_t i = 0; i < o->file.nr; i++)
		free(o->file.name[i]);
	free(o->file.name);
	*o = (struct sf_outdir){ .fd = -1, .stage_fd = -1 };
}
