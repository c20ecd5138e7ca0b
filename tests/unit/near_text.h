/* SPDX-License-Identifier: GPL-2.0-only */
/* A text in memory as an input that can be opened. */
#ifndef TESTS_UNIT_NEAR_TEXT_H
#define TESTS_UNIT_NEAR_TEXT_H

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <snapflame/filetype.h>

static inline struct sf_input *open_text(const char *text, size_t len)
{
	struct sf_input *in = NULL;
	int fd = memfd_create("text", MFD_CLOEXEC);
	char path[64];

	if (fd < 0 || write(fd, text, len) != (ssize_t)len)
		return NULL;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	sf_input_open(&in, path, NULL);
	close(fd);
	return in;
}

/* The same through a pipe: a stream. The text must fit into it. */
static inline struct sf_input *open_pipe(const char *text, size_t len)
{
	struct sf_input *in = NULL;
	char path[64];
	int fd[2];

	if (pipe(fd) || write(fd[1], text, len) != (ssize_t)len)
		return NULL;
	close(fd[1]);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd[0]);
	sf_input_open(&in, path, NULL);
	close(fd[0]);
	return in;
}

#endif
