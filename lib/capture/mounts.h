/* SPDX-License-Identifier: GPL-2.0-only */
/* What a file lies on. */
#ifndef SF_CAPTURE_MOUNTS_H
#define SF_CAPTURE_MOUNTS_H

#include <stddef.h>
#include <sys/types.h>

#include <snapflame/str.h>

/* Names as the kernel has them; "" where it does not say. */
struct sf_place {
	char fs[32];    /* "ext4" */
	char disk[64];  /* the whole disk: "vda", also for a file on vda1 */
	char model[64]; /* "Samsung SSD 990 PRO"; virtual disks have none */
};

/*
 * Where files with that st_dev are: mounts is the text of a /proc/PID/mountinfo in whose namespace
 * the file system is mounted.
 */
void sf_place_of(struct sf_place *p, const char *mounts, dev_t dev);

#endif
