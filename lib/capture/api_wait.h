/* SPDX-License-Identifier: GPL-2.0-only */
/* What a call of a VMM's API gives up for. */
#ifndef SF_CAPTURE_API_WAIT_H
#define SF_CAPTURE_API_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include <snapflame/error.h>

struct sf_api_wait {
	uint64_t timeout;       /* ns */
	uint64_t grace;         /* ns that are left once stop_fd is readable; 0: none */
	int stop_fd, target_fd; /* readable: the user wants to end; the VMM has exited. Or -1 */
};

/* State of one wait. */
struct sf_api_clock {
	const struct sf_api_wait *wait;
	uint64_t deadline;
	bool stopped; /* stop_fd was readable: it need not be polled any more */
};

void sf_api_clock_start(struct sf_api_clock *c, const struct sf_api_wait *wait);
/* 0 to go on waiting; -ETIMEDOUT, -EINTR, -ESRCH. stop and exited: was that descriptor readable? */
int sf_api_clock_look(struct sf_api_clock *c, bool stop, bool exited);
/* ms to poll for, at least 1, at most max. */
int sf_api_clock_ms(const struct sf_api_clock *c, int max);
/* The sentence for what look() returned, about the call what. */
int sf_api_fail(int ret, const struct sf_api_wait *wait, const char *what, struct sf_error *err);

#endif
