/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "throttled.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "proc.h"
#include "tracefs.h"

enum { MAX_DEPTH = 32, MAX_CGROUPS = 4096 };

/* ns in dir/cpu.stat: throttled_usec of version 2, throttled_time of version 1; -1: it has none. */
static int64_t own_count(const char *dir)
{
	struct sf_str file = SF_STR_INIT;
	char buf[1024];
	const char *p;
	int64_t ns = -1;

	sf_str_addf(&file, "%s/cpu.stat", dir);
	if (!sf_str_failed(&file) && sf_proc_read(file.buf, buf, sizeof(buf)) > 0) {
		if ((p = strstr(buf, "throttled_usec ")))
			ns = strtoll(p + 15, NULL, 10) * 1000;
		else if ((p = strstr(buf, "throttled_time ")))
			ns = strtoll(p + 15, NULL, 10);
	}
	sf_str_release(&file);
	return ns;
}

static void cut(struct sf_str *path, size_t len)
{
	path->len = len;
	path->buf[len] = '\0';
}

int64_t sf_throttled_upwards(struct sf_str *path, size_t mount, sf_throttled_fn fn, void *arg)
{
	int64_t sum = -1;

	if (sf_str_failed(path) || !path->len || path->len < mount)
		return -1;
	while (path->len > mount && path->buf[path->len - 1] == '/')
		cut(path, path->len - 1);
	for (;;) {
		int64_t ns = own_count(path->buf);
		const char *slash = strrchr(path->buf + mount, '/');

		if (ns >= 0)
			sum = (sum < 0 ? 0 : sum) + ns;
		if (ns >= 0 && fn && slash)
			fn(arg, path->buf + mount, ns);
		if (!slash)
			break;
		cut(path, (size_t)(slash - path->buf));
	}
	sf_str_reset(path);
	return sum;
}

int64_t sf_throttled_of(pid_t pid, pid_t tid, sf_throttled_fn fn, void *arg)
{
	struct sf_str path = SF_STR_INIT;
	size_t mount;
	int64_t ns = -1;

	if (!sf_cgroup_path(pid, tid, "cpu", &path, &mount))
		ns = sf_throttled_upwards(&path, mount, fn, arg);
	sf_str_release(&path);
	return ns;
}

int64_t sf_throttled_next(struct sf_throttled *t, pid_t pid, pid_t tid)
{
	struct sf_str now = SF_STR_INIT;
	char file[64];

	snprintf(file, sizeof(file), "/proc/%d/task/%d/cgroup", (int)pid, (int)tid);
	if (sf_read_at(AT_FDCWD, file, &now)) {
		sf_str_release(&now);
		return -1;
	}
	if (now.len == t->cgroup.len && !memcmp(now.buf, t->cgroup.buf, now.len)) {
		sf_str_release(&now);
		return t->ns;
	}
	sf_str_release(&t->cgroup);
	t->cgroup = now;
	t->ns = sf_throttled_of(pid, tid, NULL, NULL);
	return t->ns;
}

void sf_throttled_release(struct sf_throttled *t)
{
	sf_str_release(&t->cgroup);
}

/* Only the counts of groups with a quota are read: reading one makes version 2 add up all CPUs. */
static void descend(struct sf_str *path, int depth, int *left, int64_t *sum)
{
	size_t len = path->len;
	DIR *d = depth < MAX_DEPTH && --*left >= 0 ? opendir(path->buf) : NULL;
	double cpus = 0;
	bool known = d && !sf_cgroup_quota(path->buf, &cpus);
	int64_t ns = cpus > 0 ? own_count(path->buf) : -1;
	struct dirent *e;

	if (known && *sum < 0)
		*sum = 0;
	if (ns > 0)
		*sum += ns;
	while (d && (e = readdir(d))) {
		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		sf_str_addf(path, "/%s", e->d_name);
		if (sf_str_failed(path))
			break;
		descend(path, depth + 1, left, sum);
		cut(path, len);
	}
	if (d)
		closedir(d);
}

int64_t sf_throttled_below(const char *path)
{
	struct sf_str dir = SF_STR_INIT;
	int left = MAX_CGROUPS;
	int64_t sum = -1;

	sf_str_add(&dir, path);
	if (!sf_str_failed(&dir))
		descend(&dir, 0, &left, &sum);
	sf_str_release(&dir);
	return left < 0 ? -1 : sum;
}

int64_t sf_throttled_machine(void)
{
	struct sf_str path = SF_STR_INIT;
	int64_t ns = -1;

	if (!sf_cgroup_mount("cpu", &path))
		ns = sf_throttled_below(path.buf);
	sf_str_release(&path);
	return ns;
}
