/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "vmm_socket.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <snapflame/array.h>
#include <snapflame/str.h>

#include "proc.h"

int sf_vmm_connect(const char *path, struct sf_error *err)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct stat st;
	int fd, ret;

	if (strlen(path) >= sizeof(a.sun_path))
		return sf_error_set(err, -ENAMETOOLONG,
				    "%s: a socket's path may have %zu bytes; use a shorter name, or a "
				    "relative one", path, sizeof(a.sun_path) - 1);
	if (stat(path, &st))
		return sf_error_set(err, -errno, "%s: %s", path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return sf_error_set(err, -ENOTSOCK, "%s is not a socket", path);
	memcpy(a.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a))) {
		ret = -errno;
		if (fd >= 0)
			close(fd);
		return sf_error_set(err, ret, "%s: %s", path,
				    ret == -ECONNREFUSED ? "nobody listens there: has the VMM exited?"
				    : ret == -EAGAIN ? "the VMM does not accept connections"
						     : strerror(-ret));
	}
	return fd;
}

/* Listening sockets that were bound to a path with this last component, in one network namespace. */
struct listeners {
	struct listener {
		unsigned long inode;
		char *bound; /* as its process called it */
	} *item;
	size_t nr, alloc;
};

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* "0000000000000000: 00000002 00000000 00010000 0001 01 20045 /run/fc.sock" */
static int add_line(struct listeners *l, const char *line, const char *base)
{
	unsigned flags, type, state;
	unsigned long inode;
	const char *slash;
	char *bound;
	int at = 0;

	if (sscanf(line, "%*x: %*x %*x %x %x %x %lu %n", &flags, &type, &state, &inode, &at) != 4 ||
	    !at || !(flags & 0x10000))
		return 0;
	line += at;
	slash = strrchr(line, '/');
	if (strcmp(slash ? slash + 1 : line, base))
		return 0;
	bound = strdup(line);
	if (!bound || SF_GROW(l->item, l->nr + 1, l->alloc)) {
		free(bound);
		return -ENOMEM;
	}
	l->item[l->nr++] = (struct listener){ inode, bound };
	return 0;
}

static void read_table(struct listeners *l, const char *table, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	FILE *f = fopen(table, "re");

	while (f && (n = getline(&line, &size, f)) > 0) {
		if (line[n - 1] == '\n')
			line[n - 1] = '\0';
		if (add_line(l, line, slash ? slash + 1 : path))
			break;
	}
	free(line);
	if (f)
		fclose(f);
}

/* Is what pid bound the file at path? Many VMMs have an api.sock. */
static bool is_bound_to(pid_t pid, const char *bound, const char *path)
{
	char *theirs;
	bool same;

	if (asprintf(&theirs, "/proc/%d/%s%s", (int)pid, bound[0] == '/' ? "root" : "cwd/", bound) < 0)
		return false;
	same = same_file(path, theirs);
	free(theirs);
	return same;
}

/* Has pid one of them open? With path: one that is there. */
static bool holds(pid_t pid, const struct listeners *l, const char *file)
{
	char dir[64], path[96], link[64];
	bool found = false;
	pid_t *fd;
	int nr;

	snprintf(dir, sizeof(dir), "/proc/%d/fd", (int)pid);
	nr = sf_proc_numbers(dir, &fd);
	for (int i = 0; i < nr && !found; i++) {
		unsigned long inode;
		ssize_t n;

		snprintf(path, sizeof(path), "%s/%d", dir, (int)fd[i]);
		n = readlink(path, link, sizeof(link) - 1);
		link[n > 0 ? n : 0] = '\0';
		if (sscanf(link, "socket:[%lu]", &inode) != 1)
			continue;
		for (size_t k = 0; k < l->nr; k++)
			found |= l->item[k].inode == inode &&
				 (!file || is_bound_to(pid, l->item[k].bound, file));
	}
	if (nr >= 0)
		free(fd);
	return found;
}

