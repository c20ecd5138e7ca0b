/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of struct sf_symbols, for the files that share it. */
#ifndef SNAPFLAME_SYMBOL_SYMBOLS_H
#define SNAPFLAME_SYMBOL_SYMBOLS_H

#include <snapflame/symbol.h>

#include "symbol/kernel.h"
#include "symbol/location.h"
#include "symbol/module.h"
#include "symbol/spaces.h"

#define SF_LOC_CACHE_BITS 16

/* What (pid, ip) was found to be: gen stands for the state of the address space, so for pid too. */
struct sf_loc_cached {
	uint64_t ip;
	uint32_t tag; /* gen, and whether ip is a return address that counts as one */
	uint32_t loc;
};

#define SF_NOW_CACHE_BITS 12
#define SF_NOW_BLOCK_BITS 6

/*
 * What some of the 64 bytes of a module's block are called, between start and end. Short processes
 * of one program share it, wherever their mappings are.
 */
struct sf_now_cached {
	uint64_t block;
	uint32_t module;
	uint16_t flags, used;
	uint64_t start, end;
	struct sf_frame frame;
};

struct sf_symbols {
	struct sf_symbols_opts opts; /* strings are copies, in strings */
	struct sf_strtab strings;
	struct sf_spaces spaces;
	struct sf_modules modules;
	struct sf_locations locs;
	size_t named; /* of them */
	bool no_memory; /* for some of the names */
	struct sf_loc_cached *cache;
	struct sf_now_cached *now; /* made when it is needed, thrown away when names may change */
	struct sf_arena frames;
	struct sf_map64 jitdumps; /* pid -> id in strings: path of its jitdump file */
	struct sf_kernel kernel;
	enum { SF_KERNEL_UNTRIED, SF_KERNEL_NAMED, SF_KERNEL_NAMELESS } kernel_state;
	struct sf_build_id kernel_id;	       /* of the recording */
	uint32_t kernel_module;		       /* id of the image, 0 until a record names it */
	const char *release, *hostname, *arch; /* of the recording; NULL unknown */
	char **problem;
	size_t nr_problems, problems_alloc;
	uint64_t problems_left_out;
};

/* Note for sf_symbols_problem(), once for each text. */
void sf_symbols_note(struct sf_symbols *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The module of the kernel image, made when no record named it; NULL without memory. */
struct sf_mod *sf_symbols_kernel(struct sf_symbols *s);

/* What sf_symbols_frame_now() remembers: names may have come that it did not know. */
void sf_symbols_forget_now(struct sf_symbols *s);

/* naming.c: fill in loc->frames. */
int sf_symbols_name(struct sf_symbols *s, struct sf_location *loc);
/*
 * The function alone, without inlined calls and lines, and without keeping it. [start, end) are
 * addresses around that of loc that surely have the same.
 */
void sf_symbols_name_outer(struct sf_symbols *s, const struct sf_location *loc,
			   struct sf_frame *frame, uint64_t *start, uint64_t *end);
/* The symbol of an address of a module, loading what is needed; NULL where it has none. */
const char *sf_symbols_find(struct sf_symbols *s, struct sf_mod *mod, uint64_t addr,
			    uint64_t *start, uint64_t *end);

/* sources.c: bring in the symbols of a module, from whatever file can be trusted to be it. */
void sf_sources_load(struct sf_symbols *s, struct sf_mod *mod);
/* Its DWARF; NULL where there is none. */
struct sf_inlines *sf_sources_inlines(struct sf_symbols *s, struct sf_mod *mod);

/* kernel_files.c: the kernel's table: true when there is one that fits the recording. */
bool sf_sources_kernel(struct sf_symbols *s);
/* Is the kernel that runs here the recording's? For what only the running one has: kallsyms, vdso.
 */
bool sf_sources_same_kernel(struct sf_symbols *s, const char **why);

/* procmaps.c: tell of what the text of a /proc/PID/maps says; text is cut into its lines. */
int sf_symbols_feed_maps(struct sf_symbols *s, uint32_t pid, char *text);

#endif
