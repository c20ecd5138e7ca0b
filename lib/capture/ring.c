/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "ring.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proc.h"

enum {
	/* Wakings come without a wake-up: look after them that often. 60 thousand of them fit. */
	TICK_MS = 250,
	NICE = 5,
};

/* Sizes are multiples of 8, so a header never lies across the ring's end. */
static uint64_t count_records(const uint8_t *data, uint64_t size, uint64_t tail, uint64_t head)
{
	uint64_t nr = 0;

	while (tail < head) {
		const struct perf_event_header *h = (const void *)(data + (tail & (size - 1)));

		if (h->size < sizeof(*h))
			break;
		tail += h->size;
		nr++;
	}
	return nr;
}

uint64_t sf_ring_drain(struct sf_ring *ring, uint32_t index, struct sf_spool *spool)
{
	struct perf_event_mmap_page *page = ring->page;
	const uint8_t *data = (const uint8_t *)page + page->data_offset;
	uint64_t head = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);
	uint64_t tail = page->data_tail, size = page->data_size, from = tail & (size - 1);
	uint64_t len = head - tail, first = size - from, refused = 0;

	if (!len)
		return 0;
	if (first > len)
		first = len;
	/* head is the end of a record: chunks hold whole ones, also across the ring's end. */
	if (sf_spool_add(spool, SF_CHUNK_PERF, index, data + from, first, data, len - first))
		refused = count_records(data, size, tail, head);
	__atomic_store_n(&page->data_tail, head, __ATOMIC_RELEASE);
	return refused;
}

void sf_ring_skip(struct sf_ring *ring, const void *saved, uint64_t size)
{
	struct perf_event_mmap_page *page = ring->page;
	const uint8_t *data = (const uint8_t *)page + page->data_offset, *end = saved;
	uint64_t head = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);
	uint64_t tail = page->data_tail, from = tail & (page->data_size - 1);
	uint64_t first = page->data_size - from;

	if (!size || size > head - tail)
		return;
	if (first > size)
		first = size;
	if (!memcmp(data + from, saved, first) && !memcmp(data, end + first, size - first))
		__atomic_store_n(&page->data_tail, tail + size, __ATOMIC_RELEASE);
}

static void drain(struct sf_ring_reader *r, bool wakings)
{
	uint64_t refused = 0;

	for (size_t i = 0; i < r->events->nr_rings; i++)
		refused += sf_ring_drain(&r->events->ring[i], (uint32_t)i, r->spool);
	if (wakings)
		sf_wakings_drain(r->wakings, r->spool);
	r->refused += refused;
	r->lost += refused;
}

/* Only hops over the headers. */
void sf_ring_count(struct sf_ring_reader *r)
{
	struct sf_spool_map m;
	const struct sf_chunk *c;
	const uint8_t *data;

	if (sf_spool_map(r->spool, &m))
		return;
	m.at = r->counted_to;
	while ((c = sf_spool_next(&m, &data))) {
		const struct perf_event_header *h;

		for (uint64_t at = 0; c->kind == SF_CHUNK_PERF && at < c->size; at += h->size) {
			h = (const struct perf_event_header *)(data + at);
			if (h->size < sizeof(*h))
				break;
			r->records++;
			if (h->type == PERF_RECORD_LOST)
				r->lost += ((const uint64_t *)(h + 1))[1];
			else if (h->type == PERF_RECORD_LOST_SAMPLES)
				r->lost += ((const uint64_t *)(h + 1))[0];
		}
	}
	r->counted_to = m.at;
	sf_spool_unmap(&m);
}

/* A dead thread's descriptor would wake us for ever. */
static void handle(struct sf_ring_reader *r, const struct epoll_event *ev)
{
	uint64_t n;

	if (ev->data.fd == r->request)
		(void)!read(r->request, &n, sizeof(n));
	else if (ev->events & (EPOLLHUP | EPOLLERR))
		epoll_ctl(r->epoll, EPOLL_CTL_DEL, ev->data.fd, NULL);
}

