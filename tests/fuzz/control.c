/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any bytes through the control channel, and any text as what a BRANCH prints: windows that end, in
 * which what was said is JSON or text.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "capture/driver.h"
#include "output_holds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PIPE_BYTES = 65536, MOST_BRANCHES = 50 };

#define FIELDS "pause_ms=a.b,diff_ms=timings.diff,x=,=y,z"

static char path[64];

static void remove_fifo(void)
{
	unlink(path);
}

static void check_object(const json_t *o)
{
	char *text = o ? json_dumps(o, 0) : NULL;

	MUST(!o || (json_is_object(o) && text));
	free(text);
}

static void check_branch(struct sf_branch *b)
{
	check_object(b->json);
	check_object(b->extra);
	MUST(b->end >= b->begin);
	MUST(!b->status || b->error);
	sf_branch_release(b);
}

/* What is in the FIFO, and then the wish to end. */
static void drive(const uint8_t *data, size_t size)
{
	int stop = eventfd(1, EFD_CLOEXEC), fd;
	struct sf_error err = SF_ERROR_INIT;
	struct sf_driver *d;

	MUST(stop >= 0 && !sf_driver_control(&d, path, FIELDS, &err));
	d->stop_fd = stop;
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	MUST(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	for (int i = 0; i < MOST_BRANCHES; i++) {
		struct sf_branch b = { .number = (unsigned)i + 1 };
		int ret = d->begin(d, &b, &err);

		if (!ret)
			ret = d->perform(d, &b, &err);
		check_branch(&b);
		MUST(ret != -EPROTO || err.what[0]);
		if (ret)
			break;
	}
	d->free(d);
	close(fd);
	close(stop);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *o = sf_branch_json((const char *)data, size, FIELDS);

	check_object(o);
	json_decref(o);
	if (!path[0]) {
		snprintf(path, sizeof(path), "/tmp/snapflame-fuzz-control.%d", (int)getpid());
		atexit(remove_fifo);
	}
	if (size && size < PIPE_BYTES / 2)
		drive(data, size);
	return 0;
}
