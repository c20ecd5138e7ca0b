/* SPDX-License-Identifier: GPL-2.0-only */
/* What the drivers have in common. */
#define _GNU_SOURCE
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "driver.h"

enum { EXIT_MS = 200 };

void sf_branch_fail(struct sf_branch *b, const char *fmt, ...)
{
	char *text = NULL, *both = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	if (!b->status)
		b->status = 1;
	if (b->error && text && asprintf(&both, "%s; %s", b->error, text) > 0) {
		free(text);
		text = both;
	}
	if (!text)
		return;
	free(b->error);
	b->error = text;
}

void sf_branch_set(struct sf_branch *b, const char *key, json_t *value)
{
	if (!b->extra)
		b->extra = json_object();
	json_object_set_new(b->extra, key, value);
}

void sf_branch_phase(struct sf_branch *b, const char *name, uint64_t begin, uint64_t end)
{
	json_t *list = json_object_get(b->extra, "phases");

	if (!list) {
		sf_branch_set(b, "phases", json_array());
		list = json_object_get(b->extra, "phases");
	}
	json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "name", name, "begin",
					      (json_int_t)begin, "end", (json_int_t)end));
}

bool sf_driver_stopped(const struct sf_driver *d)
{
	struct pollfd p = { d->stop_fd, POLLIN, 0 };

	return d->stop_fd >= 0 && poll(&p, 1, 0) > 0;
}

bool sf_driver_target_gone(const struct sf_driver *d)
{
	struct pollfd p = { d->target_fd, POLLIN, 0 };

	return p.fd >= 0 && poll(&p, 1, EXIT_MS) > 0;
}
