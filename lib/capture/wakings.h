/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sched_waking and block_rq_complete through a tracefs instance of our own; and net_dev_xmit of the
 * loopback device, which tells whose message a waking by a soft interrupt is.
 *
 * perf loses samples of tracepoints that fire in an idle task on some virtual machines, without a
 * word: exactly the wakings and the completions done by interrupts. ftrace records the same events
 * everywhere.
 */
#ifndef SF_CAPTURE_WAKINGS_H
#define SF_CAPTURE_WAKINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <snapflame/error.h>

#include "spool.h"
#include "tracefs.h"

struct sf_wakings {
	const struct sf_tracefs *fs;
	char name[48];   /* of the instance's directory, "" while there is none */
	int dir;         /* the instance */
	pid_t janitor;   /* removes the instance when we are killed; 0: none */
	int janitor_pipe;
	int *cpu_fd;     /* trace_pipe_raw by index */
	int *cpu;        /* its CPU */
	size_t nr;
	size_t page_size;
	char *page;
	bool requests;    /* block_rq_complete is on */
	bool sent;        /* net_dev_xmit is on */
	uint64_t refused; /* events that the spool had no room for */
};

/*
 * Make the instance, its event still off. filter: text for the event's filter, NULL for none.
 * -errno with the reason in err; w needs no close then.
 */
int sf_wakings_open(struct sf_wakings *w, const struct sf_tracefs *fs, const char *filter,
		    struct sf_error *err);
void sf_wakings_filter(struct sf_wakings *w, const char *filter);
int sf_wakings_enable(struct sf_wakings *w, bool on);
/* Move what there is to the spool. */
void sf_wakings_drain(struct sf_wakings *w, struct sf_spool *spool);
/* Events that the kernel or the spool had no room for. */
uint64_t sf_wakings_lost(const struct sf_wakings *w);
/* Remove the instance. */
void sf_wakings_close(struct sf_wakings *w);

/* One event of a sub-buffer: the trace entry as in perf's RAW data. */
typedef int (*sf_waking_fn)(void *arg, uint64_t time, const void *entry, size_t size);
/* Call fn for each event in a sub-buffer of size bytes; a non-zero result ends it. */
int sf_wakings_decode(const void *page, size_t size, sf_waking_fn fn, void *arg);

#endif
