/* SPDX-License-Identifier: GPL-2.0-only */
/* QEMU's machine protocol: JSON objects, one a line, over a unix socket. */
#ifndef SF_CAPTURE_QMP_H
#define SF_CAPTURE_QMP_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include <snapflame/error.h>

#include "api_wait.h"

struct sf_qmp {
	int fd;
	unsigned id;  /* of the last command */
	char *buf;    /* what was read and is not a whole line yet */
	size_t used, alloc;
	char version[64]; /* of QEMU, as its greeting says; "" where it does not */
	/* ns, CLOCK_MONOTONIC: of the last event of that name since sf_qmp_begin(); 0: none. */
	uint64_t stop, resume;
	int64_t time_of_day; /* - CLOCK_MONOTONIC, when it was called */
};

/* Take over the connected, non-blocking fd and negotiate. */
int sf_qmp_open(struct sf_qmp *q, int fd, const struct sf_api_wait *wait, struct sf_error *err);

/* Begin to look for events. */
void sf_qmp_begin(struct sf_qmp *q);

/*
 * Execute command with arguments (an object that is taken over, or NULL); pass is a descriptor that
 * goes along, or -1. *ret is the reply's "return", for the caller to release; may be NULL.
 * -EREMOTEIO where QEMU says no, with its words; otherwise as sf_api_clock_look(), -ECONNRESET,
 * -EPROTO.
 */
int sf_qmp_call(struct sf_qmp *q, const char *command, json_t *arguments, int pass,
		const struct sf_api_wait *wait, json_t **ret, struct sf_error *err);
void sf_qmp_close(struct sf_qmp *q);

#endif
