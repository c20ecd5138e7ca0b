/* SPDX-License-Identifier: GPL-2.0-only */
/* libperf keeps its descriptors, ids and buffers to itself; /proc/self shows them. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <snapflame/array.h>

#include "events_impl.h"

/* Descriptors of perf events that this process has: libperf does not tell its own. */
size_t sf_perf_fds(int **fd, size_t *alloc)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;
	size_t nr = 0;
	char link[64];

	if (!d)
		return 0;
	while ((e = readdir(d))) {
		ssize_t n = readlinkat(dirfd(d), e->d_name, link, sizeof(link) - 1);

		if (n <= 0)
			continue;
		link[n] = '\0';
		if (!strcmp(link, "anon_inode:[perf_event]") && !SF_GROW(*fd, nr + 1, *alloc))
			(*fd)[nr++] = atoi(e->d_name);
	}
	closedir(d);
	return nr;
}

/* The descriptors that came with ev, their ids, and what libperf forgets: close-on-exec. */
int sf_perf_take_fds(struct sf_perf_event *ev, const int *before, size_t nr_before)
{
	int *now = NULL, ret = 0;
	size_t alloc = 0, nr = sf_perf_fds(&now, &alloc), k = 0;

	/* Both in ascending order, as /proc lists them. */
	for (size_t i = 0; i < nr && !ret; i++) {
		while (k < nr_before && before[k] < now[i])
			k++;
		if (k < nr_before && before[k] == now[i])
			continue;
		fcntl(now[i], F_SETFD, FD_CLOEXEC);
		if (SF_GROW(ev->fd, ev->nr + 1, ev->alloc) ||
		    SF_GROW(ev->id, ev->nr + 1, ev->id_alloc)) {
			ret = -ENOMEM;
		} else if (ioctl(now[i], PERF_EVENT_IOC_ID, &ev->id[ev->nr])) {
			ret = -errno;
		} else {
			ev->fd[ev->nr++] = now[i];
		}
	}
	free(now);
	return ret;
}

/* Rings that libperf mapped, as /proc/self/maps shows them; libperf has no call for them. */
int sf_perf_find_rings(struct sf_events *e)
{
	FILE *f = fopen("/proc/self/maps", "re");
	unsigned long from, to;
	char line[512];
	int ret = 0;

	if (!f)
		return -errno;
	e->nr_rings = 0;
	while (!ret && fgets(line, sizeof(line), f)) {
		if (!strstr(line, "anon_inode:[perf_event]") ||
		    sscanf(line, "%lx-%lx", &from, &to) != 2)
			continue;
		if (SF_GROW(e->ring, e->nr_rings + 1, e->rings_alloc))
			ret = -ENOMEM;
		else
			e->ring[e->nr_rings++] = (struct sf_ring){
				.page = (struct perf_event_mmap_page *)from,
				.size = to - from,
			};
	}
	fclose(f);
	return ret;
}
