/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "wakings.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fds.h"

#define PREFIX "snapflame-"
#define EVENT "events/sched/sched_waking"
#define REQUESTS "events/block/block_rq_complete"
#define SENT "events/net/net_dev_xmit"

/* Per CPU. 60 bytes an event: room for 60 thousand wakings between two looks. */
#define BUFFER_KB "4096"

/* The directory cannot go while somebody has a file of it open. */
static int remove_instance(int instances, const char *name)
{
	const struct timespec wait = { .tv_nsec = 20 * 1000 * 1000 };
	char path[96];

	snprintf(path, sizeof(path), "%s/tracing_on", name);
	sf_write_at(instances, path, "0");
	for (int i = 0; i < 150; i++) {
		if (!unlinkat(instances, name, AT_REMOVEDIR) || errno == ENOENT)
			return 0;
		nanosleep(&wait, NULL);
	}
	return -errno;
}

/* Instances of recorders that are gone, and whose janitor was killed too. */
static void remove_stale(int instances)
{
	int fd = dup(instances);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((e = readdir(d))) {
		pid_t pid = strncmp(e->d_name, PREFIX, strlen(PREFIX))
				    ? 0
				    : (pid_t)atoi(e->d_name + strlen(PREFIX));

		if (pid > 0 && kill(pid, 0) && errno == ESRCH)
			unlinkat(instances, e->d_name, AT_REMOVEDIR);
	}
	closedir(d);
}

/* Only async-signal-safe calls: the parent may have threads. */
static void janitor(int pipe_fd, int instances, const char *name)
{
	int fd[2] = { pipe_fd, instances };
	struct sf_fds keep = { fd, 2, 2 };
	char c;
	ssize_t n;

	setsid();
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_IGN);
	/* Nobody must wait for us through a pipe that we inherited. */
	sf_fds_close_others(&keep);
	do
		n = read(pipe_fd, &c, 1);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		remove_instance(instances, name);
	_exit(0);
}

static int start_janitor(struct sf_wakings *w, int instances)
{
	int fd[2];

	if (pipe2(fd, O_CLOEXEC))
		return -errno;
	w->janitor = fork();
	if (!w->janitor) {
		close(fd[1]);
		janitor(fd[0], instances, w->name);
	}
	close(fd[0]);
	if (w->janitor < 0) {
		close(fd[1]);
		w->janitor = 0;
		return -errno;
	}
	w->janitor_pipe = fd[1];
	return 0;
}

