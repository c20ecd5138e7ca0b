/* SPDX-License-Identifier: GPL-2.0-only */
#include "sleepers.h"

#include <stdio.h>
#include <stdlib.h>

#include "proc.h"

enum { STACK_SIZE = 8192 };

static bool asleep(pid_t pid)
{
	struct sf_proc_stat st;
	char path[64], buf[512];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	return sf_proc_read(path, buf, sizeof(buf)) > 0 && !sf_proc_parse_stat(buf, &st) && st.state == 'D';
}

void sf_sleepers(pid_t target, sf_sleeper_fn fn, void *arg)
{
	char path[64], stack[STACK_SIZE];
	pid_t *pid = NULL;
	int nr = sf_proc_numbers("/proc", &pid);

	for (int i = 0; i < nr; i++) {
		ssize_t n;

		if (pid[i] == target || !asleep(pid[i]))
			continue;
		snprintf(path, sizeof(path), "/proc/%d/stack", (int)pid[i]);
		n = sf_proc_read(path, stack, sizeof(stack));
		/* Awake meanwhile: the stack is of something else. */
		if (n > 0 && asleep(pid[i]))
			fn(arg, pid[i], stack, (size_t)n);
	}
	free(pid);
}
