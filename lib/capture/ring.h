/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The thread that empties the kernel's buffers into the spool. It sleeps until a ring is half full
 * or somebody asks, copies bytes as they are, and looks at none of them in a window.
 */
#ifndef SF_CAPTURE_RING_H
#define SF_CAPTURE_RING_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <snapflame/error.h>

#include "budget.h"
#include "events.h"
#include "spool.h"
#include "wakings.h"

struct sf_ring_reader {
	struct sf_events *events;
	struct sf_wakings *wakings;
	struct sf_spool *spool;
	struct sf_budget *budget;
	pthread_t thread;
	bool running;
	int epoll, request; /* request: an eventfd */
	pthread_mutex_t lock;
	pthread_cond_t done;
	uint64_t asked, answered; /* requests to drain */
	bool stop;
	uint64_t counted_to;      /* spool offset up to which records were counted */
	uint64_t records, lost;
	uint64_t refused;         /* those of the lost that the spool had no room for */
	uint64_t cpu_ns;          /* of the thread */
};

/* Move what is in the ring to the spool. How many records the spool refused: they are gone. */
uint64_t sf_ring_drain(struct sf_ring *ring, uint32_t index, struct sf_spool *spool);

/* Where the ring goes on with these size bytes, which are saved already: they are taken out of it. */
void sf_ring_skip(struct sf_ring *ring, const void *saved, uint64_t size);
/* Bring records and lost up to date with the spool; for who has no thread running. */
void sf_ring_count(struct sf_ring_reader *r);

int sf_ring_start(struct sf_ring_reader *r, struct sf_events *events, struct sf_wakings *wakings,
		  struct sf_spool *spool, struct sf_budget *budget, struct sf_error *err);
/* Empty all buffers now and bring the counts up to date. */
void sf_ring_sync(struct sf_ring_reader *r);
/* The last drain, and the thread's end. */
void sf_ring_stop(struct sf_ring_reader *r);

#endif
