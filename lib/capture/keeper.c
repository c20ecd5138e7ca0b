/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "keeper.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fds.h"
#include "journal.h"
#include "proc.h"
#include "session.h"

enum {
	NICE = 10,
	STATUS_KILLED = 128 + SIGKILL,
	SILENCE_MS = 600 * 1000, /* of a command whose output nobody reads any more */
};

static const char STOPPED = 's', DONE = 'd';

struct keeper {
	struct sf_capture *c;
	int sock;
	bool stopped;
	int *ring_fd;
	size_t nr_rings;
	struct sf_fds keep;
};

/* Memory is shared by all that map an event of the same ring. */
static bool map_ring(struct keeper *k, struct sf_ring *ring, int fd)
{
	void *p = mmap(NULL, ring->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return false;
	ring->page = p;
	k->ring_fd[k->nr_rings++] = fd;
	return sf_fds_add(&k->keep, fd);
}

/*
 * libperf does not tell which events own the rings, and every event of a CPU and list leads to its
 * ring: of each list the first event, opened CPU by CPU.
 */
static void map_rings(struct keeper *k)
{
	struct sf_events *e = &k->c->events;
	size_t nr = 0, cpus = e->nr_cpus;

	k->ring_fd = calloc(e->nr_rings + 1, sizeof(*k->ring_fd));
	for (int wide = 0; k->ring_fd && cpus && wide < 2; wide++) {
		const struct sf_perf_event *ev = NULL;

		for (int i = 0; i < SF_EV_NR && !ev; i++)
			if (e->event[i].evsel && e->event[i].nr && e->event[i].wide == wide)
				ev = &e->event[i];
		for (size_t i = 0; ev && i < cpus && nr < e->nr_rings && ev->nr % cpus == 0; i++)
			nr += map_ring(k, &e->ring[nr], ev->fd[i * (ev->nr / cpus)]);
	}
	e->nr_rings = nr;
}

static bool keep_descriptors(struct keeper *k)
{
	struct sf_capture *c = k->c;
	bool ok = sf_fds_add(&k->keep, k->sock) && sf_fds_add(&k->keep, c->spool.fd) &&
		  sf_fds_add(&k->keep, c->poll_spool.fd) &&
		  sf_fds_add(&k->keep, c->journal.spool.fd) &&
		  sf_fds_add(&k->keep, c->tracefs.dir) && sf_fds_add(&k->keep, c->wakings.dir) &&
		  sf_fds_add(&k->keep, c->driver->output);

	for (size_t i = 0; i < c->wakings.nr && ok; i++)
		ok = sf_fds_add(&k->keep, c->wakings.cpu_fd[i]);
	/* A terminal's user wants to know; through a pipe somebody may wait for our end. */
	if (ok && isatty(STDERR_FILENO))
		ok = sf_fds_add(&k->keep, STDERR_FILENO);
	return ok;
}

/* What was saved of the ring and not yet taken out of it when the recorder was killed. */
static void skip_saved(struct keeper *k)
{
	struct sf_capture *c = k->c;
	size_t nr = c->events.nr_rings;
	const struct sf_chunk **last = calloc(nr + 1, sizeof(*last)), *chunk;
	struct sf_spool_map m;
	const uint8_t *data;

	if (!last || sf_spool_map(&c->spool, &m)) {
		free(last);
		return;
	}
	while ((chunk = sf_spool_next(&m, &data)))
		if (chunk->kind == SF_CHUNK_PERF && chunk->source < nr)
			last[chunk->source] = chunk;
	for (size_t i = 0; i < nr; i++)
		for (size_t s = 0; s < nr; s++)
			if (last[s])
				sf_ring_skip(&c->events.ring[i], last[s] + 1, last[s]->size);
	sf_spool_unmap(&m);
	free(last);
}

/* The last holders of the events are gone with this. */
static void let_go(struct keeper *k)
{
	struct sf_events *e = &k->c->events;

	for (size_t i = 0; i < e->nr_rings; i++)
		munmap(e->ring[i].page, e->ring[i].size);
	for (size_t i = 0; i < k->nr_rings; i++)
		close(k->ring_fd[i]);
	for (size_t i = 0; i < k->c->wakings.nr; i++)
		close(k->c->wakings.cpu_fd[i]);
	if (k->c->wakings.dir >= 0)
		close(k->c->wakings.dir);
	e->nr_rings = k->nr_rings = k->c->wakings.nr = 0;
	k->c->wakings.dir = -1;
	k->stopped = true;
}

static void drain(struct keeper *k)
{
	struct sf_capture *c = k->c;

	skip_saved(k);
	for (size_t i = 0; i < c->events.nr_rings; i++)
		c->reader.refused += sf_ring_drain(&c->events.ring[i], (uint32_t)i, &c->spool);
	sf_wakings_drain(&c->wakings, &c->spool);
	c->waking_lost = sf_wakings_lost(&c->wakings);
	let_go(k);
}

static void switch_off(struct keeper *k)
{
	for (size_t i = 0; i < k->nr_rings; i++)
		ioctl(k->ring_fd[i], PERF_EVENT_IOC_DISABLE, 0);
	sf_wakings_enable(&k->c->wakings, false);
}

/* A BRANCH that was not over: its window ends with the recorder. */
static void end_window(struct sf_capture *c, unsigned branch, uint64_t begin, struct sf_edge *edge)
{
	struct sf_branch b = {
		.number = branch,
		.begin = begin,
		.end = edge->t0,
		.status = STATUS_KILLED,
		.error = (char *)(uintptr_t) "the recorder was killed before it was over",
	};

	sf_edge_marks(edge, &c->kallsyms, branch, "end", &c->marks, &c->addresses);
	sf_session_window(c, &b);
	c->stats.branches++;
}

static int take_over(struct keeper *k)
{
	struct sf_capture *c = k->c;
	struct sf_edge edge;
	unsigned branch;
	uint64_t begin;
	int ret;

	switch_off(k);
	sf_edge_take(&edge, c->pid);
	ret = sf_journal_read(c, &branch, &begin);
	if (!ret)
		ret = sf_spool_catch_up(&c->spool, c->spool.first);
	if (!ret)
		ret = sf_spool_catch_up(&c->poll_spool, c->poll_spool.first);
	if (!ret && !k->stopped)
		drain(k);
	else
		let_go(k);
	if (!ret && branch)
		end_window(c, branch, begin, &edge);
	sf_edge_release(&edge);
	c->reader.spool = &c->spool;
	c->reader.counted_to = c->spool.first;
	sf_ring_count(&c->reader);
	c->reader.lost += c->reader.refused;
	c->stats.records = c->reader.records;
	c->stats.lost = c->reader.lost;
	c->stopped = true;
	c->reason = "killed";
	return ret;
}

/* The command goes on: what it still prints must not kill it. */
static void read_output(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };
	char buf[4096];
	ssize_t n;

	while (fd >= 0 && poll(&p, 1, SILENCE_MS) > 0) {
		n = read(fd, buf, sizeof(buf));
		if (!n || (n < 0 && errno != EAGAIN && errno != EINTR))
			break;
	}
}

