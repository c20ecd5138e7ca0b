/* SPDX-License-Identifier: GPL-2.0-only */
/* Interned places: an address in a module, with an id from 1. */
#ifndef SNAPFLAME_SYMBOL_LOCATION_H
#define SNAPFLAME_SYMBOL_LOCATION_H

#include <stddef.h>
#include <stdint.h>

#include <snapflame/symbol.h>

struct sf_location {
	uint64_t addr;	    /* in the module: a file offset, or virtual (see enum sf_module_kind) */
	uint64_t ip;	    /* as recorded, the first time it was seen */
	uint32_t module;    /* 0: no mapping covers it, and addr is ip */
	uint16_t flags;	    /* SF_FRAME_KERNEL, SF_FRAME_GUEST */
	uint16_t back;	    /* 1: a return address, named by the call before it */
	uint32_t nr_frames; /* 0: not named yet */
	struct sf_frame *frames;
};

struct sf_locations {
	struct sf_location *loc; /* by id - 1 */
	size_t nr, alloc;
	uint32_t *slot;
	size_t size;
};

/* The id of what equals want in addr, module, flags and back; 0 without memory. */
uint32_t sf_location_id(struct sf_locations *l, const struct sf_location *want);
struct sf_location *sf_location_at(const struct sf_locations *l, uint32_t id); /* NULL for none */
void sf_locations_release(struct sf_locations *l);

#endif
