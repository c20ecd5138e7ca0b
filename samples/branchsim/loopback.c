/* SPDX-License-Identifier: GPL-2.0-only */
#include "loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

const char *loopback_connect(int *active, int *passive)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*passive = -1;
	*active = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener >= 0 && *active >= 0 && !bind(listener, (struct sockaddr *)&a, sizeof(a)) &&
	    !listen(listener, 1) && !getsockname(listener, (struct sockaddr *)&a, &len) &&
	    !connect(*active, (struct sockaddr *)&a, sizeof(a)))
		*passive = accept(listener, NULL, NULL);
	close(listener);
	return *passive < 0 ? "no TCP over the loopback device" : NULL;
}
