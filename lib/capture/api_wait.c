/* SPDX-License-Identifier: GPL-2.0-only */
#include "api_wait.h"

#include <errno.h>
#include <string.h>

#include "proc.h"

void sf_api_clock_start(struct sf_api_clock *c, const struct sf_api_wait *wait)
{
	*c = (struct sf_api_clock){ .wait = wait, .deadline = sf_now() + wait->timeout };
}

int sf_api_clock_look(struct sf_api_clock *c, bool stop, bool exited)
{
	uint64_t now = sf_now();

	if (exited)
		return -ESRCH;
	if (stop && !c->stopped) {
		c->stopped = true;
		if (c->deadline > now + c->wait->grace)
			c->deadline = now + c->wait->grace;
	}
	if (now < c->deadline)
		return 0;
	return c->stopped ? -EINTR : -ETIMEDOUT;
}

int sf_api_clock_ms(const struct sf_api_clock *c, int max)
{
	uint64_t now = sf_now(), left = c->deadline > now ? (c->deadline - now) / 1000000 + 1 : 1;

	return left < (uint64_t)max ? (int)left : max;
}

int sf_api_fail(int ret, const struct sf_api_wait *wait, const char *what, struct sf_error *err)
{
	switch (ret) {
	case -ETIMEDOUT:
		return sf_error_set(err, ret, "%s: no reply within %.3g s; --timeout SEC waits longer",
				    what, (double)wait->timeout / 1e9);
	case -EINTR:
		return sf_error_set(err, ret, "%s: interrupted while waiting for the reply", what);
	case -ESRCH:
		return sf_error_set(err, ret, "%s: the VMM exited before it replied", what);
	default: return sf_error_set(err, ret, "%s: %s", what, strerror(-ret));
	}
}
