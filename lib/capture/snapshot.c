/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/array.h>
#include <snapflame/marks.h>

#include "proc.h"
#include "throttled.h"

enum { STACK_MAX = 8192, FRAMES_MAX = 128 };

struct sf_edge_thread {
	pid_t tid;
	struct sf_proc_stat stat;
	uint64_t run, delay, slices;
	int64_t throttled; /* ns; -1 unknown */
	char *syscall, *stack; /* NULL: not readable */
};

static char *read_text(const char *dir, const char *name)
{
	char path[96], buf[STACK_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	n = sf_proc_read(path, buf, sizeof(buf));
	while (n > 0 && buf[n - 1] == '\n')
		buf[--n] = '\0';
	return n < 0 ? NULL : strdup(buf);
}

/* schedstat first: what comes after must not count as the target's time. */
static int take_thread(struct sf_edge_thread *t, pid_t pid, pid_t tid)
{
	char dir[64], path[96], buf[512];

	*t = (struct sf_edge_thread){ .tid = tid, .throttled = -1 };
	snprintf(dir, sizeof(dir), "/proc/%d/task/%d", (int)pid, (int)tid);
	snprintf(path, sizeof(path), "%s/schedstat", dir);
	if (sf_proc_read(path, buf, sizeof(buf)) > 0)
		sf_proc_parse_schedstat(buf, &t->run, &t->delay, &t->slices);
	snprintf(path, sizeof(path), "%s/stat", dir);
	if (sf_proc_read(path, buf, sizeof(buf)) <= 0 || sf_proc_parse_stat(buf, &t->stat))
		return -ESRCH;
	t->syscall = read_text(dir, "syscall");
	t->stack = read_text(dir, "stack");
	return 0;
}

int sf_edge_take(struct sf_edge *s, pid_t pid)
{
	struct sf_throttled throttled = SF_THROTTLED_INIT;
	pid_t *tid;
	int nr;

	*s = (struct sf_edge){ .t0 = sf_now(), .cpu_ns = sf_process_cpu(pid) };
	nr = sf_proc_tids(pid, &tid);
	if (nr < 0) {
		s->t1 = sf_now();
		return nr;
	}
	s->thread = calloc((size_t)nr, sizeof(*s->thread));
	for (int i = 0; s->thread && i < nr; i++) {
		if (!take_thread(&s->thread[s->nr], pid, tid[i]))
			s->nr++;
	}
	s->t1 = sf_now();
	for (size_t i = 0; i < s->nr; i++)
		s->thread[i].throttled = sf_throttled_next(&throttled, pid, s->thread[i].tid);
	sf_throttled_release(&throttled);
	free(tid);
	return s->thread ? 0 : -ENOMEM;
}

void sf_edge_release(struct sf_edge *s)
{
	for (size_t i = 0; i < s->nr; i++) {
		free(s->thread[i].syscall);
		free(s->thread[i].stack);
	}
	free(s->thread);
	*s = (struct sf_edge){ 0 };
}

static void remember(struct sf_addresses *seen, uint64_t addr)
{
	for (size_t i = 0; i < seen->nr; i++) {
		if (seen->item[i] == addr)
			return;
	}
	if (!SF_GROW(seen->item, seen->nr + 1, seen->alloc))
		seen->item[seen->nr++] = addr;
}

static json_t *thread_json(const struct sf_edge_thread *t, const struct sf_kallsyms *k,
			   struct sf_addresses *seen)
{
	json_t *o, *stack = json_array();
	uint64_t addr[FRAMES_MAX];
	size_t nr = t->stack ? sf_kallsyms_stack(k, t->stack, strlen(t->stack), addr, FRAMES_MAX)
			     : 0;

	for (size_t i = 0; i < nr; i++) {
		json_array_append_new(stack, json_integer((json_int_t)addr[i]));
		remember(seen, addr[i]);
	}
	o = json_pack("{s:i, s:o, s:o, s:I, s:I, s:I, s:o}", "tid", (int)t->tid, "comm",
		      sf_json_text(t->stat.comm, strlen(t->stat.comm)), "state",
		      json_stringn(&t->stat.state, 1), "run_ns", (json_int_t)t->run, "delay_ns",
		      (json_int_t)t->delay, "slices", (json_int_t)t->slices, "stack", stack);
	if (o && t->syscall)
		json_object_set_new(o, "syscall", sf_json_text(t->syscall, strlen(t->syscall)));
	if (o && t->throttled >= 0)
		json_object_set_new(o, "cgroup_throttled_ns", json_integer(t->throttled));
	return o;
}

/* How many threads from first on fit one mark. */
static size_t fill_part(json_t *const *thread, size_t nr, size_t first)
{
	size_t size = 512, i;

	for (i = first; i < nr; i++) {
		size += sf_json_size(thread[i]) + 1;
		if (size > SF_MARK_MAX && i > first)
			break;
	}
	return i - first;
}

static int add_part(const struct sf_edge *s, json_t **thread, size_t nr, unsigned branch,
		    const char *edge, int part, int parts, struct sf_marks *marks)
{
	json_t *list = json_array();

	for (size_t i = 0; i < nr; i++)
		json_array_append(list, thread[i]);
	return sf_marks_add(marks, "threads", s->t0,
			    json_pack("{s:i, s:s, s:I, s:I, s:I, s:i, s:i, s:o}", "branch",
				      (int)branch, "edge", edge, "t0", (json_int_t)s->t0, "t1",
				      (json_int_t)s->t1, "cpu_ns", (json_int_t)s->cpu_ns, "part",
				      part, "parts", parts, "threads", list));
}

static int count_parts(json_t *const *thread, size_t nr)
{
	int parts = 0;

	for (size_t i = 0; i < nr; parts++)
		i += fill_part(thread, nr, i);
	return parts ? parts : 1;
}

int sf_edge_marks(const struct sf_edge *s, const struct sf_kallsyms *k, unsigned branch,
		  const char *edge, struct sf_marks *marks, struct sf_addresses *seen)
{
	json_t **thread = calloc(s->nr + 1, sizeof(*thread));
	int ret = thread ? 0 : -ENOMEM, parts, part = 1;
	size_t at = 0;

	for (size_t i = 0; i < s->nr && !ret; i++) {
		thread[i] = thread_json(&s->thread[i], k, seen);
		if (!thread[i])
			ret = -ENOMEM;
	}
	parts = ret ? 0 : count_parts(thread, s->nr);
	for (; part <= parts && !ret; part++) {
		size_t n = fill_part(thread, s->nr, at);

		ret = add_part(s, thread + at, n, branch, edge, part, parts, marks);
		at += n;
	}
	for (size_t i = 0; thread && i < s->nr; i++)
		json_decref(thread[i]);
	free(thread);
	return ret;
}
