/* SPDX-License-Identifier: GPL-2.0-only */
#include "cgroup.h"

#include "util.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

void cgroup_enter(struct cgroup *g, const char *controller)
{
	char root[200], path[300], text[64];

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
	snprintf(text, sizeof(text), "%d", (int)getpid());
	cgroup_set(g, "cgroup.procs", text);
}

void cgroup_leave(struct cgroup *g)
{
	char path[300];

	if (!g->version)
		return;
	snprintf(path, sizeof(path), "%s/../cgroup.procs", g->path);
	write_text(path, "%d", (int)getpid());
	/* The kernel may need a moment to see that it is empty. */
	for (unsigned try = 0; rmdir(g->path) && errno == EBUSY && try < 50; try++)
		sleep_ns(MS_TO_NS(10));
	g->version = 0;
}
