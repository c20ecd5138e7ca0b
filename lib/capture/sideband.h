/* SPDX-License-Identifier: GPL-2.0-only */
/* Records of what was there before the recording: processes, threads, mappings, the kernel. */
#ifndef SF_CAPTURE_SIDEBAND_H
#define SF_CAPTURE_SIDEBAND_H

#include <stdint.h>
#include <sys/types.h>

#include <snapflame/str.h>
#include <snapflame/writer.h>

#include "kallsyms.h"

struct sf_sideband {
	struct sf_str records;   /* stamped with time */
	struct sf_str build_ids; /* content of the BUILD_ID feature */
	struct sf_stamp stamp;   /* time and id of all of them */
	struct sf_known_id *known;
	size_t nr, alloc;
};

void sf_sideband_init(struct sf_sideband *s, uint64_t time, uint64_t id);
void sf_sideband_release(struct sf_sideband *s);

/* The kernel and its modules. */
int sf_sideband_kernel(struct sf_sideband *s, const struct sf_kallsyms *k);
/* FORK and COMM of pid's threads. -ESRCH where it is gone. */
int sf_sideband_tasks(struct sf_sideband *s, pid_t pid);
/* The same for all processes there are. */
int sf_sideband_all_tasks(struct sf_sideband *s);
/* MMAP2 of pid's executable mappings, with build-ids. Reads /proc/PID/maps: not in a window. */
int sf_sideband_maps(struct sf_sideband *s, pid_t pid);

/* The GNU build-id of the ELF file at path: its size, 0 where it has none, -errno. */
int sf_file_build_id(const char *path, uint8_t id[20]);
/* The same of a file that holds notes only, as /sys/kernel/notes does. */
int sf_notes_build_id(const char *path, uint8_t id[20]);

#endif
