/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "driver.h"
#include "proc.h"

struct timer_driver {
	struct sf_driver base;
	uint64_t ns;
};

static int timer_begin(struct sf_driver *d, struct sf_branch *b, struct sf_error *err)
{
	return 0;
}

static int timer_perform(struct sf_driver *d, struct sf_branch *b, struct sf_error *err)
{
	const struct timer_driver *t = (const struct timer_driver *)d;
	struct pollfd p[2] = { { d->stop_fd, POLLIN, 0 }, { d->target_fd, POLLIN, 0 } };
	int n = 0;

	b->begin = b->end = sf_now();
	while (!n && (!t->ns || b->end - b->begin < t->ns)) {
		uint64_t left = t->ns - (b->end - b->begin);

		n = poll(p, 2, t->ns && left < 3600 * UINT64_C(1000000000)
				      ? (int)((left + 999999) / 1000000)
				      : 3600 * 1000);
		b->end = sf_now();
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n < 0)
			n = 0;
	}
	/* To be told to end is how a window without a length ends. */
	return p[0].revents && t->ns ? -EINTR : 0;
}

static void timer_free(struct sf_driver *d)
{
	free(d);
}

int sf_driver_timer(struct sf_driver **out, uint64_t ns, struct sf_error *err)
{
	struct timer_driver *t = calloc(1, sizeof(*t));

	*out = NULL;
	if (!t)
		return sf_error_set(err, -ENOMEM, "out of memory");
	t->base = (struct sf_driver){ "duration", -1, -1, -1, timer_begin, timer_perform, timer_free };
	t->ns = ns;
	*out = &t->base;
	return 0;
}
