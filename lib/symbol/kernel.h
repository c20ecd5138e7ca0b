/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names of kernel addresses, from /proc/kallsyms, a saved copy of it, or vmlinux. A table of
 * another kernel is worse than none, so it is used only when the recording's build-id (or, in
 * recordings without one, release and host) says that it fits.
 */
#ifndef SNAPFLAME_SYMBOL_KERNEL_H
#define SNAPFLAME_SYMBOL_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbol/kimage.h"
#include "symbol/ksyms.h"
#include "symbol/module.h"
#include "symbol/symtab.h"

/* One of vmlinux, syms and image is filled; syms beside image as soon as image does not know. */
struct sf_kernel {
	struct sf_symtab vmlinux;
	struct sf_ksyms syms;
	struct sf_kimage image; /* a saved copy, which knows the image of the kernel that runs here */
	bool tried;	       /* to read what image does not know */
	uint64_t ref_addr;     /* where the recording says that ref_name was; 0 unknown */
	char ref_name[64];     /* "_text" or "_stext" */
	int64_t delta;	       /* what the recording's addresses need to become those of syms */
};

/* Read path. -EPERM when the addresses are hidden (kernel.kptr_restrict). */
int sf_kernel_load(struct sf_kernel *k, const char *path);

/*
 * Names of the running kernel. Linux makes its list anew for every reader, which takes longer than
 * all the rest of a short recording: a copy of an earlier time is taken for all that stays as it is
 * while the kernel runs; what comes and goes (modules, BPF programs) is read when it is asked for.
 * The copy has to begin as the list does, or -ESTALE: those of other kernels, and of the same one at
 * another address, do not.
 */
int sf_kernel_load_copy(struct sf_kernel *k, const char *path);

/* The symbols of a vmlinux file. -ENODATA when it has none. */
struct sf_elf;
int sf_kernel_load_elf(struct sf_kernel *k, struct sf_elf *e);

/* The symbol at an address of the recording. */
bool sf_kernel_find(struct sf_kernel *k, uint64_t addr, struct sf_ksym *sym);

/* Build-id of the running kernel; size 0 when it has none. */
void sf_kernel_running_id(struct sf_build_id *id);

void sf_kernel_release(struct sf_kernel *k);

/* The whole of a file, terminated; -EFBIG past max. For files of /proc, whose size is not known. */
int sf_read_file(const char *path, size_t max, char **text, size_t *len);
int sf_read_fd(int fd, size_t max, char **text, size_t *len); /* the rest of what is open there */

#endif