static int open_cpus(struct sf_wakings *w)
{
	long nr = sysconf(_SC_NPROCESSORS_CONF);
	char path[64];

	w->cpu_fd = calloc((size_t)nr, sizeof(*w->cpu_fd));
	w->cpu = calloc((size_t)nr, sizeof(*w->cpu));
	w->page_size = (size_t)sysconf(_SC_PAGESIZE);
	w->page = malloc(w->page_size);
	if (!w->cpu_fd || !w->cpu || !w->page)
		return -ENOMEM;
	for (int cpu = 0; cpu < nr; cpu++) {
		int fd;

		snprintf(path, sizeof(path), "per_cpu/cpu%d/trace_pipe_raw", cpu);
		fd = openat(w->dir, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			continue;
		w->cpu_fd[w->nr] = fd;
		w->cpu[w->nr++] = cpu;
	}
	return w->nr ? 0 : -ENOENT;
}

static int set_up(struct sf_wakings *w, int instances, const char *filter)
{
	int ret = 0;

	w->dir = openat(instances, w->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->dir < 0)
		return -errno;
	/* The clock decides what the stamps mean: it has to be perf's, use_clockid MONOTONIC. */
	ret = sf_write_at(w->dir, "trace_clock", "mono");
	if (!ret)
		ret = sf_write_at(w->dir, "tracing_on", "0");
	if (!ret)
		ret = sf_write_at(w->dir, "buffer_size_kb", BUFFER_KB);
	if (!ret && filter)
		sf_wakings_filter(w, filter);
	if (!ret)
		ret = open_cpus(w);
	if (!ret)
		ret = sf_write_at(w->dir, EVENT "/enable", "1");
	/* A kernel without block devices does without. */
	w->requests = !ret && !sf_write_at(w->dir, REQUESTS "/enable", "1");
	w->sent = !ret && !sf_write_at(w->dir, SENT "/filter", "name == \"lo\"") &&
		  !sf_write_at(w->dir, SENT "/enable", "1");
	return ret;
}

int sf_wakings_open(struct sf_wakings *w, const struct sf_tracefs *fs, const char *filter,
		    struct sf_error *err)
{
	int instances, ret;

	*w = (struct sf_wakings){ .fs = fs, .dir = -1, .janitor_pipe = -1 };
	if (fs->dir < 0)
		return sf_error_set(err, -ENOENT, "no tracefs");
#ifndef HAVE_TRACEEVENT
	return sf_error_set(err, -ENOTSUP, "built without libtraceevent");
#endif
	instances = openat(fs->dir, "instances", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (instances < 0)
		return sf_error_set(err, -errno, "tracefs has no instances: %s", strerror(errno));
	remove_stale(instances);
	snprintf(w->name, sizeof(w->name), PREFIX "%d", (int)getpid());
	if (mkdirat(instances, w->name, 0700)) {
		ret = sf_error_set(err, -errno, "no tracefs instance: %s", strerror(errno));
		w->name[0] = '\0';
		goto out;
	}
	ret = start_janitor(w, instances);
	if (!ret)
		ret = set_up(w, instances, filter);
	if (ret) {
		sf_error_set(err, ret, "the tracefs instance cannot be set up: %s", strerror(-ret));
		sf_wakings_close(w);
	}
out:
	close(instances);
	return ret;
}

void sf_wakings_filter(struct sf_wakings *w, const char *filter)
{
	/* One for very many threads does not fit: then all wakings are recorded. */
	if (w->dir >= 0 && sf_write_at(w->dir, EVENT "/filter", filter))
		sf_write_at(w->dir, EVENT "/filter", "0");
}

int sf_wakings_enable(struct sf_wakings *w, bool on)
{
	return w->dir < 0 ? 0 : sf_write_at(w->dir, "tracing_on", on ? "1" : "0");
}

/* A sub-buffer begins with its time and the length of what is in it, with flags above 2^20. */
enum { SUBBUF_HEAD = 16, SUBBUF_LEN_MASK = (1 << 20) - 1 };

/* What of n bytes is data: most sub-buffers are read before they are full. */
static size_t used_size(const char *page, size_t n)
{
	uint64_t commit;
	size_t used;

	if (n < SUBBUF_HEAD)
		return n;
	memcpy(&commit, page + 8, sizeof(commit));
	/* The number of events that were lost may follow the data. */
	used = SUBBUF_HEAD + (commit & SUBBUF_LEN_MASK) + sizeof(uint64_t);
	return used < n ? used : n;
}

static int count_one(void *arg, uint64_t time, const void *entry, size_t size)
{
	++*(uint64_t *)arg;
	return 0;
}

void sf_wakings_drain(struct sf_wakings *w, struct sf_spool *spool)
{
	for (size_t i = 0; i < w->nr; i++) {
		ssize_t n;

		while ((n = read(w->cpu_fd[i], w->page, w->page_size)) > 0) {
			if (sf_spool_add(spool, SF_CHUNK_FTRACE, (uint32_t)w->cpu[i], w->page,
					 used_size(w->page, (size_t)n), NULL, 0))
				sf_wakings_decode(w->page, (size_t)n, count_one, &w->refused);
		}
	}
}

static uint64_t stat_value(const char *text, const char *key)
{
	const char *p = strstr(text, key);

	return p ? strtoull(p + strlen(key), NULL, 10) : 0;
}

uint64_t sf_wakings_lost(const struct sf_wakings *w)
{
	uint64_t lost = w->refused;
	char path[64];

	for (size_t i = 0; i < w->nr; i++) {
		struct sf_str s = SF_STR_INIT;

		snprintf(path, sizeof(path), "per_cpu/cpu%d/stats", w->cpu[i]);
		if (!sf_read_at(w->dir, path, &s))
			lost += stat_value(s.buf, "\noverrun: ") +
				stat_value(s.buf, "\ncommit overrun: ") +
				stat_value(s.buf, "\ndropped events: ");
		sf_str_release(&s);
	}
	return lost;
}

void sf_wakings_close(struct sf_wakings *w)
{
	int instances = -1;

	for (size_t i = 0; i < w->nr; i++)
		close(w->cpu_fd[i]);
	if (w->dir >= 0)
		close(w->dir);
	if (w->name[0])
		instances = openat(w->fs->dir, "instances", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (instances >= 0) {
		remove_instance(instances, w->name);
		close(instances);
	}
	if (w->janitor > 0) {
		/* It finds nothing to remove. */
		close(w->janitor_pipe);
		while (waitpid(w->janitor, NULL, 0) < 0 && errno == EINTR)
			;
	}
	free(w->cpu_fd);
	free(w->cpu);
	free(w->page);
	*w = (struct sf_wakings){ .dir = -1, .janitor_pipe = -1 };
}

#ifdef HAVE_TRACEEVENT
#include <kbuffer.h>

int sf_wakings_decode(const void *page, size_t size, sf_waking_fn fn, void *arg)
{
	struct kbuffer *kb;
	unsigned long long time;
	void *entry;
	int ret = 0;

	/* The page's head: time and the length of what is committed. */
	if (size < 2 * sizeof(uint64_t))
		return -EINVAL;
	kb = kbuffer_alloc(KBUFFER_LSIZE_SAME_AS_HOST, KBUFFER_ENDIAN_SAME_AS_HOST);
	if (!kb)
		return -ENOMEM;
	if (kbuffer_load_subbuffer(kb, (void *)(uintptr_t)page) ||
	    (size_t)kbuffer_subbuffer_size(kb) > size)
		ret = -EINVAL;
	while (!ret && (entry = kbuffer_read_event(kb, &time))) {
		ret = fn(arg, time, entry, (size_t)kbuffer_event_size(kb));
		kbuffer_next_event(kb, NULL);
	}
	kbuffer_free(kb);
	return ret;
}
#else
int sf_wakings_decode(const void *page, size_t size, sf_waking_fn fn, void *arg)
{
	return -ENOTSUP;
}
#endif
