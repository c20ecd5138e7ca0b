/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Profiles to a server for continuous profiling, over the HTTP interface that it documents. What is to
 * be sent is first kept in a spool directory, and removed from there when the server has it: a server
 * that is away, hangs or has no time for us loses nothing.
 *
 *	sf_push_open(&p, &opts, &err);
 *	sf_push_add(p, &profile, &err);          … in the spool now
 *	ret = sf_push_send(p, &stats, &err);     all that waits, the oldest first
 *	sf_push_free(p);
 *
 * Which interface it is, the URL says: …/ingest is Pyroscope's, …/profiles/writeraw Parca's. A server
 * may get a profile twice when its reply was lost.
 */
#ifndef SNAPFLAME_PUSH_H
#define SNAPFLAME_PUSH_H

#include <stddef.h>
#include <stdint.h>

#include <snapflame/error.h>

struct sf_push;

struct sf_push_opts {
	const char *url;           /* where sf_push_add()ed profiles go; NULL: nothing is added */
	const char *spool;         /* directory, made where there is none */
	const char *const *header; /* "Name: value" for every request, NULL-terminated; may be NULL.
				      Not kept in the spool */
	uint64_t timeout;          /* ns for one request; 0: 10 s */
	uint64_t retry;            /* ns until sf_push_send() gives up; 0: one try */
};

struct sf_push_label {
	const char *name, *value;
};

struct sf_push_profile {
	const char *app;                   /* "firecracker" */
	const struct sf_push_label *label; /* names are made fit for the server */
	size_t nr_labels;
	uint64_t begin, end;               /* ns since 1970 */
	const void *pprof;                 /* gzip'd */
	size_t len;
};

struct sf_push_stats {
	size_t sent;     /* the server has them */
	size_t rejected; /* it never will: kept as *.rejected */
	size_t waiting;  /* in the spool */
	size_t tries;
};

/* -EINVAL for a URL that is neither server's, -ENOTSUP where built without libcurl, others. */
int sf_push_open(struct sf_push **p, const struct sf_push_opts *opts, struct sf_error *err);
/* 0 once the profile is on the disk. */
int sf_push_add(struct sf_push *p, const struct sf_push_profile *profile, struct sf_error *err);
/*
 * Send all that waits, also what an earlier one left. 0 when nothing waits and nothing was rejected;
 * -EAGAIN or -EBADMSG otherwise, and err says what the server said last. stats is filled always.
 */
int sf_push_send(struct sf_push *p, struct sf_push_stats *stats, struct sf_error *err);
void sf_push_free(struct sf_push *p);

#endif
