/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "poller.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <snapflame/array.h>

#include "proc.h"
#include "sleepers.h"

enum {
	NICE = 1,
	STACK_MAX = 8192, /* 64 frames of 100 bytes, and some */
	SYSCALL_MAX = 256,
	BUF_SIZE = 256 * 1024,
	RELIST_ROUNDS = 32, /* a thread that replaced another does not change the number */
	OTHERS_NS = 20000000, /* of CPU time, for the look at who else sleeps: some 700 threads */
	OTHERS_FILES = 512, /* descriptors that are left to the rest of the recorder */
};

enum file { F_SCHEDSTAT, F_SYSCALL, F_STACK, F_STAT, NR_FILES };

static const char *const file_name[NR_FILES] = { "schedstat", "syscall", "stack", "stat" };

struct sf_poll_thread {
	pid_t tid;
	bool kept; /* its files are open; else each is opened to be read, which costs twice as much */
	int fd[NR_FILES];
	uint64_t slices; /* switched to so many times when it was read */
	bool blocked;    /* and it was blocked then: as long as slices stays, nothing changes */
	char state;
};

static void drop_thread(struct sf_poller *p, struct sf_poll_thread *t)
{
	if (!t->kept)
		return;
	for (int i = 0; i < NR_FILES; i++)
		if (t->fd[i] >= 0)
			close(t->fd[i]);
	t->kept = false;
	p->kept--;
}

static void path_of(const struct sf_poller *p, const struct sf_poll_thread *t, enum file f,
		    char *path, size_t size)
{
	snprintf(path, size, "/proc/%d/task/%d/%s", (int)p->opts.pid, (int)t->tid, file_name[f]);
}

static void add_thread(struct sf_poller *p, struct sf_poll_thread *t, pid_t tid)
{
	char path[64];

	*t = (struct sf_poll_thread){ .tid = tid, .kept = p->kept < p->room };
	if (!t->kept)
		return;
	p->kept++;
	for (int i = 0; i < NR_FILES; i++) {
		path_of(p, t, i, path, sizeof(path));
		t->fd[i] = open(path, O_RDONLY | O_CLOEXEC);
	}
}

/* Of how many threads the files can be kept open. */
static size_t room(void)
{
	struct rlimit r;
	pid_t *fd;
	int used = sf_proc_numbers("/proc/self/fd", &fd);

	if (used >= 0)
		free(fd);
	if (used < 0 || getrlimit(RLIMIT_NOFILE, &r) || r.rlim_cur < (rlim_t)used + OTHERS_FILES)
		return 0;
	return (size_t)(r.rlim_cur - (rlim_t)used - OTHERS_FILES) / NR_FILES;
}

/* Both lists are sorted: keep what is in both, open what is new. */
static void relist(struct sf_poller *p)
{
	struct sf_poll_thread *old = p->item, *new;
	size_t nr_old = p->nr, k = 0;
	pid_t *tid;
	int nr = sf_proc_tids(p->opts.pid, &tid);

	new = nr > 0 ? calloc((size_t)nr, sizeof(*new)) : NULL;
	for (int i = 0; new && i < nr; i++) {
		while (k < nr_old && old[k].tid < tid[i])
			drop_thread(p, &old[k++]);
		if (k < nr_old && old[k].tid == tid[i])
			new[i] = old[k++];
		else
			add_thread(p, &new[i], tid[i]);
	}
	while (k < nr_old)
		drop_thread(p, &old[k++]);
	free(old);
	free(tid);
	p->item = new;
	p->nr = new ? (size_t)nr : 0;
}

/* Listing the directory costs more than looking at its link count: threads + 2. */
static void list(struct sf_poller *p)
{
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)p->opts.pid);
	if (stat(path, &st))
		st.st_nlink = 0;
	if (st.st_nlink == p->links && p->rounds % RELIST_ROUNDS)
		return;
	p->links = st.st_nlink;
	relist(p);
}

static ssize_t read_file(const struct sf_poller *p, const struct sf_poll_thread *t, enum file f,
			 char *buf, size_t size)
{
	char path[64];

	buf[0] = '\0';
	if (t->kept)
		return t->fd[f] < 0 ? -EBADF : sf_proc_pread(t->fd[f], buf, size);
	path_of(p, t, f, path, sizeof(path));
	return sf_proc_read(path, buf, size);
}

static uint64_t slices_of(const struct sf_poller *p, const struct sf_poll_thread *t)
{
	uint64_t run, delay, slices;
	char buf[96];

	if (read_file(p, t, F_SCHEDSTAT, buf, sizeof(buf)) <= 0 ||
	    sf_proc_parse_schedstat(buf, &run, &delay, &slices))
		return 0;
	return slices + 1;
}

