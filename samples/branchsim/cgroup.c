/* SPDX-License-Identifier: GPL-2.0-only */
#include "cgroup.h"

#include "util.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PERIOD_US = 20000 };

static int has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = text; (p = strstr(p, word)); p += len)
		if ((p == text || p[-1] == ' ') && (!p[len] || p[len] == ' '))
			return 1;
	return 0;
}

/* Where groups of that controller are made: its version, or 0. */
static int find_root(const char *controller, char *root, size_t size)
{
	static const char *const unified[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	char path[300], text[256];

	snprintf(root, size, "/sys/fs/cgroup/%s", controller);
	snprintf(path, sizeof(path), "%s/tasks", root);
	if (!access(path, F_OK))
		return 1;
	for (size_t i = 0; i < ARRAY_SIZE(unified); i++) {
		snprintf(path, sizeof(path), "%s/cgroup.controllers", unified[i]);
		if (!read_text(path, text, sizeof(text)) && has_word(text, controller)) {
			snprintf(root, size, "%s", unified[i]);
			return 2;
		}
	}
	return 0;
}

const char *cgroup_probe(const char *controller)
{
	char root[200];

	if (!find_root(controller, root, sizeof(root)))
		return "no cgroup controller for it";
	return access(root, W_OK) ? "it takes the right to make cgroups" : NULL;
}

void cgroup_set(struct cgroup *g, const char *file, const char *text)
{
	char path[300];
	int err;

	snprintf(path, sizeof(path), "%s/%s", g->path, file);
	err = write_text(path, "%s", text);
	if (err)
		die("%s: %s", path, strerror(-err));
}

static void make(struct cgroup *g, const char *controller)
{
	char root[200], path[300];

	g->version = find_root(controller, root, sizeof(root));
	if (!g->version)
		die("no cgroup controller is called %s", controller);
	if (g->version == 2) {
		snprintf(path, sizeof(path), "%s/cgroup.subtree_control", root);
		write_text(path, "+%s", controller); /* may be on already: mkdir's files tell */
	}
	snprintf(g->path, sizeof(g->path), "%s/branchsim-%d", root, (int)getpid());
	if (mkdir(g->path, 0755))
		die("%s: %s", g->path, strerror(errno));
	g->inner[0] = '\0';
}

void cgroup_limit_cpu(struct cgroup *g, double cpus)
{
	int quota = (int)(PERIOD_US * cpus);
	char text[64];

	if (g->version == 1) {
		snprintf(text, sizeof(text), "%d", PERIOD_US);
		cgroup_set(g, "cpu.cfs_period_us", text);
		snprintf(text, sizeof(text), "%d", quota);
		cgroup_set(g, "cpu.cfs_quota_us", text);
	} else {
		snprintf(text, sizeof(text), "%d %d", quota, PERIOD_US);
		cgroup_set(g, "cpu.max", text);
	}
}

static void move_into(const char *dir, pid_t pid)
{
	char path[300];
	int err;

	snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	err = write_text(path, "%d", (int)pid);
	if (err)
		die("%s: %s", path, strerror(-err));
}

void cgroup_enter(struct cgroup *g, const char *controller)
{
	make(g, controller);
	move_into(g->path, getpid());
}

void cgroup_enter_below(struct cgroup *g, const char *controller)
{
	make(g, controller);
	if (g->version == 2) {
		char text[64];

		snprintf(text, sizeof(text), "+%s", controller);
		cgroup_set(g, "cgroup.subtree_control", text);
	}
	snprintf(g->inner, sizeof(g->inner), "%s/vm", g->path);
	if (mkdir(g->inner, 0755))
		die("%s: %s", g->inner, strerror(errno));
	move_into(g->inner, getpid());
}

/* The kernel may need a moment to see that it is empty. */
static void away(const char *dir)
{
	for (unsigned try = 0; rmdir(dir) && errno == EBUSY && try < 50; try++)
		sleep_ns(MS_TO_NS(10));
}

void cgroup_leave(struct cgroup *g)
{
	char path[300];

	if (!g->version)
		return;
	snprintf(path, sizeof(path), "%s/../cgroup.procs", g->path);
	write_text(path, "%d", (int)getpid());
	if (g->inner[0])
		away(g->inner);
	away(g->path);
	g->version = 0;
}
