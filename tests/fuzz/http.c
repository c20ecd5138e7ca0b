/* SPDX-License-Identifier: GPL-2.0-only */
/* Any bytes as what a VMM answers to a request over HTTP: a reply, or an error that says why. */
#define _GNU_SOURCE /* accept4 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "capture/http.h"
#include "output_holds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* answer is a copy: the client may have gone on to the next input while it is sent. */
static struct {
	char path[64];
	int fd;
	pthread_mutex_t lock;
	struct sf_str answer;
} server = { .lock = PTHREAD_MUTEX_INITIALIZER, .answer = SF_STR_INIT };

static void remove_socket(void)
{
	unlink(server.path);
}

static void answer(int fd)
{
	struct sf_str s = SF_STR_INIT;
	ssize_t n = 1;

	pthread_mutex_lock(&server.lock);
	sf_str_addn(&s, server.answer.buf, server.answer.len);
	pthread_mutex_unlock(&server.lock);
	for (size_t at = 0; n > 0 && at < s.len; at += (size_t)n)
		n = send(fd, s.buf + at, s.len - at, MSG_NOSIGNAL);
	sf_str_release(&s);
}

/* One connection after the other: waits for a request, answers with the input, hangs up. */
static void *serve(void *arg)
{
	for (;;) {
		int fd = accept4(server.fd, NULL, NULL, SOCK_CLOEXEC);
		char request[1024];

		if (fd < 0)
			continue;
		if (recv(fd, request, sizeof(request), 0) > 0)
			answer(fd);
		shutdown(fd, SHUT_WR);
		while (recv(fd, request, sizeof(request), 0) > 0)
			;
		close(fd);
	}
	return NULL;
}

static void start(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	pthread_t thread;

	snprintf(server.path, sizeof(server.path), "/tmp/snapflame-fuzz-http.%d", (int)getpid());
	memcpy(a.sun_path, server.path, strlen(server.path));
	server.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	MUST(server.fd >= 0 && !bind(server.fd, (struct sockaddr *)&a, sizeof(a)));
	atexit(remove_socket);
	MUST(!listen(server.fd, 1) && !pthread_create(&thread, NULL, serve, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sf_api_wait wait = { .timeout = 2000000000, .stop_fd = -1, .target_fd = -1 };
	struct sf_error err = SF_ERROR_INIT;
	struct sf_http_reply r;
	int ret;

	if (!server.path[0])
		start();
	pthread_mutex_lock(&server.lock);
	sf_str_reset(&server.answer);
	sf_str_addn(&server.answer, data, size);
	pthread_mutex_unlock(&server.lock);
	ret = sf_http_call(server.path, "PATCH", "/vm", "{}", &wait, &r, &err);
	if (ret) {
		MUST(err.what[0] && !r.body);
		return 0;
	}
	MUST(r.body && r.len <= 256 * 1024 && !r.body[r.len]);
	sf_http_release(&r);
	return 0;
}
