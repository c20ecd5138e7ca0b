/* SPDX-License-Identifier: GPL-2.0-only */
#include "chan.h"

#include "util.h"

#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void futex(struct chan *c, int op, uint32_t value)
{
	syscall(SYS_futex, &c->full, op | (c->shared ? 0 : FUTEX_PRIVATE_FLAG), value, NULL, NULL,
		FUTEX_BITSET_MATCH_ANY);
}

void chan_init(struct chan *c, int shared)
{
	memset(c, 0, sizeof(*c));
	c->shared = shared;
}

void chan_send(struct chan *c, int64_t value)
{
	if (__atomic_load_n(&c->full, __ATOMIC_ACQUIRE))
		die("a message overran its channel");
	c->value = value;
	__atomic_store_n(&c->full, 1, __ATOMIC_RELEASE);
	futex(c, FUTEX_WAKE, INT_MAX);
}

FRAME int64_t chan_recv(struct chan *c)
{
	int64_t value;

	while (!__atomic_load_n(&c->full, __ATOMIC_ACQUIRE))
		futex(c, FUTEX_WAIT_BITSET, 0);
	value = c->value;
	__atomic_store_n(&c->full, 0, __ATOMIC_RELEASE);
	return value;
}
