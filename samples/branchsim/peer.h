/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Those whom a VMM waits for: workers (threads of its own) and helpers (other processes). Both
 * serve one request at a time, a number; a worker is reached over a channel (futex), a helper over
 * a socket.
 */
#ifndef BRANCHSIM_PEER_H
#define BRANCHSIM_PEER_H

#include "chan.h"

#include <pthread.h>
#include <sys/types.h>

typedef int64_t (*serve_fn)(void *arg, int64_t request);

struct worker {
	char name[16];
	serve_fn serve;
	void *arg;
	struct chan request, reply;
	pthread_t thread;
};

/* The worker must live until the program ends; its thread takes no part in an orderly end. */
void worker_start(struct worker *w, const char *name, serve_fn serve, void *arg);
void worker_post(struct worker *w, int64_t request);
int64_t worker_wait(struct worker *w);

struct helper {
	char name[16];
	pid_t pid;
	int fd; /* our end of the socket pair; -1: not running */
};

/*
 * Fork a process of that name that answers requests with serve() until our end of the socket
 * closes. It dies with us, however we die. Start helpers in a cause's setup, before there are
 * threads.
 */
void helper_start(struct helper *h, const char *name, serve_fn serve, void *arg);
void helper_post(struct helper *h, int64_t request);
int64_t helper_wait(struct helper *h);
void helper_stop(struct helper *h);

#endif
