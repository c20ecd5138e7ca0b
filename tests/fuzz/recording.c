/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any bytes as a recording: everything that the commands make of one is made, and is fit for a
 * terminal and for programs.
 */
#define _GNU_SOURCE /* memfd_create */
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "recording_holds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	MUST(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	check_recording_fd(fd);
	close(fd);
	return 0;
}
