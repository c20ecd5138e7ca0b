/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The perf events of a recording, through libperf: which ones, in which scope, opened as far as the
 * kernel lets us.
 */
#ifndef SF_CAPTURE_EVENTS_H
#define SF_CAPTURE_EVENTS_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <snapflame/capture.h>
#include <snapflame/error.h>

#include "missing.h"
#include "tracefs.h"

/* Of each event: how long it was on, for sf_events_running(). */
#define SF_READ_FORMAT                                                                             \
	(PERF_FORMAT_ID | PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING)

struct perf_evlist;
struct perf_evsel;

enum sf_event_id {
	SF_EV_CLOCK,
	SF_EV_SWITCH,
	SF_EV_SIDEBAND,
	SF_EV_WAKING,
	SF_EV_RQ_ISSUE,
	SF_EV_RQ_DONE,
	SF_EV_KVM_EXIT,
	SF_EV_SYS_ENTER,
	SF_EV_SYS_EXIT,
	SF_EV_NR,
};

struct sf_perf_event {
	const char *name;
	struct perf_event_attr attr;
	struct perf_evsel *evsel; /* NULL: not recorded */
	bool wide;                /* CPU-wide, else of the target's tasks */
	int *fd;
	uint64_t *id;
	size_t nr, alloc, id_alloc;
};

/* One ring buffer of the kernel, mapped by libperf. */
struct sf_ring {
	struct perf_event_mmap_page *page;
	size_t size; /* of the mapping */
};

struct sf_events {
	struct sf_perf_event event[SF_EV_NR];
	struct perf_evlist *list[2]; /* wide, task */
	struct sf_ring *ring;
	size_t nr_rings, rings_alloc;
	unsigned *cpu;  /* numbers of those that each CPU-wide event was opened on, sorted */
	size_t nr_cpus;
	bool user_only; /* the kernel's side is not for us */
	bool no_files;  /* there were not descriptors enough */
};

struct sf_events_opts {
	pid_t pid;
	enum sf_scope scope; /* not AUTO */
	enum sf_call_graph call_graph;
	unsigned hz;
	bool kvm, syscalls, perf_wakings, perf_requests;
	/* "pid==1||pid==2..." over the target's threads, and with common_pid; NULL: none */
	const char *pid_filter, *common_pid_filter;
};

/*
 * Open everything, disabled. What cannot be had goes to missing; -errno only where nothing is left
 * (no switches and no samples).
 */
int sf_events_open(struct sf_events *e, const struct sf_events_opts *opts,
		   const struct sf_tracefs *fs, struct sf_missing *missing, struct sf_error *err);
/* Switch on or off. The sideband stays on from the first time: maps must not be missed in a gap. */
void sf_events_enable(struct sf_events *e, bool on);
void sf_events_enable_sideband(struct sf_events *e);
/*
 * ns that CPU-wide events were counting, for each CPU; -ENOENT where none is CPU-wide. Whole only
 * while they are on.
 */
int sf_events_running(const struct sf_events *e, uint64_t *ns);
void sf_events_close(struct sf_events *e);

/* May this process record all CPUs? */
bool sf_events_system_allowed(void);

#endif
