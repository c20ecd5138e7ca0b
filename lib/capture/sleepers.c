/* SPDX-License-Identifier: GPL-2.0-only */
#include "sleepers.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "proc.h"

enum { STACK_SIZE = 8192, KTHREADD = 2 };

static const char *file_of(const struct sf_sleeper *s, const char *file, char path[64])
{
	snprintf(path, 64, "/proc/%d/task/%d/%s", (int)s->pid, (int)s->tid, file);
	return path;
}

/* S or D; 0: neither, or a kernel thread that waits for work. */
static char state_of(const struct sf_sleeper *s)
{
	struct sf_proc_stat st;
	char path[64], buf[512];

	if (sf_proc_read(file_of(s, "stat", path), buf, sizeof(buf)) <= 0 || sf_proc_parse_stat(buf, &st))
		return 0;
	if (st.state == 'S' && st.ppid != KTHREADD && s->pid != KTHREADD)
		return 'S';
	return st.state == 'D' ? 'D' : 0;
}

static void look(struct sf_sleeper *s, sf_sleeper_fn fn, void *arg)
{
	char path[64], stack[STACK_SIZE];
	ssize_t n;

	s->state = state_of(s);
	if (!s->state)
		return;
	n = sf_proc_read(file_of(s, "stack", path), stack, sizeof(stack));
	/* Awake meanwhile: the stack is of something else. */
	if (n <= 0 || state_of(s) != s->state)
		return;
	s->stack = stack;
	s->len = (size_t)n;
	fn(arg, s);
}

void sf_sleepers(pid_t target, uint64_t cpu_ns, sf_sleeper_fn fn, void *arg)
{
	struct sf_sleeper s = { 0 };
	pid_t *pid = NULL, *tid = NULL;
	uint64_t begin = sf_thread_cpu();
	int nr = sf_proc_numbers("/proc", &pid);

	for (int i = 0; i < nr && sf_thread_cpu() - begin < cpu_ns; i++) {
		int threads;

		s.pid = pid[i];
		if (s.pid == target || s.pid == getpid())
			continue;
		threads = sf_proc_tids(s.pid, &tid);
		for (int k = 0; k < threads; k++) {
			s.tid = tid[k];
			look(&s, fn, arg);
		}
		if (threads >= 0)
			free(tid);
	}
	if (nr >= 0)
		free(pid);
}
