/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "mounts.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "proc.h"

/* "36 35 254:1 / /data rw,noatime shared:1 - ext4 /dev/vda1 rw": the word behind " - ". */
static void find_fs(char *fs, size_t size, const char *mounts, unsigned major, unsigned minor)
{
	char want[32];
	size_t n = (size_t)snprintf(want, sizeof(want), " %u:%u ", major, minor);

	for (const char *line = mounts; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *end = line + strcspn(line, "\n"), *id, *type;

		id = memmem(line, (size_t)(end - line), want, n);
		type = id ? memmem(id, (size_t)(end - id), " - ", 3) : NULL;
		if (!type)
			continue;
		snprintf(fs, size, "%.*s", (int)strcspn(type + 3, " \n"), type + 3);
		return;
	}
}

/* /sys/dev/block/254:1 leads to …/block/vda/vda1, and a partition's disk is the folder above. */
static void find_disk(struct sf_place *p, unsigned major, unsigned minor)
{
	char link[64], real[PATH_MAX], path[PATH_MAX + 32], *name;
	ssize_t n;

	snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major, minor);
	if (!realpath(link, real))
		return;
	snprintf(path, sizeof(path), "%s/partition", real);
	name = strrchr(real, '/');
	if (!access(path, F_OK) && name)
		*name = '\0';
	name = strrchr(real, '/');
	if (name)
		snprintf(p->disk, sizeof(p->disk), "%.63s", name + 1);
	snprintf(path, sizeof(path), "%s/device/model", real);
	n = sf_proc_read(path, p->model, sizeof(p->model));
	while (n > 0 && (p->model[n - 1] == '\n' || p->model[n - 1] == ' '))
		p->model[--n] = '\0';
	if (n < 0)
		p->model[0] = '\0';
}

void sf_place_of(struct sf_place *p, const char *mounts, dev_t dev)
{
	*p = (struct sf_place){ .fs = "" };
	find_fs(p->fs, sizeof(p->fs), mounts, major(dev), minor(dev));
	find_disk(p, major(dev), minor(dev));
}
