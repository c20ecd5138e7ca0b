/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The positive control: on one CPU compute for a while, sleep some times, and look whether the perf
 * events of that CPU tell so. A sampler that sees one kind of core only, an idle CPU without
 * tracepoints and a hypervisor that drops timers all look fine until one tries.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "doctor.h"
#include "proc.h"
#include "spool.h"
#include "wakings.h"

enum { PAGES = 64, HZ = 997, SPIN_MS = 20, SLEEPS = 10, MAX_CPUS = 8192 };
enum { CLOCK, SWITCH, SCHED, NR_EVENTS };

struct ring {
	int fd[NR_EVENTS];
	struct perf_event_mmap_page *page;
	size_t size;
};

/* ------------------------------------------------------------------- what is done there */

static int pin(unsigned cpu, cpu_set_t **before, size_t *size)
{
	cpu_set_t *set = CPU_ALLOC(MAX_CPUS);
	int ret = 0;

	*size = CPU_ALLOC_SIZE(MAX_CPUS);
	*before = CPU_ALLOC(MAX_CPUS);
	if (!set || !*before) {
		ret = -ENOMEM;
	} else if (sched_getaffinity(0, *size, *before)) {
		ret = -errno;
	} else {
		CPU_ZERO_S(*size, set);
		CPU_SET_S(cpu, *size, set);
		if (sched_setaffinity(0, *size, set))
			ret = -errno;
	}
	if (set)
		CPU_FREE(set);
	return ret;
}

static void unpin(cpu_set_t *before, size_t size)
{
	if (!before)
		return;
	sched_setaffinity(0, size, before);
	CPU_FREE(before);
}

/* CPU time, not wall time: others may want the CPU. In user mode, for the kernel's part of it may
 * be hidden from us. Gives up after a second. */
static double spin(void)
{
	uint64_t start = sf_thread_cpu(), until = sf_now() + 1000000000;

	while (sf_thread_cpu() - start < SPIN_MS * 1000000ULL && sf_now() < until)
		for (volatile unsigned i = 0; i < 200000; i++)
			;
	return (double)(sf_thread_cpu() - start) / 1e6;
}

static void sleep_often(void)
{
	const struct timespec ms = { .tv_nsec = 1000000 };

	for (int i = 0; i < SLEEPS; i++)
		nanosleep(&ms, NULL);
}

static unsigned voluntary_switches(void)
{
	struct rusage r;

	return getrusage(RUSAGE_THREAD, &r) ? 0 : (unsigned)r.ru_nvcsw;
}

/* ------------------------------------------------------------------------- events */

static int open_event(int which, unsigned cpu, int sched_switch_id, bool wide)
{
	struct perf_event_attr a = {
		.size = sizeof(a),
		.type = PERF_TYPE_SOFTWARE,
		.sample_type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_TID,
		.disabled = 1,
		.sample_id_all = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
	};
	long fd;

	if (which == CLOCK) {
		a.config = PERF_COUNT_SW_CPU_CLOCK;
		a.freq = 1;
		a.sample_freq = HZ;
		a.exclude_idle = 1;
	} else if (which == SWITCH) {
		a.config = PERF_COUNT_SW_DUMMY;
		a.context_switch = 1;
	} else {
		a.type = PERF_TYPE_TRACEPOINT;
		a.config = (uint64_t)sched_switch_id;
		a.sample_period = 1;
	}
	fd = syscall(SYS_perf_event_open, &a, wide ? -1 : 0, (int)cpu, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0 && (errno == EACCES || errno == EPERM)) {
		a.exclude_kernel = 1;
		fd = syscall(SYS_perf_event_open, &a, wide ? -1 : 0, (int)cpu, -1,
			     PERF_FLAG_FD_CLOEXEC);
	}
	return fd < 0 ? -errno : (int)fd;
}

static void close_ring(struct ring *r)
{
	if (r->page)
		munmap(r->page, r->size);
	for (int i = 0; i < NR_EVENTS; i++)
		if (r->fd[i] >= 0)
			close(r->fd[i]);
}

