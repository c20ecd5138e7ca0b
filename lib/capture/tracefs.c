/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "tracefs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int sf_read_at(int dir, const char *path, struct sf_str *out)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC), ret = 0;
	char buf[4096];
	ssize_t n;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, buf, sizeof(buf)))) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			ret = -errno;
			break;
		}
		sf_str_addn(out, buf, (size_t)n);
	}
	close(fd);
	return ret ? ret : sf_str_failed(out) ? -ENOMEM : 0;
}

int sf_write_at(int dir, const char *path, const char *text)
{
	int fd = openat(dir, path, O_WRONLY | O_CLOEXEC), ret = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	do
		n = write(fd, text, strlen(text));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static int open_dir(const char *path)
{
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir >= 0 && faccessat(dir, "events/header_page", R_OK, 0)) {
		close(dir);
		dir = -1;
	}
	return dir;
}

/* A mount that is attached to no name: opening it changes nothing for anybody. */
static int open_detached(void)
{
#ifdef SYS_fsopen
	int fs = (int)syscall(SYS_fsopen, "tracefs", 1 /* FSOPEN_CLOEXEC */), dir = -1;

	if (fs < 0)
		return -1;
	if (!syscall(SYS_fsconfig, fs, 6 /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0))
		dir = (int)syscall(SYS_fsmount, fs, 1 /* FSMOUNT_CLOEXEC */, 0);
	close(fs);
	if (dir >= 0 && faccessat(dir, "events/header_page", R_OK, 0)) {
		close(dir);
		dir = -1;
	}
	return dir;
#else
	return -1;
#endif
}

int sf_tracefs_open(struct sf_tracefs *t, struct sf_error *err)
{
	static const char *const place[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };

	t->dir = -1;
	for (size_t i = 0; i < 2 && t->dir < 0; i++)
		t->dir = open_dir(place[i]);
	if (t->dir < 0)
		t->dir = open_detached();
	if (t->dir >= 0)
		return 0;
	if (geteuid())
		return sf_error_set(err, -EACCES, "tracefs is for root only; record as root");
	return sf_error_set(err, -ENOENT,
			    "there is no tracefs; run: mount -t tracefs nodev /sys/kernel/tracing");
}

void sf_tracefs_close(struct sf_tracefs *t)
{
	if (t->dir >= 0)
		close(t->dir);
	t->dir = -1;
}

/* "sched:sched_switch" -> "events/sched/sched_switch/<file>" */
static int event_path(char *path, size_t size, const char *event, const char *file)
{
	const char *colon = strchr(event, ':');
	int n;

	if (!colon)
		return -EINVAL;
	n = snprintf(path, size, "events/%.*s/%s/%s", (int)(colon - event), event, colon + 1, file);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

int sf_tracefs_id(const struct sf_tracefs *t, const char *event)
{
	struct sf_str s = SF_STR_INIT;
	char path[PATH_MAX];
	int ret;

	if (t->dir < 0)
		return -ENOENT;
	ret = event_path(path, sizeof(path), event, "id");
	if (!ret)
		ret = sf_read_at(t->dir, path, &s);
	if (!ret)
		ret = atoi(s.buf) > 0 ? atoi(s.buf) : -EINVAL;
	sf_str_release(&s);
	return ret;
}

/* A u64 length and the content. */
static int add_sized(const struct sf_tracefs *t, const char *path, struct sf_str *data)
{
	struct sf_str s = SF_STR_INIT;
	int ret = sf_read_at(t->dir, path, &s);
	uint64_t len = s.len;

	if (!ret) {
		sf_str_addn(data, &len, sizeof(len));
		sf_str_addn(data, s.buf, s.len);
	}
	sf_str_release(&s);
	return ret;
}

static bool same_system(const char *a, const char *b)
{
	size_t n = strcspn(a, ":");

	return n == strcspn(b, ":") && !strncmp(a, b, n);
}

/* The formats of all events of event[first]'s system. */
static int add_system(const struct sf_tracefs *t, const char *const *event, size_t nr, size_t first,
		      struct sf_str *data)
{
	uint32_t count = 0;
	char path[PATH_MAX];
	int ret = 0;

	for (size_t i = first; i < nr; i++)
		count += same_system(event[i], event[first]);
	sf_str_addn(data, event[first], strcspn(event[first], ":"));
	sf_str_addch(data, '\0');
	sf_str_addn(data, &count, sizeof(count));
	for (size_t i = first; i < nr && !ret; i++) {
		if (!same_system(event[i], event[first]))
			continue;
		ret = event_path(path, sizeof(path), event[i], "format");
		if (!ret)
			ret = add_sized(t, path, data);
	}
	return ret;
}

static bool first_of_system(const char *const *event, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (same_system(event[k], event[i]))
			return false;
	}
	return true;
}

int sf_tracefs_data(const struct sf_tracefs *t, const char *const *event, size_t nr,
		    struct sf_str *data)
{
	static const char magic[] = "\x17\x08\x44" "tracing" "0.6";
	const uint32_t probe = 1, none = 0, page = (uint32_t)sysconf(_SC_PAGESIZE);
	const char head[2] = { *(const char *)&probe == 0, sizeof(long) }; /* big endian? */
	const uint64_t no_cmdlines = 0;
	uint32_t systems = 0;
	int ret;

	sf_str_addn(data, magic, sizeof(magic));
	sf_str_addn(data, head, sizeof(head));
	sf_str_addn(data, &page, sizeof(page));
	sf_str_addn(data, "header_page", 12);
	ret = add_sized(t, "events/header_page", data);
	sf_str_addn(data, "header_event", 13);
	if (!ret)
		ret = add_sized(t, "events/header_event", data);
	sf_str_addn(data, &none, sizeof(none)); /* formats of ftrace's own events */
	for (size_t i = 0; i < nr; i++)
		systems += first_of_system(event, i);
	sf_str_addn(data, &systems, sizeof(systems));
	for (size_t i = 0; i < nr && !ret; i++) {
		if (first_of_system(event, i))
			ret = add_system(t, event, nr, i, data);
	}
	sf_str_addn(data, &none, sizeof(none)); /* kallsyms */
	sf_str_addn(data, &none, sizeof(none)); /* printk formats */
	sf_str_addn(data, &no_cmdlines, sizeof(no_cmdlines));
	return ret ? ret : sf_str_failed(data) ? -ENOMEM : 0;
}
