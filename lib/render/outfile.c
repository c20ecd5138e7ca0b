/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <snapflame/export.h>
#include <snapflame/str.h>

#include "base/own_link.h"

enum { TRIES = 16 };

static int failed(struct sf_error *err, const char *path, int code)
{
	return sf_error_at(err, code, path, 0, "%s", strerror(-code));
}

/* A name beside path that nobody can guess, made with O_EXCL. */
static int make_temp(struct sf_outfile *o)
{
	int ret = -EEXIST;

	for (int i = 0; ret == -EEXIST && i < TRIES; i++) {
		struct sf_str name = SF_STR_INIT;
		unsigned long long r;
		int fd;

		if (getrandom(&r, sizeof(r), 0) != sizeof(r))
			return -EIO;
		sf_str_addf(&name, "%s.%016llx", o->path, r);
		free(o->temp);
		o->temp = sf_str_detach(&name);
		if (!o->temp)
			return -ENOMEM;
		fd = open(o->temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
		ret = fd < 0 ? -errno : fd;
	}
	if (ret < 0) { /* it is not ours to remove */
		free(o->temp);
		o->temp = NULL;
	}
	return ret;
}

int sf_outfile_open(struct sf_outfile *o, const char *path, struct sf_error *err)
{
	struct stat st;
	int fd;
	bool there;

	memset(o, 0, sizeof(*o));
	if (!*path)
		return sf_error_set(err, -EINVAL, "an empty name of a file");
	o->path = strdup(path);
	if (!o->path)
		return failed(err, path, -ENOMEM);
	there = !stat(path, &st);
	if (there && S_ISDIR(st.st_mode))
		fd = -EISDIR;
	else if (there && !S_ISREG(st.st_mode))
		fd = sf_open_own(path, O_WRONLY | O_NOCTTY, 0);
	else
		fd = make_temp(o);
	if (fd >= 0)
		o->file = fdopen(fd, "w");
	if (o->file)
		return 0;
	if (fd >= 0) {
		close(fd);
		fd = -ENOMEM;
	}
	sf_outfile_release(o);
	return failed(err, path, fd);
}

int sf_outfile_commit(struct sf_outfile *o, struct sf_error *err)
{
	int ret = 0;

	errno = EIO; /* where stdio remembers the failure but not the reason */
	if (fflush(o->file) || ferror(o->file))
		ret = -errno;
	/* In place it may be a pipe. */
	if (!ret && o->temp && fsync(fileno(o->file)) && errno != EINVAL)
		ret = -errno;
	if (fclose(o->file) && !ret)
		ret = -errno;
	o->file = NULL;
	if (!ret && o->temp && rename(o->temp, o->path))
		ret = -errno;
	if (ret)
		return failed(err, o->path, ret);
	free(o->temp);
	o->temp = NULL;
	return 0;
}

void sf_outfile_release(struct sf_outfile *o)
{
	if (o->file)
		fclose(o->file);
	if (o->temp)
		unlink(o->temp);
	free(o->temp);
	free(o->path);
	memset(o, 0, sizeof(*o));
}
