/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A mailbox for one message between two threads, as a VMM's channels are seen from outside: the
 * receiver waits in futex(FUTEX_WAIT_BITSET), the sender wakes it. Also a one-way signal between
 * processes when the mailbox lies in shared memory (chan_init with shared set).
 */
#ifndef BRANCHSIM_CHAN_H
#define BRANCHSIM_CHAN_H

#include <stdint.h>

struct chan {
	uint32_t full; /* the futex word: 0 empty, 1 full */
	int shared;    /* lies in memory shared between processes */
	int64_t value;
};

void chan_init(struct chan *c, int shared);

/* The mailbox must be empty: each message is received before the next one is sent. */
void chan_send(struct chan *c, int64_t value);

int64_t chan_recv(struct chan *c);

#endif
