/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Work for a disk that takes a given time, whatever the disk's speed: what grows is how often the
 * disk is asked, so a pause has the same length on a fast one and a slow one.
 */
#ifndef BRANCHSIM_DISK_WORK_H
#define BRANCHSIM_DISK_WORK_H

#include "util.h"

#include <fcntl.h>

/* Large, so that the time is the disk's rather than that of handing requests to it. */
#define DISK_BLOCK (256u << 10)

struct disk_file {
	int fd;
	unsigned blocks; /* how many DISK_BLOCKs it has */
	unsigned turn;
	char *buf;       /* one block, aligned for O_DIRECT */
};

/* Why direct reads cannot be had in that directory (NULL: unknown yet), or NULL. */
const char *disk_probe_direct(const char *dir);

/* Create; the name is gone at once, the file when it is closed. Dies on failure. */
void disk_open(struct disk_file *f, const char *dir, const char *name, int flags);

/* The same with O_DIRECT, filled with so many MB that are on the disk when it returns. */
void disk_fill(struct disk_file *f, const char *dir, const char *name, unsigned mb);

/* Append small blocks with an fsync each until that time is over. */
void disk_fsync_for(struct disk_file *f, double ms);

/* Read blocks all over the file until that time is over, or until that much was read. */
void disk_read_for(struct disk_file *f, double ms);
void disk_read_mb(struct disk_file *f, double mb);

#endif