static void flush(struct sf_poller *p)
{
	if (p->fill)
		sf_spool_add(p->spool, SF_CHUNK_POLL, 0, p->buf, p->fill, NULL, 0);
	p->fill = 0;
}

static void emit(struct sf_poller *p, struct sf_poll_rec *rec, const char *syscall,
		 const char *stack)
{
	size_t size = sizeof(*rec) + rec->syscall_len + rec->stack_len;

	if (BUF_SIZE - p->fill < size + 8)
		flush(p);
	memcpy(p->buf + p->fill, rec, sizeof(*rec));
	memcpy(p->buf + p->fill + sizeof(*rec), syscall, rec->syscall_len);
	memcpy(p->buf + p->fill + sizeof(*rec) + rec->syscall_len, stack, rec->stack_len);
	memset(p->buf + p->fill + size, 0, 7);
	p->fill += (size + 7) & ~(size_t)7;
}

static size_t cut_newline(const char *text, ssize_t n)
{
	while (n > 0 && text[n - 1] == '\n')
		n--;
	return n > 0 ? (size_t)n : 0;
}

/* What the thread waits for, if it does; texts that a switch tore apart are thrown away. */
static void look(struct sf_poller *p, struct sf_poll_thread *t, uint64_t period)
{
	struct sf_poll_rec rec = { .time = sf_now(), .period = period, .tid = (uint32_t)t->tid };
	char syscall[SYSCALL_MAX], stack[STACK_MAX], stat[512];
	struct sf_proc_stat st;
	uint64_t slices = slices_of(p, t);

	if (t->blocked && slices && slices == t->slices) {
		rec.again = true;
		rec.state = t->state;
		emit(p, &rec, "", "");
		return;
	}
	t->blocked = false;
	rec.syscall_len = (uint16_t)cut_newline(syscall, read_file(p, t, F_SYSCALL, syscall,
								   sizeof(syscall)));
	if (rec.syscall_len && !strncmp(syscall, "running", 7))
		return;
	rec.stack_len = (uint16_t)cut_newline(stack,
					      read_file(p, t, F_STACK, stack, sizeof(stack)));
	if (read_file(p, t, F_STAT, stat, sizeof(stat)) <= 0 || sf_proc_parse_stat(stat, &st) ||
	    st.state == 'R' || (slices && slices_of(p, t) != slices))
		return;
	rec.state = t->state = st.state;
	t->slices = slices;
	t->blocked = slices != 0;
	emit(p, &rec, syscall, stack);
}

static void add_sleeper(void *arg, const struct sf_sleeper *sleeper)
{
	struct sf_poll_rec rec = {
		.time = sf_now(), .pid = (uint32_t)sleeper->pid, .tid = (uint32_t)sleeper->tid,
		.state = sleeper->state,
		.stack_len = (uint16_t)cut_newline(sleeper->stack, (ssize_t)sleeper->len),
	};

	emit(arg, &rec, "", sleeper->stack);
}

static void wait_until(struct sf_poller *p, uint64_t when)
{
	struct timespec ts = { (time_t)(when / 1000000000), (long)(when % 1000000000) };

	while (p->active && !p->stop &&
	       pthread_cond_timedwait(&p->wake, &p->lock, &ts) != ETIMEDOUT)
		;
}

/* The next records of all threads are whole. */
static void forget(struct sf_poller *p)
{
	for (size_t i = 0; i < p->nr; i++)
		p->item[i].blocked = false;
}

/* When to look again: not before what the last look took is within the limits. */
static uint64_t within_budget(struct sf_poller *p, uint64_t next)
{
	uint64_t cpu = sf_thread_cpu(), took = cpu - p->cpu_ns, now = sf_now();
	uint64_t all = sf_budget_take(p->opts.budget, took, now);
	uint64_t own = sf_budget_take(p->opts.own_budget, took, now);
	uint64_t rest = own > all ? own : all;

	p->cpu_ns = cpu;
	return next < now + rest ? now + rest : next;
}

/* Before the window, which pays nothing for it: the limits do not make the first look in it later. */
static void begin(struct sf_poller *p)
{
	if (p->opts.anew)
		forget(p);
	if (p->opts.others) {
		sf_sleepers(p->opts.pid, OTHERS_NS, add_sleeper, p);
		flush(p);
	}
	sf_budget_take(p->opts.budget, sf_thread_cpu() - p->cpu_ns, sf_now());
	p->cpu_ns = sf_thread_cpu();
}