static void child(struct keeper *k)
{
	struct sf_capture *c = k->c;
	char what;
	ssize_t n;

	setsid();
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_IGN);
	prctl(PR_SET_NAME, "snapflame-keep");
	setpriority(PRIO_PROCESS, 0, NICE);
	map_rings(k);
	if (!keep_descriptors(k))
		_exit(1);
	sf_fds_close_others(&k->keep);
	for (;;) {
		n = read(k->sock, &what, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		if (what == DONE)
			_exit(0);
		let_go(k);
	}
	if (!take_over(k))
		c->opts.orphaned(c->opts.arg, c);
	read_output(c->driver->output);
	_exit(0);
}

int sf_keeper_start(struct sf_capture *c)
{
	struct keeper k = { .c = c };
	int sock[2], ret;

	if (!c->opts.orphaned)
		return 0;
	ret = sf_journal_open(&c->journal);
	if (ret)
		return ret;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock))
		return -errno;
	c->keeper.pid = fork();
	if (!c->keeper.pid) {
		close(sock[1]);
		k.sock = sock[0];
		child(&k);
	}
	close(sock[0]);
	if (c->keeper.pid < 0) {
		ret = -errno;
		close(sock[1]);
		c->keeper.pid = 0;
		return ret;
	}
	c->keeper.sock = sock[1];
	return 0;
}

void sf_keeper_stopped(struct sf_keeper *k)
{
	if (k->sock >= 0)
		send(k->sock, &STOPPED, 1, MSG_NOSIGNAL);
}

void sf_keeper_end(struct sf_keeper *k)
{
	if (k->sock < 0)
		return;
	send(k->sock, &DONE, 1, MSG_NOSIGNAL);
	close(k->sock);
	k->sock = -1;
	while (waitpid(k->pid, NULL, 0) < 0 && errno == EINTR)
		;
}
