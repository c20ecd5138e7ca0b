/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proc.h"
#include "tracefs.h"

static bool in_list(const char *list, size_t len, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; p + n <= list + len; p += strcspn(p, ",") + 1) {
		if (!strncmp(p, word, n) && (p + n == list + len || p[n] == ','))
			return true;
	}
	return false;
}

/* Where the hierarchy is mounted; controller "" is version 2. The first word that fits wins. */
static int mount_point(const char *controller, struct sf_str *path)
{
	char line[4096], point[1024], type[64], options[1024];
	FILE *f = fopen("/proc/self/mounts", "re");
	int ret = -ENOENT;

	if (!f)
		return -errno;
	while (ret && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %1023s %63s %1023s", point, type, options) != 3)
			continue;
		if (*controller ? !strcmp(type, "cgroup") &&
					  in_list(options, strlen(options), controller)
				: !strcmp(type, "cgroup2")) {
			sf_str_add(path, point);
			ret = 0;
		}
	}
	fclose(f);
	return ret;
}

/* Lines of /proc/PID/cgroup: "4:cpu,cpuacct:/path", and "0::/path" for version 2. */
static const char *find_line(const char *text, const char *controller, size_t *len)
{
	for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		const char *list = strchr(p, ':'), *where = list ? strchr(list + 1, ':') : NULL;

		if (!where)
			return NULL;
		list++;
		if (*controller ? in_list(list, (size_t)(where - list), controller)
				: list == where) {
			*len = strcspn(where + 1, "\n");
			return where + 1;
		}
	}
	return NULL;
}

static int locate(const char *text, const char *controller, struct sf_str *path, size_t *mount)
{
	size_t len;
	const char *where = find_line(text, controller, &len);
	int ret;

	if (!where)
		return -ENOENT;
	ret = mount_point(controller, path);
	if (!ret) {
		*mount = path->len;
		sf_str_addn(path, where, len);
	}
	return ret;
}

int sf_cgroup_mount(const char *controller, struct sf_str *path)
{
	int ret = mount_point(controller, path);

	return ret ? mount_point("", path) : 0;
}

int sf_cgroup_path(pid_t pid, pid_t tid, const char *controller, struct sf_str *path, size_t *mount)
{
	struct sf_str text = SF_STR_INIT;
	size_t at = 0;
	char file[64];
	int ret;

	snprintf(file, sizeof(file), "/proc/%d/task/%d/cgroup", (int)pid, (int)tid);
	ret = sf_read_at(AT_FDCWD, file, &text);
	if (!ret) {
		ret = locate(text.buf, controller, path, &at);
		if (ret)
			ret = locate(text.buf, "", path, &at);
	}
	if (mount)
		*mount = at;
	sf_str_release(&text);
	return ret;
}

static bool read_in(const char *dir, const char *name, char *buf, size_t size)
{
	struct sf_str path = SF_STR_INIT;
	bool ok;

	sf_str_addf(&path, "%s/%s", dir, name);
	ok = !sf_str_failed(&path) && sf_proc_read(path.buf, buf, size) > 0;
	sf_str_release(&path);
	return ok;
}

/* "50000 100000" or "max 100000" in version 2's cpu.max; two files in version 1, -1 for all. */
int sf_cgroup_quota(const char *dir, double *cpus)
{
	long long quota = -1, period = 0;
	char buf[64];

	if (read_in(dir, "cpu.max", buf, sizeof(buf))) {
		if (sscanf(buf, "%lld %lld", &quota, &period) != 2)
			quota = -1;
	} else if (read_in(dir, "cpu.cfs_quota_us", buf, sizeof(buf))) {
		quota = strtoll(buf, NULL, 10);
		if (quota > 0 && read_in(dir, "cpu.cfs_period_us", buf, sizeof(buf)))
			period = strtoll(buf, NULL, 10);
	} else {
		return -ENOENT;
	}
	*cpus = quota > 0 && period > 0 ? (double)quota / (double)period : 0;
	return 0;
}