static void answer(struct sf_ring_reader *r, bool *stop)
{
	uint64_t asked;

	pthread_mutex_lock(&r->lock);
	asked = r->asked;
	*stop = r->stop;
	pthread_mutex_unlock(&r->lock);
	if (asked == r->answered)
		return;
	drain(r, true);
	sf_ring_count(r);
	pthread_mutex_lock(&r->lock);
	r->answered = asked;
	r->cpu_ns = sf_thread_cpu();
	pthread_cond_broadcast(&r->done);
	pthread_mutex_unlock(&r->lock);
}

/* The kernel counts what finds no room meanwhile. Who asks does not wait. */
static void keep_budget(struct sf_ring_reader *r, uint64_t *cpu_before)
{
	uint64_t cpu = sf_thread_cpu(), rest = sf_budget_take(r->budget, cpu - *cpu_before, sf_now());
	struct pollfd p = { r->request, POLLIN, 0 };

	*cpu_before = cpu;
	if (rest)
		poll(&p, 1, rest / 1000000 < TICK_MS ? (int)(rest / 1000000) + 1 : TICK_MS);
}

static void *reader_thread(void *arg)
{
	struct sf_ring_reader *r = arg;
	struct epoll_event ev[16];
	bool stop = false;
	uint64_t next_wakings = 0, cpu = 0;

	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
	while (!stop) {
		int n = epoll_wait(r->epoll, ev, 16, TICK_MS);
		uint64_t now = sf_now();

		for (int i = 0; i < n; i++)
			handle(r, &ev[i]);
		drain(r, now >= next_wakings);
		if (now >= next_wakings)
			next_wakings = now + TICK_MS * UINT64_C(1000000);
		answer(r, &stop);
		keep_budget(r, &cpu);
	}
	return NULL;
}

static int watch(struct sf_ring_reader *r, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(r->epoll, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

int sf_ring_start(struct sf_ring_reader *r, struct sf_events *events, struct sf_wakings *wakings,
		  struct sf_spool *spool, struct sf_budget *budget, struct sf_error *err)
{
	int ret;

	*r = (struct sf_ring_reader){
		.events = events,
		.wakings = wakings,
		.spool = spool,
		.budget = budget,
	};
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->done, NULL);
	r->epoll = epoll_create1(EPOLL_CLOEXEC);
	r->request = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ret = r->epoll < 0 || r->request < 0 ? -errno : watch(r, r->request);
	for (int i = 0; i < SF_EV_NR; i++) {
		for (size_t k = 0; k < events->event[i].nr && !ret; k++)
			ret = watch(r, events->event[i].fd[k]);
	}
	if (!ret)
		ret = -pthread_create(&r->thread, NULL, reader_thread, r);
	if (ret) {
		sf_error_set(err, ret, "the reader cannot be started: %s", strerror(-ret));
		sf_ring_stop(r);
		return ret;
	}
	pthread_setname_np(r->thread, "snapflame-read");
	r->running = true;
	return 0;
}

static void ask(struct sf_ring_reader *r, bool stop)
{
	const uint64_t one = 1;

	pthread_mutex_lock(&r->lock);
	r->asked++;
	r->stop |= stop;
	(void)!write(r->request, &one, sizeof(one)); /* it looks after each tick anyway */
	while (r->answered != r->asked)
		pthread_cond_wait(&r->done, &r->lock);
	pthread_mutex_unlock(&r->lock);
}

void sf_ring_sync(struct sf_ring_reader *r)
{
	if (r->running)
		ask(r, false);
}

void sf_ring_stop(struct sf_ring_reader *r)
{
	if (r->running) {
		ask(r, true);
		pthread_join(r->thread, NULL);
		r->running = false;
	}
	if (r->epoll >= 0)
		close(r->epoll);
	if (r->request >= 0)
		close(r->request);
	r->epoll = r->request = -1;
}
