/* SPDX-License-Identifier: GPL-2.0-only */
/* Main has the same work each time, but other processes' threads want its CPU. */
#include "burn.h"
#include "cause.h"
#include "peer.h"
#include "util.h"
#include "vmm.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#define MAIN_WORK_MS 40
#define MAX_HOGS     32

static struct helper hog;
static int *stop; /* shared with the hog */
static int cpu;
static uint64_t digest;

static FRAME uint64_t encode_state(uint64_t x)
{
	return burn_dose(x);
}

static FRAME uint64_t hog_cpu(uint64_t x)
{
	return burn_dose(x);
}

static int last_cpu(void)
{
	cpu_set_t set;
	int i = CPU_SETSIZE - 1;

	if (sched_getaffinity(0, sizeof(set), &set))
		return -1;
	while (i >= 0 && !CPU_ISSET(i, &set))
		i--;
	return i;
}

static void pin(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("cannot pin a thread to CPU %d: %s", cpu, strerror(errno));
}

static void *hog_main(void *arg)
{
	uint64_t x = 1;

	pin();
	while (!__atomic_load_n(stop, __ATOMIC_RELAXED))
		x = hog_cpu(x);
	return NULL;
}

static int64_t hog_until_stopped(void *arg, int64_t threads)
{
	pthread_t hogs[MAX_HOGS];
	int64_t n = 0;

	while (n < threads && n < MAX_HOGS && !pthread_create(&hogs[n], NULL, hog_main, NULL))
		n++;
	for (int64_t i = 0; i < n; i++)
		pthread_join(hogs[i], NULL);
	return n;
}

static void setup(struct vmm *vmm)
{
	burn_doses(1);
	stop = shared_alloc(sizeof(*stop));
	cpu = last_cpu();
	helper_start(&hog, "cpu-hog", hog_until_stopped, NULL);
}

/* Not in setup: the threads that are started after it would inherit the CPU. */
static void between(struct vmm *vmm, unsigned k)
{
	if (!k)
		pin();
}

static void run(struct vmm *vmm, unsigned k)
{
	__atomic_store_n(stop, 0, __ATOMIC_RELAXED);
	helper_post(&hog, (int64_t)vmm_work(vmm, k));
	for (uint64_t i = burn_doses(MAIN_WORK_MS); i; i--)
		digest ^= encode_state(i);
	__atomic_store_n(stop, 1, __ATOMIC_RELAXED);
	helper_wait(&hog);
}

static void teardown(struct vmm *vmm)
{
	helper_stop(&hog);
}

static struct cause cause = {
	.name = "cpu-hog",
	.summary = "more and more threads of another process want main's CPU",
	.unit = "threads",
	.base = 0,
	.grow = 1.5,
	.answers = { { "runqueue", ROLE_PROCESS, "cpu-hog", NULL } },
	.setup = setup,
	.between = between,
	.run = run,
	.teardown = teardown,
};
CAUSE(cause)
