/* SPDX-License-Identifier: GPL-2.0-only */
/* A client of the API. */
#ifndef BRANCHSIM_CLIENT_H
#define BRANCHSIM_CLIENT_H

#include <jansson.h>

struct client {
	int fd;
	char fault[1024]; /* why the last request failed */
};

/* Connect, trying again for that long; 0 or -1 with the fault filled in. */
int client_open(struct client *c, const char *path, double wait_s);
void client_close(struct client *c);

/*
 * One request. body (may be NULL) is taken over. 0 when the status is 2xx; *reply (if not NULL)
 * is then the body, or NULL where there is none. Else -1 with the fault filled in.
 */
int client_call(struct client *c, const char *method, const char *path, json_t *body,
		json_t **reply);

#endif
