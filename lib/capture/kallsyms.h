/* SPDX-License-Identifier: GPL-2.0-only */
/* /proc/kallsyms the other way round: from the lines of /proc/PID/stack back to addresses. */
#ifndef SF_CAPTURE_KALLSYMS_H
#define SF_CAPTURE_KALLSYMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sf_kallsyms {
	struct sf_ksym *sym; /* by name, then by address */
	size_t nr, alloc;
	char *text;
	uint64_t start, end; /* of the kernel's text: _stext, _etext; 0 unknown */
};

/*
 * Read path (/proc/kallsyms). -EACCES where the addresses are hidden (kernel.kptr_restrict), k is
 * empty then.
 */
int sf_kallsyms_load(struct sf_kallsyms *k, const char *path);
void sf_kallsyms_release(struct sf_kallsyms *k);

/*
 * The address in a line like "[<0>] futex_do_wait+0x46/0x90" or "[<0>] ext4_sync_file+0x9/0x30
 * [ext4]"; 0 where it cannot be found. Several functions may have one name: the size tells them
 * apart.
 */
uint64_t sf_kallsyms_line(const struct sf_kallsyms *k, const char *line, size_t len);
/* All lines of a stack, leaf first: how many addresses, at most max. */
size_t sf_kallsyms_stack(const struct sf_kallsyms *k, const char *text, size_t len, uint64_t *addr,
			 size_t max);

#endif
