/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Main asks another process over TCP on the loopback device, and that one computes. The kernel hands
 * the reply over in a soft interrupt: no waking says that the process has sent it.
 */
#include "burn.h"
#include "cause.h"
#include "loopback.h"
#include "peer.h"
#include "util.h"
#include "vmm.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct helper server;
static int request_fd, reply_fd; /* the two ends of a connection */
static uint64_t digest;

static FRAME uint64_t hash_state(uint64_t block)
{
	return burn_dose(block);
}

static FRAME int64_t serve_state(void *arg, int64_t blocks)
{
	char byte;

	if (read(reply_fd, &byte, 1) != 1)
		return -1;
	for (int64_t i = 0; i < blocks; i++)
		digest ^= hash_state((uint64_t)i);
	return write(reply_fd, &byte, 1) == 1 ? 0 : -1;
}

static FRAME void ask_state_server(void)
{
	char byte = 0;

	if (write(request_fd, &byte, 1) != 1)
		die("tcp: %s", strerror(errno));
	while (read(request_fd, &byte, 1) < 0 && errno == EINTR)
		;
}

static const char *connect_ends(void)
{
	const char *why = loopback_connect(&request_fd, &reply_fd);
	int one = 1;

	if (!why && (setsockopt(request_fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) ||
		     setsockopt(reply_fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one))))
		why = "no TCP without delays";
	return why;
}

static const char *probe(struct vmm *vmm)
{
	const char *why = connect_ends();

	close(request_fd);
	close(reply_fd);
	return why;
}

static void setup(struct vmm *vmm)
{
	const char *why = connect_ends();

	if (why)
		die("%s", why);
	burn_doses(1);
	helper_start(&server, "state-server", serve_state, NULL);
}

static void run(struct vmm *vmm, unsigned k)
{
	helper_post(&server, (int64_t)burn_doses(vmm_work(vmm, k)));
	ask_state_server();
	helper_wait(&server);
}

static void teardown(struct vmm *vmm)
{
	helper_stop(&server);
}

static struct cause cause = {
	.name = "tcp-peer",
	.summary = "main waits for a reply over TCP from another process that computes",
	.unit = "ms",
	.base = 10,
	.grow = 40,
	.answers = { { "cpu-user", ROLE_PROCESS, "state-server", "hash_state serve_state" } },
	.probe = probe,
	.setup = setup,
	.run = run,
	.teardown = teardown,
};
CAUSE(cause)