static int map_ring(struct ring *r)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int leader = -1;

	for (int i = 0; i < NR_EVENTS; i++) {
		if (r->fd[i] < 0)
			continue;
		if (leader >= 0) {
			if (ioctl(r->fd[i], PERF_EVENT_IOC_SET_OUTPUT, leader))
				return -errno;
			continue;
		}
		leader = r->fd[i];
		for (size_t pages = PAGES; pages && !r->page; pages /= 2) {
			void *p;

			r->size = (pages + 1) * page;
			p = mmap(NULL, r->size, PROT_READ | PROT_WRITE, MAP_SHARED, leader, 0);
			r->page = p == MAP_FAILED ? NULL : p;
		}
		if (!r->page)
			return -errno;
	}
	return leader < 0 ? -ENOENT : 0;
}

static int open_ring(struct ring *r, struct sf_probe *p, int sched_switch_id)
{
	*r = (struct ring){ .fd = { -1, -1, -1 } };
	for (int wide = 1; wide >= 0; wide--) {
		p->wide = wide;
		r->fd[SWITCH] = open_event(SWITCH, p->cpu, 0, wide);
		if (r->fd[SWITCH] >= 0)
			break;
	}
	r->fd[CLOCK] = open_event(CLOCK, p->cpu, 0, p->wide);
	p->sched_tried = sched_switch_id > 0;
	if (p->sched_tried)
		r->fd[SCHED] = open_event(SCHED, p->cpu, sched_switch_id, p->wide);
	p->error_switch = r->fd[SWITCH] < 0 ? r->fd[SWITCH] : 0;
	p->error_clock = r->fd[CLOCK] < 0 ? r->fd[CLOCK] : 0;
	p->error_sched = p->sched_tried && r->fd[SCHED] < 0 ? r->fd[SCHED] : 0;
	return map_ring(r);
}

/* --------------------------------------------------------------------------- reading */

static void copy_out(const struct ring *r, uint64_t at, void *to, size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size = r->size - page;
	const uint8_t *base = (const uint8_t *)r->page + page;

	for (size_t i = 0; i < n; i++)
		((uint8_t *)to)[i] = base[(at + i) % size];
}

/* Ids tell the events of the ring apart. */
static bool event_ids(const struct ring *r, uint64_t id[NR_EVENTS])
{
	for (int i = 0; i < NR_EVENTS; i++) {
		id[i] = 0;
		if (r->fd[i] >= 0 && ioctl(r->fd[i], PERF_EVENT_IOC_ID, &id[i]))
			return false;
	}
	return true;
}

static void count(struct sf_probe *p, const struct perf_event_header *h, const uint8_t *body,
		  const uint64_t *id, uint32_t self)
{
	size_t n = h->size - sizeof(*h);
	uint64_t of;
	uint32_t tid;

	if (h->type == PERF_RECORD_LOST) {
		p->lost++;
	} else if (h->type == PERF_RECORD_SAMPLE && n >= 16) {
		memcpy(&of, body, 8);
		memcpy(&tid, body + 12, 4);
		p->samples += tid == self && of == id[CLOCK];
		p->sched_switches += tid == self && of == id[SCHED];
	} else if ((h->type == PERF_RECORD_SWITCH || h->type == PERF_RECORD_SWITCH_CPU_WIDE) &&
		   n >= 16) {
		/* The trailer: pid, tid, identifier. */
		memcpy(&tid, body + n - 12, 4);
		if (tid == self && h->misc & PERF_RECORD_MISC_SWITCH_OUT)
			p->outs++;
		else if (tid == self)
			p->ins++;
	}
}

static void read_ring(struct ring *r, struct sf_probe *p)
{
	uint64_t head = __atomic_load_n(&r->page->data_head, __ATOMIC_ACQUIRE), at = 0;
	uint64_t id[NR_EVENTS];
	uint32_t self = (uint32_t)syscall(SYS_gettid);

	if (!event_ids(r, id))
		return;
	while (at + sizeof(struct perf_event_header) <= head) {
		struct perf_event_header h;
		uint8_t body[256] = { 0 };

		copy_out(r, at, &h, sizeof(h));
		if (h.size < sizeof(h) || at + h.size > head)
			break;
		if (h.size - sizeof(h) <= sizeof(body)) {
			copy_out(r, at + sizeof(h), body, h.size - sizeof(h));
			count(p, &h, body, id, self);
		}
		at += h.size;
	}
}

