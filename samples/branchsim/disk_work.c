/* SPDX-License-Identifier: GPL-2.0-only */
#include "disk_work.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#define TMPFS 0x01021994

void disk_open(struct disk_file *f, const char *dir, const char *name, int flags)
{
	char *path = xasprintf("%s/%s", dir, name);

	memset(f, 0, sizeof(*f));
	f->fd = open(path, flags | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (f->fd < 0)
		die("%s: %s", path, strerror(errno));
	unlink(path);
	if (posix_memalign((void **)&f->buf, 4096, DISK_BLOCK))
		die("out of memory");
	memset(f->buf, 0x5a, DISK_BLOCK);
	free(path);
}

const char *disk_probe_direct(const char *dir)
{
	struct statfs fs;
	char *path;
	int fd;

	if (!dir)
		return NULL;
	if (!statfs(dir, &fs) && fs.f_type == TMPFS)
		return "the directory is in memory: --dir must be on a disk";
	path = xasprintf("%s/direct", dir);
	fd = open(path, O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC, 0600);
	unlink(path);
	free(path);
	if (fd < 0)
		return "the directory's file system has no O_DIRECT";
	close(fd);
	return NULL;
}

void disk_fill(struct disk_file *f, const char *dir, const char *name, unsigned mb)
{
	disk_open(f, dir, name, O_RDWR | O_DIRECT);
	f->blocks = (mb << 20) / DISK_BLOCK;
	for (unsigned i = 0; i < f->blocks; i++)
		if (pwrite(f->fd, f->buf, DISK_BLOCK, (off_t)i * DISK_BLOCK) != DISK_BLOCK)
			die("%s: %s", name, strerror(errno));
	if (fsync(f->fd))
		die("%s: %s", name, strerror(errno));
}

void disk_fsync_for(struct disk_file *f, double ms)
{
	uint64_t end = now_ns() + (uint64_t)MS_TO_NS(ms);

	while (now_ns() < end) {
		if (pwrite(f->fd, f->buf, 4096, (off_t)f->turn++ * 4096) != 4096 || fsync(f->fd))
			die("fsync: %s", strerror(errno));
	}
}

/* An odd step visits all blocks, none next to the one before. */
static void read_one(struct disk_file *f)
{
	off_t block = (off_t)(f->turn++ * 37u % f->blocks);

	if (pread(f->fd, f->buf, DISK_BLOCK, block * DISK_BLOCK) != DISK_BLOCK)
		die("read: %s", strerror(errno));
}

void disk_read_for(struct disk_file *f, double ms)
{
	uint64_t end = now_ns() + (uint64_t)MS_TO_NS(ms);

	while (now_ns() < end)
		read_one(f);
}

void disk_read_mb(struct disk_file *f, double mb)
{
	for (double done = 0; done < mb * (1 << 20); done += DISK_BLOCK)
		read_one(f);
}
