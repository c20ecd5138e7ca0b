/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A child that sleeps as long as the recorder lives. Where the recorder is killed it has all that was
 * recorded: it shares the spools and the journal, and has the kernel's rings mapped, too. It empties
 * them, switches everything off, and calls the capture's orphaned() to save the recording.
 */
#ifndef SF_CAPTURE_KEEPER_H
#define SF_CAPTURE_KEEPER_H

#include <sys/types.h>

struct sf_capture;

struct sf_keeper {
	pid_t pid;
	int sock;
};

#define SF_KEEPER_INIT { .sock = -1 }

/* When the events are open and no thread of the capture runs yet. */
int sf_keeper_start(struct sf_capture *c);
/* All is in the spools: what the keeper holds of the kernel's can go. */
void sf_keeper_stopped(struct sf_keeper *k);
/* The recording is safe, or nobody wants it. */
void sf_keeper_end(struct sf_keeper *k);

#endif
