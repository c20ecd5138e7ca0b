/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a BRANCH is performed: by a command, by calls to a VMM's API, or by somebody else who only
 * tells when. The capture calls, for each BRANCH,
 *
 *	begin     get ready, or wait until somebody says that the BRANCH is about to begin
 *	          (then it takes the snapshot of the threads)
 *	perform   do it, or wait until somebody says that it is over; fill the struct
 *
 * and both return early when stop_fd is readable (-EINTR) or soon after the target exited
 * (target_fd readable). Not in here: anything that touches perf or /proc.
 */
#ifndef SF_CAPTURE_DRIVER_H
#define SF_CAPTURE_DRIVER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <snapflame/error.h>

struct sf_branch {
	unsigned number;     /* from 1, 0 while warming up; set by the capture */
	uint64_t begin, end; /* ns: the API window; set by perform */
	int status;          /* 0 good, as a shell's $? */
	json_t *json;        /* what the BRANCH said: an object, or NULL */
	char *text;          /* as printed, where it was not JSON; malloc'd, or NULL */
	json_t *extra;       /* further fields of the window mark (api_begin, phases, dark_begin,
				…): an object, or NULL */
	char *error;         /* why it failed, one clause; malloc'd, or NULL */
	char *note;          /* what is wrong with what it said, one clause; malloc'd, or NULL */
};

struct sf_driver {
	const char *source;     /* of the window mark: "cmd", "firecracker", … */
	int stop_fd, target_fd; /* set by the capture before the first begin; target_fd may be -1 */
	int output; /* somebody has to read from it as long as there is something, even if this
		       process is killed; -1: none */
	/* 0, or -errno: no BRANCH can be performed any more. */
	int (*begin)(struct sf_driver *d, struct sf_branch *b, struct sf_error *err);
	/* 0 also where the BRANCH failed: b->status and b->error say so. */
	int (*perform)(struct sf_driver *d, struct sf_branch *b, struct sf_error *err);
	void (*free)(struct sf_driver *d);
};

void sf_branch_release(struct sf_branch *b);

/* For drivers. A failed BRANCH has a status and says why; a second reason is added to the first. */
void sf_branch_fail(struct sf_branch *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A field of the window mark; takes value over. */
void sf_branch_set(struct sf_branch *b, const char *key, json_t *value);
void sf_branch_phase(struct sf_branch *b, const char *name, uint64_t begin, uint64_t end);
bool sf_driver_stopped(const struct sf_driver *d);
/* Has the target exited, or does it in a moment? A process that dies closes its sockets some time
 * before it is seen to be dead. */
bool sf_driver_target_gone(const struct sf_driver *d);

/* A command; what it prints goes to out_fd as well. Its words and json_fields are copied. */
int sf_driver_cmd(struct sf_driver **d, char *const *cmd, int out_fd, const char *json_fields,
		  struct sf_error *err);
/* The process of the command that begin() made and that waits for perform(). */
pid_t sf_driver_cmd_pid(const struct sf_driver *d);
/* The file that is executed. */
const char *sf_driver_cmd_path(const struct sf_driver *d);

/* A window of some seconds, or until stop_fd where ns is 0. */
int sf_driver_timer(struct sf_driver **d, uint64_t ns, struct sf_error *err);

/* How to take a snapshot through a VMM's API. */
struct sf_vmm_opts {
	const char *sock;
	const char *dir;  /* of the snapshot's files, as the VMM sees it; NULL: the socket's */
	bool full;        /* a full snapshot; else what changed since the last one */
	uint64_t timeout; /* ns, of one call; 0: SF_VMM_TIMEOUT */
};

#define SF_VMM_TIMEOUT (120 * UINT64_C(1000000000))

/*
 * Firecracker's HTTP API. The VMM is resumed whatever happens after it was paused; where this
 * process is killed, by a child of it. *pid is set where it is 0: to the process that listens.
 */
int sf_driver_firecracker(struct sf_driver **d, const struct sf_vmm_opts *opts, pid_t *pid,
			  struct sf_error *err);

/* QEMU's QMP: stop, migrate to a file of ours, cont; the same care. dir is as we see it. */
int sf_driver_qmp(struct sf_driver **d, const struct sf_vmm_opts *opts, pid_t *pid,
		  struct sf_error *err);

/*
 * Somebody else, who says when: lines through a FIFO, "FIFO,ACK" or "unix:SOCK" (see
 * snapflame-control(7)). Begin returns -ENODATA when he says that there will be no more.
 */
int sf_driver_control(struct sf_driver **d, const char *where, const char *json_fields,
		      struct sf_error *err);

/*
 * The JSON object in what a BRANCH printed: all of it, or its last line that is one. Fields that
 * fields ("pause_ms=a.b,…") names are copied to the top. NULL where there is none.
 */
json_t *sf_branch_json(const char *text, size_t len, const char *fields);
/* Take what a BRANCH printed into b: json, text where there is none, and note. */
void sf_branch_take_reply(struct sf_branch *b, const char *text, size_t len, const char *fields);

#endif
