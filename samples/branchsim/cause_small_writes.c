/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Main sends each request over TCP in two small writes. The second one is kept back until the first is
 * acknowledged (Nagle's algorithm), and the server acknowledges late, for it has no answer yet to send
 * it with: both wait for 40 ms, until a timer of TCP's fires in a soft interrupt.
 */
#include "cause.h"
#include "loopback.h"
#include "peer.h"
#include "util.h"
#include "vmm.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { REQUEST_SIZE = 2 };

static struct helper server;
static int request_fd, reply_fd; /* the two ends of a connection */

static FRAME int64_t serve_state(void *arg, int64_t requests)
{
	char request[REQUEST_SIZE];

	for (int64_t i = 0; i < requests; i++) {
		for (size_t got = 0; got < sizeof(request);) {
			ssize_t n = read(reply_fd, request + got, sizeof(request) - got);

			if (n <= 0)
				return -1;
			got += (size_t)n;
		}
		if (write(reply_fd, request, 1) != 1)
			return -1;
	}
	return 0;
}

static FRAME void ask_state_server(void)
{
	char byte = 0;

	for (int i = 0; i < REQUEST_SIZE; i++)
		if (write(request_fd, &byte, 1) != 1)
			die("tcp: %s", strerror(errno));
	while (read(request_fd, &byte, 1) < 0 && errno == EINTR)
		;
}

static const char *probe(struct vmm *vmm)
{
	const char *why = loopback_connect(&request_fd, &reply_fd);

	close(request_fd);
	close(reply_fd);
	return why;
}

static void setup(struct vmm *vmm)
{
	const char *why = loopback_connect(&request_fd, &reply_fd);

	if (why)
		die("%s", why);
	helper_start(&server, "state-server", serve_state, NULL);
}

static void run(struct vmm *vmm, unsigned k)
{
	int64_t requests = (int64_t)vmm_work(vmm, k);

	helper_post(&server, requests);
	for (int64_t i = 0; i < requests; i++)
		ask_state_server();
	helper_wait(&server);
}

static void teardown(struct vmm *vmm)
{
	helper_stop(&server);
}

static struct cause cause = {
	.name = "small-writes",
	.summary = "main sends its requests over TCP in two small writes each",
	.unit = "requests",
	.base = 1,
	.grow = 1,
	.answers = { { "peer", ROLE_PROCESS, "state-server", "tcp_recvmsg serve_state" } },
	.probe = probe,
	.setup = setup,
	.run = run,
	.teardown = teardown,
};
CAUSE(cause)
