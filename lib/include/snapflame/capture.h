/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Recording the BRANCHes of a running VMM.
 *
 *	struct sf_capture_opts opts = { .pid = pid, .branches = 5, .branch_cmd = argv, … };
 *	struct sf_capture *c;
 *
 *	if (sf_capture_open(&c, &opts, &err))       open events, take what is known of the target
 *		…
 *	ret = sf_capture_run(c, &err);              perform the BRANCHes, each in its window
 *	ret2 = sf_capture_save(c, "out.data", NULL, &err);  write what was recorded
 *	sf_capture_free(c);
 *
 * In a window nothing is parsed and nothing is written to a disk: one thread copies the kernel's
 * rings to memory when they fill, another reads /proc/PID/task. All else is sf_capture_save()'s.
 *
 * sf_capture_save() works whatever sf_capture_run() returned: what was recorded is never lost to a
 * BRANCH that failed, a target that died or an interruption. What the machine did not let us record
 * is in sf_capture_missing() and in the recording.
 *
 * Forks small helpers that outlive a killed recorder: one removes its tracefs instance, one saves
 * what was recorded (see orphaned); so open a capture before starting threads.
 */
#ifndef SNAPFLAME_CAPTURE_H
#define SNAPFLAME_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <snapflame/error.h>
#include <snapflame/table.h>

struct sf_capture;

enum sf_scope {
	SF_SCOPE_AUTO,   /* system where it is allowed, else vmm */
	SF_SCOPE_SYSTEM, /* all CPUs: finds owners in other processes and the kernel's workers */
	SF_SCOPE_VMM,    /* the target's threads */
};

enum sf_call_graph {
	SF_CALL_GRAPH_AUTO, /* DWARF where the target's code keeps no frame pointers */
	SF_CALL_GRAPH_FP,
	SF_CALL_GRAPH_DWARF, /* 8 KiB of user stack with each sample */
	SF_CALL_GRAPH_NONE,
};

enum sf_window_kind {
	SF_WINDOW_AUTO, /* dark where it can be seen */
	SF_WINDOW_API,
	SF_WINDOW_DARK,
};

/* A BRANCH that ended, for the caller's progress line. */
struct sf_branch_info {
	unsigned branch, branches; /* from 1; 0 while warming up */
	uint64_t begin, end;       /* ns, CLOCK_MONOTONIC */
	double pause_ms;           /* as the BRANCH itself said; negative where it did not */
	uint64_t records, lost;    /* of the window and the gap before it */
	int status;                /* of the command, 0 good; 128 + signal */
	const char *error;         /* NULL or one clause */
	const char *note;          /* NULL, or what is wrong with its JSON, one clause */
};

