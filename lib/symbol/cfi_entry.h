/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entries of .eh_frame and .debug_frame: CIEs and FDEs, and which of them an address has. Formats: DWARF 5,
 * 6.4.1; Linux Standard Base Core 5.0, 10.6 (.eh_frame, .eh_frame_hdr, encoded pointers).
 *
 * libdw can do this, too, but allocates what a damaged or hostile file asks for: 1.5 GB for the number of a
 * register. Nothing is allocated here but an index where there is no .eh_frame_hdr, of the size of the section.
 */
#ifndef SNAPFLAME_SYMBOL_CFI_ENTRY_H
#define SNAPFLAME_SYMBOL_CFI_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that are read one after the other; bad is set, and 0 returned, when they end too early. */
struct sf_cfi_bytes {
	const uint8_t *p, *end;
	bool big, bad;
};

uint64_t sf_cfi_uint(struct sf_cfi_bytes *b, unsigned size); /* 1, 2, 4 or 8 */
int64_t sf_cfi_int(struct sf_cfi_bytes *b, unsigned size);
uint64_t sf_cfi_uleb(struct sf_cfi_bytes *b);
int64_t sf_cfi_sleb(struct sf_cfi_bytes *b);
/* The next size bytes as ones of their own. */
struct sf_cfi_bytes sf_cfi_block(struct sf_cfi_bytes *b, uint64_t size);

struct sf_cfi_section {
	const uint8_t *data; /* not ours */
	size_t size;
	uint64_t vaddr;      /* of data; .eh_frame */
	bool eh, big;        /* .eh_frame and not .debug_frame; byte order */
	uint8_t addr_size;
	/* .eh_frame_hdr's table: pairs of 32-bit distances from hdr_vaddr, sorted; NULL: none. */
	const uint8_t *table;
	size_t nr_table;
	uint64_t hdr_vaddr;
	struct sf_cfi_range { /* without a table: where each FDE is, by address */
		uint64_t lo, hi;
		size_t offset;
	} *range;
	size_t nr_ranges, alloc;
};

struct sf_cfi_cie {
	struct sf_cfi_bytes code;
	uint64_t code_align;
	int64_t data_align;
	uint64_t ra;         /* register with the return address */
	uint8_t encoding;    /* of addresses in its FDEs */
	uint8_t addr_size;
	bool sized, signal;  /* its FDEs have augmentation data; they are of signal handlers' callers */
};

struct sf_cfi_fde {
	struct sf_cfi_cie cie;
	uint64_t lo, hi; /* addresses */
	struct sf_cfi_bytes code;
};

/* An address as encoding says; at is that of its first byte. False for encodings that files do not have. */
bool sf_cfi_address(const struct sf_cfi_section *s, struct sf_cfi_bytes *b, uint8_t encoding,
		    uint8_t addr_size, uint64_t *value);

/* hdr: the bytes of .eh_frame_hdr, which begin at s->hdr_vaddr. Without a table that we know: none. */
void sf_cfi_use_hdr(struct sf_cfi_section *s, const uint8_t *hdr, size_t size);
/* For sections without a table; -ENOMEM. */
int sf_cfi_index(struct sf_cfi_section *s);
void sf_cfi_section_release(struct sf_cfi_section *s);

bool sf_cfi_find(const struct sf_cfi_section *s, uint64_t vaddr, struct sf_cfi_fde *fde);

#endif