static void *poller_thread(void *arg)
{
	struct sf_poller *p = arg;
	const uint64_t interval = 1000000000 / p->opts.hz;
	uint64_t last = 0, next = 0;

	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
	pthread_mutex_lock(&p->lock);
	while (!p->stop) {
		uint64_t now;

		if (!p->active) {
			pthread_cond_wait(&p->wake, &p->lock);
			last = sf_now();
			next = last + interval;
			continue;
		}
		if (p->begin) {
			pthread_mutex_unlock(&p->lock);
			begin(p);
			pthread_mutex_lock(&p->lock);
			p->begin = false;
			pthread_cond_signal(&p->begun);
			last = sf_now();
			next = last + interval;
		}
		wait_until(p, next);
		if (!p->active || p->stop)
			continue;
		pthread_mutex_unlock(&p->lock);
		now = sf_now();
		list(p);
		for (size_t i = 0; i < p->nr; i++)
			look(p, &p->item[i], now - last);
		flush(p);
		last = now;
		next += interval;
		if (next < now)
			next = now + interval;
		pthread_mutex_lock(&p->lock);
		p->rounds++;
		next = within_budget(p, next);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* What of it we may read: told once, before it starts. */
static int check_access(struct sf_poller *p, struct sf_missing *missing)
{
	char stack[STACK_MAX], syscall[SYSCALL_MAX];
	const struct sf_poll_thread t = { .tid = p->opts.pid };
	int ret = 0;

	if (read_file(p, &t, F_STACK, stack, sizeof(stack)) < 0) {
		sf_missing_add(missing,
			       "kernel stacks of /proc/PID/stack: not permitted; record as root");
		if (read_file(p, &t, F_SYSCALL, syscall, sizeof(syscall)) < 0) {
			sf_missing_add(missing, "/proc/PID/syscall: not permitted; record as root");
			ret = -EACCES;
		}
	}
	if (!slices_of(p, &t))
		sf_missing_add(missing,
			       "/proc/PID/schedstat: this kernel has none (CONFIG_SCHED_INFO)");
	return ret;
}

int sf_poller_start(struct sf_poller *p, const struct sf_poller_opts *opts, struct sf_spool *spool,
		    struct sf_missing *missing, struct sf_error *err)
{
	pthread_condattr_t attr;
	int ret;

	*p = (struct sf_poller){ .opts = *opts, .spool = spool };
	if (check_access(p, missing))
		return 0;
	p->room = room();
	p->buf = malloc(BUF_SIZE);
	if (!p->buf)
		return sf_error_set(err, -ENOMEM, "out of memory");
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->wake, &attr);
	pthread_cond_init(&p->begun, NULL);
	pthread_condattr_destroy(&attr);
	ret = pthread_create(&p->thread, NULL, poller_thread, p);
	if (ret)
		return sf_error_set(err, -ret, "the poller cannot be started: %s", strerror(ret));
	pthread_setname_np(p->thread, "snapflame-poll");
	p->started = true;
	return 0;
}

void sf_poller_set_active(struct sf_poller *p, bool active)
{
	if (!p->started)
		return;
	pthread_mutex_lock(&p->lock);
	p->begin |= active && !p->active;
	p->active = active;
	pthread_cond_signal(&p->wake);
	while (active && p->begin)
		pthread_cond_wait(&p->begun, &p->lock);
	pthread_mutex_unlock(&p->lock);
}

void sf_poller_stop(struct sf_poller *p)
{
	if (p->started) {
		pthread_mutex_lock(&p->lock);
		p->stop = true;
		pthread_cond_signal(&p->wake);
		pthread_mutex_unlock(&p->lock);
		pthread_join(p->thread, NULL);
	}
	p->started = false;
	for (size_t i = 0; i < p->nr; i++)
		drop_thread(p, &p->item[i]);
	free(p->item);
	free(p->buf);
	p->item = NULL;
	p->buf = NULL;
	p->nr = 0;
}

const struct sf_poll_rec *sf_poll_next(const uint8_t *data, uint64_t size, uint64_t *at,
				       const char **syscall, const char **stack)
{
	const struct sf_poll_rec *rec = (const struct sf_poll_rec *)(data + *at);
	uint64_t len;

	if (size - *at < sizeof(*rec))
		return NULL;
	len = sizeof(*rec) + rec->syscall_len + rec->stack_len;
	if (len > size - *at)
		return NULL;
	*syscall = (const char *)(rec + 1);
	*stack = *syscall + rec->syscall_len;
	*at += (len + 7) & ~UINT64_C(7);
	return *at > size ? NULL : rec;
}
