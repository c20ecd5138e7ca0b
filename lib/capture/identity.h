/* SPDX-License-Identifier: GPL-2.0-only */
/* Which VM it is, among all that a fleet records. */
#ifndef SF_CAPTURE_IDENTITY_H
#define SF_CAPTURE_IDENTITY_H

#include <sys/types.h>

#include <snapflame/str.h>

/*
 * The name that the VMM was given on its command line: Firecracker's --id, QEMU's -uuid or -name.
 * out is left empty where it has none. 0 or -ENOMEM.
 */
int sf_vm_id(pid_t pid, struct sf_str *out);

/* The same from the words of a command line, each ended by a NUL; for tests. */
int sf_vm_id_of(const char *words, size_t len, struct sf_str *out);

#endif
