/* SPDX-License-Identifier: GPL-2.0-only */
/* What the machine was like at an edge of a window: what later BRANCHes may be slower by. */
#ifndef SF_CAPTURE_COVARIATES_H
#define SF_CAPTURE_COVARIATES_H

#include <jansson.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * {name: number}. Names end in the unit: Dirty_kB, psi_io_some_us, disk_vda_write_ms, …; counters
 * are as the kernel has them, since boot. NULL without memory.
 *
 * own: bytes that this capture has in shared memory. They grow with every BRANCH, as whatever they
 * are counted in would: it is given without them.
 */
json_t *sf_covariates(pid_t pid, uint64_t own);
/* The same on an object that has been read. */
void sf_covariates_without(json_t *o, uint64_t own);

/*
 * [{"path","bytes","allocated_bytes","extents"}]: regular files that pid has open for writing, and
 * those that the words and the reply (an object, or NULL) name: a snapshot's files are open only
 * while it is written.
 */
json_t *sf_covariates_files(pid_t pid, char *const *word, const json_t *reply);

/* Bytes that each process has written so far. */
struct sf_writers {
	struct sf_writer_proc {
		pid_t pid;
		char comm[16];
		uint64_t write_bytes, cancelled_bytes;
	} *item;
	size_t nr, alloc;
};

int sf_writers_take(struct sf_writers *w);
void sf_writers_release(struct sf_writers *w);
/* [{"pid","comm","write_bytes","cancelled_bytes"}]: who wrote between the two, most first. */
json_t *sf_writers_between(const struct sf_writers *before, const struct sf_writers *after);

#endif
