/* SPDX-License-Identifier: GPL-2.0-only */
/* A control group for this process, in either version of the interface. Takes root. */
#ifndef BRANCHSIM_CGROUP_H
#define BRANCHSIM_CGROUP_H

struct cgroup {
	int version; /* 1 or 2; 0: there is none */
	char path[256];
	char inner[280]; /* a group below it that has the process, "" */
};

/* Why no group of that controller ("cpu") can be made, or NULL. */
const char *cgroup_probe(const char *controller);

/* Make the group branchsim-PID and move this process into it; dies on failure. */
void cgroup_enter(struct cgroup *g, const char *controller);

/* The same, and the process is in the group vm below it, which has no limit of its own. */
void cgroup_enter_below(struct cgroup *g, const char *controller);

/* Back to the parent's group, and away with what was made. Harmless where there is none. */
void cgroup_leave(struct cgroup *g);

/* So many CPUs for all of it, and for what is below it. */
void cgroup_limit_cpu(struct cgroup *g, double cpus);

/* Write to one of the group's files; dies on failure. */
void cgroup_set(struct cgroup *g, const char *file, const char *text);

#endif
