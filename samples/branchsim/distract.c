/* SPDX-License-Identifier: GPL-2.0-only */
/* Threads that a careless analysis would blame: waiting, napping, or busy now and then. */
#include "burn.h"
#include "names.h"
#include "util.h"
#include "vmm.h"

#include <errno.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

static pthread_mutex_t work_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work_ready = PTHREAD_COND_INITIALIZER;

static FRAME void wait_for_work(void)
{
	pthread_mutex_lock(&work_lock);
	for (;;)
		pthread_cond_wait(&work_ready, &work_lock);
}

static FRAME void poll_events(void)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int poll_fd = epoll_create1(EPOLL_CLOEXEC), event_fd = eventfd(0, EFD_CLOEXEC);

	epoll_ctl(poll_fd, EPOLL_CTL_ADD, event_fd, &ev);
	for (;;)
		epoll_wait(poll_fd, &ev, 1, -1);
}

static FRAME void nap(void)
{
	for (;;)
		sleep_ns(MS_TO_NS(7));
}

static FRAME uint64_t update_counter(uint64_t x)
{
	return burn_dose(x);
}

/* About 2 % of a CPU. */
static FRAME void flush_metrics(void)
{
	volatile uint64_t sink = 1;

	for (;;) {
		for (uint64_t i = burn_doses(1); i; i--)
			sink = update_counter(sink);
		sleep_ns(MS_TO_NS(49));
	}
}

struct distractor {
	const char *name;
	void (*run)(void);
};

static void *distractor_main(void *arg)
{
	const struct distractor *d = arg;

	d->run();
	return NULL;
}

void distractors_start(void)
{
	static const struct distractor all[] = {
		{ "rayon-0", wait_for_work }, { "rayon-1", wait_for_work },
		{ "rayon-2", wait_for_work }, { "event-loop", poll_events },
		{ "napper", nap },            { "metrics", flush_metrics },
	};
	char name[COMM_SIZE];
	pthread_t thread;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		if (pthread_create(&thread, NULL, distractor_main, (void *)&all[i]))
			die("cannot start the thread %s", all[i].name);
		names_other(name, all[i].name);
		set_thread_name(thread, name);
	}
}
