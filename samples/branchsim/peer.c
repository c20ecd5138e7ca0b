/* SPDX-License-Identifier: GPL-2.0-only */
#include "peer.h"

#include "names.h"
#include "util.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void *worker_main(void *arg)
{
	struct worker *w = arg;

	for (;;)
		chan_send(&w->reply, w->serve(w->arg, chan_recv(&w->request)));
	return NULL;
}

void worker_start(struct worker *w, const char *name, serve_fn serve, void *arg)
{
	names_other(w->name, name);
	w->serve = serve;
	w->arg = arg;
	chan_init(&w->request, 0);
	chan_init(&w->reply, 0);
	if (pthread_create(&w->thread, NULL, worker_main, w))
		die("cannot start the thread %s", name);
	set_thread_name(w->thread, w->name);
}

void worker_post(struct worker *w, int64_t request)
{
	chan_send(&w->request, request);
}

int64_t worker_wait(struct worker *w)
{
	return chan_recv(&w->reply);
}

static int send_number(int fd, int64_t number)
{
	return send(fd, &number, sizeof(number), MSG_NOSIGNAL) == sizeof(number) ? 0 : -1;
}

/* A socket pair of type SEQPACKET keeps the numbers whole. */
static int recv_number(int fd, int64_t *number)
{
	ssize_t n;

	do
		n = recv(fd, number, sizeof(*number), 0);
	while (n < 0 && errno == EINTR);
	return n == sizeof(*number) ? 0 : -1;
}

static void __attribute__((noreturn))
helper_main(const char *name, int fd, pid_t parent, serve_fn serve, void *arg)
{
	int64_t request;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0); /* it died before we could ask to be told */
	name_thread(name);
	while (!recv_number(fd, &request) && !send_number(fd, serve(arg, request)))
		;
	_exit(0);
}

void helper_start(struct helper *h, const char *name, serve_fn serve, void *arg)
{
	pid_t self = getpid();
	int pair[2];

	names_other(h->name, name);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		die("socketpair: %s", strerror(errno));
	h->pid = fork();
	if (h->pid < 0)
		die("fork: %s", strerror(errno));
	if (!h->pid) {
		close(pair[0]);
		helper_main(h->name, pair[1], self, serve, arg);
	}
	close(pair[1]);
	h->fd = pair[0];
}

void helper_post(struct helper *h, int64_t request)
{
	if (send_number(h->fd, request))
		die("%s is gone", h->name);
}

int64_t helper_wait(struct helper *h)
{
	int64_t reply = 0;

	if (recv_number(h->fd, &reply))
		die("%s is gone", h->name);
	return reply;
}

void helper_stop(struct helper *h)
{
	if (h->pid <= 0)
		return;
	close(h->fd);
	kill(h->pid, SIGKILL);
	waitpid(h->pid, NULL, 0);
	h->pid = 0;
	h->fd = -1;
}
