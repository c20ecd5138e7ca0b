/* SPDX-License-Identifier: GPL-2.0-only */
/* Files that a BRANCH writes: how large they are, and how scattered. */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "covariates.h"
#include "mark_list.h"
#include "mounts.h"
#include "tracefs.h"

enum { FILES_MAX = 64 };

struct files {
	json_t *list;
	struct sf_str mounts; /* mountinfo */
};

/* How many extents the file lies in; -1 where its file system does not say. */
static int64_t extents(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct fiemap map = { .fm_length = FIEMAP_MAX_OFFSET };
	int ret;

	if (fd < 0)
		return -1;
	ret = ioctl(fd, FS_IOC_FIEMAP, &map);
	close(fd);
	return ret ? -1 : (int64_t)map.fm_mapped_extents;
}

static bool listed(const json_t *list, const char *name, size_t len)
{
	const json_t *o;
	size_t i;

	json_array_foreach(list, i, o) {
		const json_t *p = json_object_get(o, "path");

		if (json_string_length(p) == len && !memcmp(json_string_value(p), name, len))
			return true;
	}
	return false;
}

static void set_known(json_t *o, const char *key, const char *text)
{
	if (*text)
		json_object_set_new(o, key, sf_json_text(text, strlen(text)));
}

/* The regular file at path, called name; programs and scripts are no snapshots. */
static void add_file(struct files *f, const char *path, const char *name, size_t len, bool named)
{
	json_t *list = f->list;
	struct sf_place place;
	struct stat st;
	int64_t nr;
	json_t *o;

	if (json_array_size(list) >= FILES_MAX || stat(path, &st) || !S_ISREG(st.st_mode) ||
	    st.st_mode & S_IXUSR || listed(list, name, len))
		return;
	nr = extents(path);
	o = json_pack("{s:o, s:I, s:I}", "path", sf_json_text(name, len), "bytes",
		      (json_int_t)st.st_size, "allocated_bytes", (json_int_t)st.st_blocks * 512);
	if (o && nr >= 0)
		json_object_set_new(o, "extents", json_integer(nr));
	if (!o)
		return;
	if (named)
		json_object_set_new(o, "named", json_true());
	sf_place_of(&place, f->mounts.buf, st.st_dev);
	set_known(o, "fs", place.fs);
	set_known(o, "disk", place.disk);
	set_known(o, "disk_model", place.model);
	json_array_append_new(list, o);
}

/* Of the links in /proc/PID/fd the mode says how the file was opened. */
static void add_open(struct files *f, pid_t pid)
{
	char dir[64], path[PATH_MAX], name[PATH_MAX];
	struct dirent *e;
	struct stat st;
	ssize_t n;
	DIR *d;

	snprintf(dir, sizeof(dir), "/proc/%d/fd", (int)pid);
	d = opendir(dir);
	while (d && (e = readdir(d))) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (lstat(path, &st) || !(st.st_mode & S_IWUSR))
			continue;
		n = readlink(path, name, sizeof(name));
		if (n > 0)
			add_file(f, path, name, (size_t)n, false);
	}
	if (d)
		closedir(d);
}

/* "/a/file", and the right side of "--mem=/a/file" */
static void add_words(struct files *f, char *const *word)
{
	for (size_t i = 1; word && word[0] && word[i]; i++) {
		const char *slash = strchr(word[i], '/');

		if (slash && (slash == word[i] || slash[-1] == '='))
			add_file(f, slash, slash, strlen(slash), true);
	}
}

static void add_reply(struct files *f, const json_t *reply)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)reply, key, v) {
		const char *text = json_string_value(v);

		if (text && text[0] == '/')
			add_file(f, text, text, strlen(text), true);
	}
}

json_t *sf_covariates_files(pid_t pid, char *const *word, const json_t *reply)
{
	struct files f = { .list = json_array(), .mounts = SF_STR_INIT };
	char path[64];

	if (!f.list)
		return NULL;
	/* The VMM may be in a namespace of its own; who is not allowed to look has ours. */
	snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)pid);
	if (sf_read_at(AT_FDCWD, path, &f.mounts))
		sf_read_at(AT_FDCWD, "/proc/self/mountinfo", &f.mounts);
	add_words(&f, word);
	add_reply(&f, reply);
	add_open(&f, pid);
	sf_str_release(&f.mounts);
	return f.list;
}
