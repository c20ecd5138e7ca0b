/* SPDX-License-Identifier: GPL-2.0-only */
/* Any text as the marks, names and events of a recording: see text_recording.h. */
#define _GNU_SOURCE /* memfd_create */
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "recording_holds.h"
#include "text_recording.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sf_str text = SF_STR_INIT;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	MUST(fd >= 0);
	sf_str_addn(&text, data, strnlen((const char *)data, size));
	write_recording(text.buf, fd);
	check_recording_fd(fd);
	close(fd);
	sf_str_release(&text);
	return 0;
}
