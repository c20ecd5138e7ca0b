/* SPDX-License-Identifier: GPL-2.0-only */
/* What <snapflame/capture.h> hides: shared by the files that open, run and save a capture. */
#ifndef SF_CAPTURE_SESSION_H
#define SF_CAPTURE_SESSION_H

#include <stdatomic.h>

#include <snapflame/capture.h>

#include "budget.h"
#include "covariates.h"
#include "driver.h"
#include "events.h"
#include "flight.h"
#include "journal.h"
#include "kallsyms.h"
#include "keeper.h"
#include "mark_list.h"
#include "missing.h"
#include "poller.h"
#include "ring.h"
#include "sideband.h"
#include "snapshot.h"
#include "spool.h"
#include "tracefs.h"
#include "wakings.h"

enum sf_waking_source { SF_WAKINGS_NONE, SF_WAKINGS_PERF, SF_WAKINGS_FTRACE };

/* Ids of the events that no kernel opened; the kernel counts its own from 1. */
enum sf_own_id { SF_ID_TASK_STACK, SF_ID_MARK, SF_ID_WAKING, SF_ID_RQ_DONE, SF_ID_SENT };
#define SF_OWN_ID(n) ((UINT64_C(1) << 48) + (n))

struct sf_capture {
	struct sf_capture_opts opts; /* pointers are the caller's, who keeps them */
	pid_t pid;
	char comm[16];
	char exe[4096];
	enum sf_scope scope;
	unsigned poll_hz;
	bool own_target; /* the target is the command */
	bool trace_mark; /* the first window has begun */
	int target_fd, stop_fd;
	struct sf_driver *driver;
	struct sf_tracefs tracefs;
	enum sf_waking_source waking_source;
	struct sf_wakings wakings;
	struct sf_events events;
	struct sf_kallsyms kallsyms;
	atomic_uint_fast64_t spooled;
	struct sf_spool spool, poll_spool;
	struct sf_journal journal;
	struct sf_keeper keeper;
	struct sf_flight flight;
	struct sf_budget budget, poll_budget; /* of all threads; of the poller alone */
	struct sf_ring_reader reader;
	struct sf_poller poller;
	bool reader_started, stopped;
	struct sf_sideband sideband;
	struct sf_marks marks;
	struct sf_addresses addresses; /* in the marks */
	struct sf_missing missing;
	uint64_t start; /* ns: nothing in the recording is older */
	uint64_t start_realtime;
	struct sf_capture_stats stats;
	uint64_t window_ns, recorder_ns, poll_ns; /* wall and CPU time in windows */
	uint64_t waking_lost, waking_unread;
	bool requests;         /* block_rq_complete comes through wakings, too */
	uint16_t rq_done_type; /* its common_type */
	bool sent;             /* and net_dev_xmit */
	uint16_t sent_type;
	json_t *reply;      /* the last BRANCH's own JSON */
	const char *reason; /* of the end mark */
};

/* Ends reading; after it the spools are complete. */
void sf_session_stop(struct sf_capture *c);
int sf_session_meta(struct sf_capture *c);
/* The mark of a window. */
int sf_session_window(struct sf_capture *c, const struct sf_branch *b);
/* "pid==1||pid==2..." over the target's threads, for a tracepoint's filter; malloc'd, or NULL. */
char *sf_session_filter(const struct sf_capture *c, const char *field);

#endif