struct sf_capture_opts {
	pid_t pid;                /* target; 0: the target is branch_cmd itself */
	enum sf_scope scope;
	enum sf_call_graph call_graph;
	enum sf_window_kind window;
	unsigned hz;              /* CPU samples a second and CPU; 0: 997 */
	unsigned poll_hz;         /* 0: SF_POLL_HZ, or what takes SF_POLL_MAX_CPU;
				     SF_POLL_NONE: no polling */
	bool syscalls;            /* record system calls (costly) */
	unsigned branches;        /* 0: 1; SF_BRANCHES_ANY: as many as control tells of */
	unsigned warmup;          /* BRANCHes performed and not recorded before */
	uint64_t gap;             /* ns between BRANCHes */
	uint64_t duration;        /* ns: without branch_cmd, the length of the one window; 0: until
				     sf_capture_stop() */
	uint64_t max_size;        /* bytes of raw records in memory; 0: a quarter of what is free */
	unsigned keep;            /* the last so many BRANCHes, fewer where max_size has no room for
				     them; 0: all, and max_size ends the recording */
	unsigned max_cpu;         /* per cent of one CPU for all our threads in a window; 0: no
				     limit */
	char *const *branch_cmd;  /* NULL-terminated; NULL: by an API, or windows come from
				     duration */
	const char *firecracker;  /* socket of an API that performs the BRANCHes; NULL: none. pid 0
				     is whoever serves it */
	const char *qmp;          /* the same for QEMU's QMP */
	const char *control;      /* somebody else performs them and tells us through this channel:
				     see snapflame-control(7) */
	const char *snapshot_dir; /* for the snapshot's files; NULL: where the socket is */
	bool snapshot_full;       /* all memory, where the API can do less */
	uint64_t timeout;         /* ns, of one call of an API; 0: 120 s */
	const char *json_fields;  /* "pause_ms=a.b,…": where the BRANCH's JSON has them; NULL: as
				     they are called */
	const char *const *label; /* "key=value", NULL-terminated; may be NULL */
	const char *vm;           /* the VM's name, for the recording; NULL: what the VMM was given */
	int argc;                 /* the command line, for the recording */
	char *const *argv;
	int out_fd;               /* what the command prints goes there: normally 1 */
	/* May be NULL. Called outside of windows. */
	void (*progress)(void *arg, const struct sf_branch_info *info);
	/*
	 * Called in a child of this process, made when the capture was opened, after this process
	 * was killed or has crashed, if the capture was neither saved nor freed by then. c is what
	 * was recorded up to that instant, for sf_capture_save() and sf_capture_stats(); the child
	 * has no standard input and output, and standard error only where that is a terminal; it
	 * exits when this returns. NULL: what was recorded is lost then.
	 */
	void (*orphaned)(void *arg, struct sf_capture *c);
	void *arg;
};

#define SF_BRANCHES_ANY (~0U)

enum { SF_POLL_HZ = 50, SF_POLL_NONE = 0x7fffffff, SF_POLL_MAX_CPU = 5 /* per cent */ };

int sf_capture_open(struct sf_capture **c, const struct sf_capture_opts *opts,
		    struct sf_error *err);

/*
 * Perform and record all BRANCHes. 0; -EINTR after sf_capture_stop(); -ESRCH when the target
 * exited; -ECHILD when a BRANCH failed (the others were performed); others.
 */
int sf_capture_run(struct sf_capture *c, struct sf_error *err);
/* End sf_capture_run() early. May be called from a signal handler. */
void sf_capture_stop(struct sf_capture *c);

struct sf_save_opts {
	/*
	 * Whose samples keep their stacks, beside the target's threads: add thread ids to tids.
	 * recording is the path of the complete recording, for as long as the call lasts. 0; 1 to
	 * keep all; -errno ends the saving. NULL: all.
	 */
	int (*select)(void *arg, const char *recording, struct sf_map64 *tids,
		      struct sf_error *err);
	void *arg;
	bool no_symbols; /* leave the names of addresses out */
};

/*
 * Write the recording. The previous file of that name is kept as path.old. Where path cannot be
 * written the recording is left in memory and save may be called again with another path. opts may
 * be NULL.
 */
int sf_capture_save(struct sf_capture *c, const char *path, const struct sf_save_opts *opts,
		    struct sf_error *err);

/* Can a recording be written there? To ask before the BRANCHes are performed. */
int sf_capture_check_output(const char *path, struct sf_error *err);

struct sf_capture_stats {
	unsigned branches;             /* windows recorded */
	unsigned forgotten;            /* of them, by a flight recorder: the first ones */
	uint64_t records, lost, bytes; /* bytes: of the file, after sf_capture_save() */
	double recorder_cpu_pct;       /* of one CPU, in windows: all our threads */
	double poll_cpu_pct;           /* the poller's part of it */
	bool target_exited;
};

void sf_capture_stats(const struct sf_capture *c, struct sf_capture_stats *stats);
/* What could not be recorded and how to get it, one line each; NULL past the last. */
const char *sf_capture_missing(const struct sf_capture *c, size_t index);

/* Frees and removes whatever is left in the kernel. */
void sf_capture_free(struct sf_capture *c);

/*
 * Pids whose comm is name (of the main thread): how many, and up to max of them in pid[].
 * Negative errno on failure.
 */
int sf_find_comm(const char *name, pid_t *pid, size_t max);

#endif