/* Of the processes that hold the socket; a child that inherited it comes after its parent. */
static int find_holder(const struct listeners *l, pid_t *pid, const char *path, struct sf_error *err)
{
	struct sf_str list = SF_STR_INIT;
	pid_t *all, first = 0;
	int found = 0, nr = sf_proc_numbers("/proc", &all);

	for (int i = 0; i < nr && l->nr; i++) {
		char stat_path[64], buf[512];
		struct sf_proc_stat st;

		if (!holds(all[i], l, path))
			continue;
		snprintf(stat_path, sizeof(stat_path), "/proc/%d/stat", (int)all[i]);
		if (found && sf_proc_read(stat_path, buf, sizeof(buf)) > 0 &&
		    !sf_proc_parse_stat(buf, &st) && st.ppid == first)
			continue;
		if (!found++)
			first = all[i];
		sf_str_addf(&list, "%s%d", found > 1 ? ", " : "", (int)all[i]);
	}
	if (nr >= 0)
		free(all);
	*pid = first;
	if (found != 1)
		sf_error_set(err, -ESRCH, "%s: %s%s; give the VMM's process with -p", path,
			     found ? "several processes hold the socket: "
				   : "the process that listens cannot be seen from here", list.buf);
	sf_str_release(&list);
	return found == 1 ? 0 : -ESRCH;
}

/*
 * The socket's credentials name who began to listen. He may have handed the socket on and exited, and
 * his number may be another's by now: then he does not hold it.
 */
int sf_vmm_owner(const char *path, int fd, pid_t *pid, struct sf_error *err)
{
	struct ucred cred = { 0 };
	socklen_t len = sizeof(cred);
	struct listeners l = { 0 };
	char table[64] = "/proc/net/unix";
	bool known;
	int ret = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		cred.pid = 0;
	known = cred.pid > 0 && sf_proc_alive(cred.pid);
	/* His network namespace may be another, with a table of its own. */
	if (known)
		snprintf(table, sizeof(table), "/proc/%d/net/unix", (int)cred.pid);
	read_table(&l, table, path);
	if (known && (!l.nr || holds(cred.pid, &l, NULL) || geteuid()))
		*pid = cred.pid;
	else
		ret = find_holder(&l, pid, path, err);
	for (size_t i = 0; i < l.nr; i++)
		free(l.item[i].bound);
	free(l.item);
	return ret;
}

/*
 * Our /srv/jail/root/run is the VMM's /run: the first of ever shorter ends of name that is the
 * directory dir below its root. NULL where none is.
 */
static char *below_root(const char *dir, const char *name, pid_t pid)
{
	for (const char *p = strchr(name, '/'); p; p = strchr(p + 1, '/')) {
		char *theirs;
		bool same;

		if (asprintf(&theirs, "/proc/%d/root%s", (int)pid, p) < 0)
			return NULL;
		same = same_file(dir, theirs);
		free(theirs);
		if (same)
			return strdup(p);
	}
	return NULL;
}

static char *root_itself(const char *dir, pid_t pid)
{
	char root[64];

	snprintf(root, sizeof(root), "/proc/%d/root", (int)pid);
	return same_file(dir, root) ? strdup("/") : NULL;
}

int sf_vmm_view_dir(const char *path, pid_t pid, char **dir, struct sf_error *err)
{
	char *given = NULL, *full, *slash = strrchr(path, '/');
	int ret = 0;

	*dir = NULL;
	if (asprintf(&given, "%.*s/", slash ? (int)(slash - path) : 1, slash ? path : ".") < 0)
		return sf_error_set(err, -ENOMEM, "out of memory");
	full = realpath(given, NULL);
	if (full)
		*dir = below_root(given, full, pid);
	/* /proc/PID/root/run: what it resolves to is another's. */
	if (given[strlen(given) - 1] == '/')
		given[strlen(given) - 1] = '\0';
	if (!*dir)
		*dir = below_root(*given ? given : "/", given, pid);
	if (!*dir)
		*dir = root_itself(*given ? given : "/", pid);
	if (!*dir)
		ret = sf_error_set(err, -ENOENT,
				   "process %d does not see %s; name a directory for the snapshots "
				   "that it sees with --snapshot-dir", (int)pid, given);
	free(given);
	free(full);
	return ret;
}

char *sf_vmm_our_path(pid_t pid, const char *name)
{
	char *path, *theirs, *ours = strdup(name), *slash = ours ? strrchr(ours, '/') : NULL;

	if (!slash || asprintf(&path, "/proc/%d/%s%s", (int)pid, name[0] == '/' ? "root" : "cwd/",
			       name) < 0) {
		free(ours);
		return NULL;
	}
	/* Where it sees what we see, the plain name reads better. The file need not be there yet. */
	theirs = strdup(path);
	*slash = '\0';
	if (theirs) {
		*strrchr(theirs, '/') = '\0';
		if (name[0] == '/' && same_file(*ours ? ours : "/", theirs)) {
			free(path);
			path = strdup(name);
		}
	}
	free(theirs);
	free(ours);
	return path;
}
