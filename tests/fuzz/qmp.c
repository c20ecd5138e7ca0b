/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any bytes as what a QEMU says from its greeting on, while a client negotiates and asks what drivers
 * ask: answers, or an error that says why.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "capture/proc.h"
#include "capture/qmp.h"
#include "output_holds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const commands[] = { "query-status", "stop", "migrate", "query-migrate" };
	struct sf_api_wait wait = { .timeout = 2000000000, .stop_fd = -1, .target_fd = -1 };
	struct sf_error err = SF_ERROR_INIT;
	struct sf_qmp q;
	int fd[2], big = 4 << 20, ret;

	MUST(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fd));
	setsockopt(fd[1], SOL_SOCKET, SO_SNDBUF, &big, sizeof(big));
	(void)!send(fd[1], data, size, MSG_NOSIGNAL);
	shutdown(fd[1], SHUT_WR);
	ret = sf_qmp_open(&q, fd[0], &wait, &err);
	for (size_t i = 0; !ret && i < sizeof(commands) / sizeof(commands[0]); i++) {
		json_t *o = NULL;

		ret = sf_qmp_call(&q, commands[i], NULL, -1, &wait, &o, &err);
		MUST(!ret == !!o);
		json_decref(o);
		if (ret == -EREMOTEIO)
			ret = 0;
	}
	if (ret) {
		MUST(err.what[0]);
		check_terminal(err.what, strlen(err.what), "");
	}
	MUST(q.stop <= sf_now() && q.resume <= sf_now());
	sf_qmp_close(&q);
	close(fd[1]);
	return 0;
}
