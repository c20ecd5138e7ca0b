/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of <snapflame/push.h>; private to render/. */
#ifndef SF_RENDER_PUSH_IMPL_H
#define SF_RENDER_PUSH_IMPL_H

#include <stdbool.h>

#include <snapflame/push.h>
#include <snapflame/str.h>

/* --- push_body.c: the requests of the servers */

enum sf_push_server { SF_PUSH_UNKNOWN, SF_PUSH_PYROSCOPE, SF_PUSH_PARCA };

struct sf_push_request {
	struct sf_str url, type, body; /* type: of the content */
};

enum sf_push_server sf_push_server_of(const char *url);
/* 0, -EINVAL, or -ENOMEM. The request is initialised. */
int sf_push_request_make(struct sf_push_request *r, const char *url,
			 const struct sf_push_profile *profile);
void sf_push_request_release(struct sf_push_request *r);

/* --- push_spool.c: requests in a directory */

/* Keep it: whole on the disk, or not at all. name is of the file. */
int sf_push_spool_keep(int dir, const struct sf_push_request *r, struct sf_str *name);
/* -EBADMSG where the file is damaged. */
int sf_push_spool_read(int dir, const char *name, struct sf_push_request *r);
/* Names of what waits, the oldest first; each is malloc'd, and so is the list. Their number, or -errno. */
long sf_push_spool_list(int dir, char ***names);

/* --- push_http.c */

enum sf_push_answer {
	SF_PUSH_TAKEN,
	SF_PUSH_LATER,   /* away, or busy: worth another try */
	SF_PUSH_REFUSED, /* this request, for good */
	SF_PUSH_WRONG,   /* not what the URL or the headers are for: no use to try others */
};

struct sf_push_reply {
	enum sf_push_answer answer;
	uint64_t retry_after; /* ns, as the server asked; 0: it did not */
	struct sf_str words;  /* what went wrong, one line */
};

struct sf_push_http;
int sf_push_http_open(struct sf_push_http **h, const char *const *header, uint64_t timeout,
		      struct sf_error *err);
void sf_push_http_free(struct sf_push_http *h);
/* Any failure is an answer. */
void sf_push_http_post(struct sf_push_http *h, const struct sf_push_request *r,
		       struct sf_push_reply *reply);

#endif
