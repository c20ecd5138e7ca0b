/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Address spaces over time: what is mapped where, by process, as the records of the recording tell.
 * Forked processes share their parent's maps until one of them changes.
 */
#ifndef SNAPFLAME_SYMBOL_SPACES_H
#define SNAPFLAME_SYMBOL_SPACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <snapflame/table.h>

struct sf_mapping {
	uint64_t start, end; /* [start, end) */
	uint64_t pgoff;	     /* offset in the module at start */
	uint32_t module;     /* id in sf_modules */
	bool identity;	     /* addresses in the module are the virtual ones */
};

/* Sorted, without overlaps. gen changes with every change: what was looked up before may be stale.
 */
struct sf_maps {
	struct sf_mapping *map;
	size_t nr, alloc;
	uint32_t gen;
	uint32_t refs;
};

struct sf_space {
	struct sf_maps *maps;	/* NULL: empty */
	struct sf_maps *before; /* those of the program before exec, until the new one runs */
	uint32_t exits;		/* serial of the exit, 0: alive */
};

struct sf_spaces {
	struct sf_map64 by_pid; /* pid -> index in space */
	struct sf_space *space;
	size_t nr, alloc;
	struct sf_maps *kernel[2]; /* host, guest */
	uint32_t last_gen;
	uint32_t last_pid, last_index; /* of the last look-up */
	bool has_last;
	uint32_t exits;
	struct sf_exited {
		uint32_t index, serial;
	} *exited; /* ring: processes that exited, oldest first */
	size_t exited_head, nr_exited;
	bool full; /* a process had more mappings than are kept */
};

/* All of these: 0 or -ENOMEM. A new mapping replaces what it overlaps. */
int sf_spaces_map(struct sf_spaces *s, uint32_t pid, const struct sf_mapping *m);
int sf_spaces_map_kernel(struct sf_spaces *s, bool guest, const struct sf_mapping *m);
void sf_spaces_unmap_kernel(struct sf_spaces *s, uint64_t addr);
int sf_spaces_fork(struct sf_spaces *s, uint32_t pid, uint32_t ppid, bool copy);
void sf_spaces_exec(struct sf_spaces *s, uint32_t pid);
/* The maps stay for a while: samples of the last moments may come after it. */
int sf_spaces_exit(struct sf_spaces *s, uint32_t pid);

/*
 * NULL where the process has none. Between exec and the new program's first instruction samples
 * still show where the old one called execve(): sf_spaces_before() knows, and forgets as soon as
 * it is told that the new one runs.
 */
struct sf_maps *sf_spaces_maps(struct sf_spaces *s, uint32_t pid);
const struct sf_mapping *sf_spaces_before(struct sf_spaces *s, uint32_t pid, uint64_t addr);
void sf_spaces_runs(struct sf_spaces *s, uint32_t pid);
const struct sf_mapping *sf_maps_find(const struct sf_maps *m, uint64_t addr);

void sf_spaces_release(struct sf_spaces *s);

#endif
