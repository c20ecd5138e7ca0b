/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the recorder learns while it runs and keeps in its own memory, written to shared memory as
 * well: with it and the spools the keeper can finish a recording whose recorder was killed.
 *
 * Written in generations: a whole one when recording starts and whenever something was forgotten,
 * behind it what is new. A reader takes the last whole one.
 */
#ifndef SF_CAPTURE_JOURNAL_H
#define SF_CAPTURE_JOURNAL_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "spool.h"

struct sf_capture;

struct sf_journal {
	struct sf_spool spool;
	atomic_uint_fast64_t used;
	size_t marks, addresses; /* so many of the capture's are in it */
};

int sf_journal_open(struct sf_journal *j);
void sf_journal_close(struct sf_journal *j);

/* A new generation: all that c knows. */
int sf_journal_rewrite(struct sf_capture *c);
/* What is new since. */
int sf_journal_write(struct sf_capture *c);
/* A BRANCH begins; the next sf_journal_write() says that it is over. */
int sf_journal_begin(struct sf_capture *c, unsigned branch, uint64_t time);

/*
 * In the keeper: into c, which is as it was when the keeper was made, and its spools. branch and
 * time are those of a BRANCH that was not over, else 0. -ENODATA: recording had not started.
 */
int sf_journal_read(struct sf_capture *c, unsigned *branch, uint64_t *time);

#endif