static void enable(const struct ring *r, bool on)
{
	for (int i = 0; i < NR_EVENTS; i++)
		if (r->fd[i] >= 0)
			ioctl(r->fd[i], on ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE, 0);
}

int sf_probe_cpu(struct sf_probe *p, unsigned cpu, int sched_switch_id)
{
	cpu_set_t *before = NULL;
	struct ring r;
	size_t size;
	int ret;

	*p = (struct sf_probe){ .cpu = cpu };
	ret = pin(cpu, &before, &size);
	if (!ret) {
		ret = open_ring(&r, p, sched_switch_id);
		if (!ret) {
			unsigned switches;

			enable(&r, true);
			p->expected_samples = (unsigned)(spin() * HZ / 1000);
			switches = voluntary_switches();
			sleep_often();
			p->sleeps = voluntary_switches() - switches;
			enable(&r, false);
			read_ring(&r, p);
		}
		close_ring(&r);
	}
	unpin(before, size);
	return ret;
}

/* --------------------------------------------------------------------------- wakings */

struct tally {
	unsigned *seen;
	size_t index;
	size_t pid_at; /* offset of the woken thread's id */
	int32_t self;
};

static int count_waking(void *arg, uint64_t time, const void *entry, size_t size)
{
	struct tally *t = arg;
	int32_t pid;

	if (size < t->pid_at + sizeof(pid))
		return 0;
	memcpy(&pid, (const char *)entry + t->pid_at, sizeof(pid));
	t->seen[t->index] += pid == t->self;
	return 0;
}

/* "	field:pid_t pid;	offset:24;	size:4;	signed:1;" */
static size_t pid_offset(const struct sf_tracefs *fs)
{
	struct sf_str s = SF_STR_INIT;
	const char *p;
	size_t at = SIZE_MAX / 2;

	if (!sf_read_at(fs->dir, "events/sched/sched_waking/format", &s)) {
		p = strstr(s.buf, " pid;");
		p = p ? strstr(p, "offset:") : NULL;
		if (p)
			at = strtoul(p + strlen("offset:"), NULL, 10);
	}
	sf_str_release(&s);
	return at;
}

static void sleep_on(struct sf_wakings *w, struct sf_spool *spool, unsigned cpu, struct tally *t)
{
	struct sf_spool_map map;
	const struct sf_chunk *c;
	cpu_set_t *before = NULL;
	const uint8_t *data;
	uint64_t skip = spool->size;
	size_t size;

	if (!pin(cpu, &before, &size)) {
		sf_wakings_enable(w, true);
		sleep_often();
		sf_wakings_enable(w, false);
		sf_wakings_drain(w, spool);
		if (!sf_spool_map(spool, &map)) {
			map.at = skip;
			while ((c = sf_spool_next(&map, &data)))
				if (c->kind == SF_CHUNK_FTRACE)
					sf_wakings_decode(data, c->size, count_waking, t);
			sf_spool_unmap(&map);
		}
	}
	unpin(before, size);
}

int sf_probe_wakings(const struct sf_tracefs *fs, const unsigned *cpu, size_t nr, unsigned *seen,
		     struct sf_error *err)
{
	struct tally t = { .seen = seen, .self = (int32_t)syscall(SYS_gettid) };
	atomic_uint_fast64_t used = 0;
	struct sf_spool spool = { .fd = -1 };
	struct sf_wakings w = { 0 };
	char filter[32];
	int ret;

	snprintf(filter, sizeof(filter), "pid==%d", t.self);
	ret = sf_spool_open(&spool, "snapflame-doctor", 16 << 20, &used);
	if (ret)
		return sf_error_set(err, ret, "no memory file: %s", strerror(-ret));
	ret = sf_wakings_open(&w, fs, filter, err);
	if (!ret) {
		t.pid_at = pid_offset(fs);
		for (t.index = 0; t.index < nr; t.index++)
			sleep_on(&w, &spool, cpu[t.index], &t);
		sf_wakings_close(&w);
		ret = SLEEPS;
	}
	sf_spool_close(&spool);
	return ret;
}
