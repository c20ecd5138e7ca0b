/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A child that resumes the VM where the recorder cannot: because it was killed, or because it gave
 * up on a VMM that did not answer. The VM must never stay paused on our account.
 *
 *	sf_janitor_start(&j, path, steps)    before any thread is started
 *	sf_janitor_paused(&j, true)          the VM is about to be paused
 *	sf_janitor_paused(&j, false)         it is known to run again
 *	sf_janitor_release(&j)               if it is still paused the child goes to work
 */
#ifndef SF_CAPTURE_JANITOR_H
#define SF_CAPTURE_JANITOR_H

#include <stdbool.h>
#include <sys/types.h>

/* What is sent to the socket, and what has to come for the next step to be made. */
struct sf_janitor_step {
	const char *send;   /* "" for nothing */
	const char *expect; /* text in the reply */
	const char *retry;  /* text that says no: connect and begin again; may be NULL */
};

struct sf_janitor {
	pid_t pid;
	int pipe;
	bool paused;
};

#define SF_JANITOR_INIT { .pipe = -1 }

/* Steps end with one without send. They and path must outlive the call only. */
int sf_janitor_start(struct sf_janitor *j, const char *path, const struct sf_janitor_step *step);
void sf_janitor_paused(struct sf_janitor *j, bool paused);
void sf_janitor_release(struct sf_janitor *j);

#endif
