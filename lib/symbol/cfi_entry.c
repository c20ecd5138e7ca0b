/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/cfi_entry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/array.h>

#include "symbol/sorted.h"

enum {
	PE_ABSPTR = 0, PE_ULEB128 = 1, PE_UDATA2 = 2, PE_UDATA4 = 3, PE_UDATA8 = 4,
	PE_SLEB128 = 9, PE_SDATA2 = 0xa, PE_SDATA4 = 0xb, PE_SDATA8 = 0xc,
	PE_FORM = 0xf, PE_PCREL = 0x10, PE_DATAREL = 0x30, PE_BASE = 0x70, PE_INDIRECT = 0x80,
	PE_OMIT = 0xff,
};

enum { PAIR = 8 };

uint64_t sf_cfi_uint(struct sf_cfi_bytes *b, unsigned size)
{
	uint64_t v = 0;

	if ((size_t)(b->end - b->p) < size) {
		b->bad = true;
		b->p = b->end;
		return 0;
	}
	for (unsigned i = 0; i < size; i++)
		v |= (uint64_t)b->p[b->big ? size - 1 - i : i] << 8 * i;
	b->p += size;
	return v;
}

int64_t sf_cfi_int(struct sf_cfi_bytes *b, unsigned size)
{
	uint64_t v = sf_cfi_uint(b, size), sign = 1ULL << (8 * size - 1);

	return (int64_t)((v ^ sign) - sign);
}

static uint64_t leb(struct sf_cfi_bytes *b, unsigned *bits, bool *negative)
{
	uint64_t v = 0;
	uint8_t byte;

	*bits = 0;
	do {
		byte = (uint8_t)sf_cfi_uint(b, 1);
		if (*bits < 64)
			v |= (uint64_t)(byte & 0x7f) << *bits;
		*bits += 7;
	} while (byte & 0x80 && !b->bad);
	*negative = byte & 0x40;
	return v;
}

uint64_t sf_cfi_uleb(struct sf_cfi_bytes *b)
{
	bool negative;
	unsigned bits;

	return leb(b, &bits, &negative);
}

int64_t sf_cfi_sleb(struct sf_cfi_bytes *b)
{
	bool negative;
	unsigned bits;
	uint64_t v = leb(b, &bits, &negative);

	if (negative && bits < 64)
		v |= ~UINT64_C(0) << bits;
	return (int64_t)v;
}

struct sf_cfi_bytes sf_cfi_block(struct sf_cfi_bytes *b, uint64_t size)
{
	struct sf_cfi_bytes part = *b;

	if (size > (uint64_t)(b->end - b->p)) {
		b->bad = part.bad = true;
		size = 0;
	}
	part.end = part.p + size;
	b->p += size;
	return part;
}

static bool raw_value(struct sf_cfi_bytes *b, uint8_t form, uint8_t addr_size, uint64_t *v)
{
	switch (form) {
	case PE_ABSPTR:
		*v = sf_cfi_uint(b, addr_size);
		return true;
	case PE_ULEB128:
		*v = sf_cfi_uleb(b);
		return true;
	case PE_SLEB128:
		*v = (uint64_t)sf_cfi_sleb(b);
		return true;
	case PE_UDATA2:
	case PE_UDATA4:
	case PE_UDATA8:
		*v = sf_cfi_uint(b, 1U << (form - PE_UDATA2 + 1));
		return true;
	case PE_SDATA2:
	case PE_SDATA4:
	case PE_SDATA8:
		*v = (uint64_t)sf_cfi_int(b, 1U << (form - PE_SDATA2 + 1));
		return true;
	default:
		return false;
	}
}

bool sf_cfi_address(const struct sf_cfi_section *s, struct sf_cfi_bytes *b, uint8_t encoding,
		    uint8_t addr_size, uint64_t *value)
{
	uint64_t at = s->vaddr + (uint64_t)(b->p - s->data);

	if (encoding & PE_INDIRECT || !raw_value(b, encoding & PE_FORM, addr_size, value))
		return false;
	if ((encoding & PE_BASE) == PE_PCREL)
		*value += at;
	else if (encoding & PE_BASE)
		return false;
	if (addr_size == 4)
		*value &= UINT32_MAX;
	return !b->bad;
}

/* An entry without its length: what is left of it, the offset of its CIE, and whether it is one itself. */
struct entry {
	struct sf_cfi_bytes rest;
	size_t next, cie;
	bool is_cie;
};

static bool read_entry(const struct sf_cfi_section *s, size_t offset, struct entry *e)
{
	struct sf_cfi_bytes b = { .end = s->data + s->size, .big = s->big };
	unsigned width = 4;
	uint64_t length, id, at;

	if (offset >= s->size)
		return false;
	b.p = s->data + offset;
	length = sf_cfi_uint(&b, 4);
	if (length == UINT32_MAX) {
		width = 8;
		length = sf_cfi_uint(&b, 8);
	}
	e->rest = sf_cfi_block(&b, length);
	e->next = (size_t)(b.p - s->data);
	at = (uint64_t)(e->rest.p - s->data);
	id = sf_cfi_uint(&e->rest, width);
	if (b.bad || !length || e->rest.bad)
		return false;
	e->is_cie = s->eh ? !id : id == (width == 4 ? UINT32_MAX : UINT64_MAX);
	/* .eh_frame says how far back it is, from here. */
	e->cie = (size_t)(s->eh ? at - id : id);
	return true;
}

/* What the letters of the augmentation say. */
static bool augment(const struct sf_cfi_section *s, const char *letter, struct sf_cfi_bytes *b,
		    struct sf_cfi_cie *cie)
{
	uint64_t skipped;
	uint8_t encoding;

	for (; *letter; letter++) {
		switch (*letter) {
		case 'R':
			cie->encoding = (uint8_t)sf_cfi_uint(b, 1);
			break;
		case 'L':
			sf_cfi_uint(b, 1);
			break;
		case 'P':
			encoding = (uint8_t)sf_cfi_uint(b, 1);
			if (!raw_value(b, encoding & PE_FORM, cie->addr_size, &skipped))
				return false;
			break;
		case 'S':
			cie->signal = true;
			break;
		case 'B': /* return addresses are signed with the other key (aarch64) */
		case 'G': /* stack frames are tagged (aarch64) */
			break;
		default:
			return cie->sized; /* then its size is known, and it is skipped */
		}
	}
	return !b->bad;
}

static bool read_cie(const struct sf_cfi_section *s, size_t offset, struct sf_cfi_cie *cie)
{
	struct sf_cfi_bytes *b, data;
	const char *letters;
	struct entry e;
	uint8_t version;

	if (!read_entry(s, offset, &e) || !e.is_cie)
		return false;
	b = &e.rest;
	*cie = (struct sf_cfi_cie){ .encoding = PE_ABSPTR, .addr_size = s->addr_size };
	version = (uint8_t)sf_cfi_uint(b, 1);
	letters = (const char *)b->p;
	if (!memchr(letters, '\0', (size_t)(b->end - b->p)))
		return false;
	b->p += strlen(letters) + 1;
	if (version == 4) {
		cie->addr_size = (uint8_t)sf_cfi_uint(b, 1);
		if (sf_cfi_uint(b, 1)) /* a segment */
			return false;
	} else if (version != 1 && version != 3) {
		return false;
	}
	if (cie->addr_size != 4 && cie->addr_size != 8)
		return false;
	cie->code_align = sf_cfi_uleb(b);
	cie->data_align = sf_cfi_sleb(b);
	cie->ra = version == 1 ? sf_cfi_uint(b, 1) : sf_cfi_uleb(b);
	cie->sized = letters[0] == 'z';
	data = cie->sized ? sf_cfi_block(b, sf_cfi_uleb(b)) : *b;
	if (b->bad || !augment(s, letters + cie->sized, &data, cie))
		return false;
	if (!cie->sized)
		*b = data;
	cie->code = *b;
	return !b->bad;
}

static bool read_fde(const struct sf_cfi_section *s, const struct entry *e, const struct sf_cfi_cie *cie,
		     struct sf_cfi_fde *fde)
{
	struct sf_cfi_bytes b = e->rest;
	uint64_t size;

	fde->cie = *cie;
	if (!sf_cfi_address(s, &b, cie->encoding, cie->addr_size, &fde->lo) ||
	    !raw_value(&b, cie->encoding & PE_FORM, cie->addr_size, &size))
		return false;
	fde->hi = fde->lo + size;
	if (cie->sized)
		sf_cfi_block(&b, sf_cfi_uleb(&b));
	fde->code = b;
	return !b.bad && fde->hi > fde->lo;
}

static bool fde_at(const struct sf_cfi_section *s, size_t offset, struct sf_cfi_fde *fde)
{
	struct sf_cfi_cie cie;
	struct entry e;

	return read_entry(s, offset, &e) && !e.is_cie && read_cie(s, e.cie, &cie) &&
	       read_fde(s, &e, &cie, fde);
}

void sf_cfi_use_hdr(struct sf_cfi_section *s, const uint8_t *hdr, size_t size)
{
	struct sf_cfi_bytes b = { .p = hdr, .end = hdr + size, .big = s->big };
	uint8_t version = (uint8_t)sf_cfi_uint(&b, 1), ptr = (uint8_t)sf_cfi_uint(&b, 1);
	uint8_t count = (uint8_t)sf_cfi_uint(&b, 1), table = (uint8_t)sf_cfi_uint(&b, 1);
	uint64_t nr, skipped;

	if (version != 1 || table != (PE_DATAREL | PE_SDATA4) || count == PE_OMIT ||
	    !raw_value(&b, ptr & PE_FORM, s->addr_size, &skipped) ||
	    !raw_value(&b, count & PE_FORM, s->addr_size, &nr) || b.bad)
		return;
	if (nr && nr <= (uint64_t)(b.end - b.p) / PAIR) {
		s->table = b.p;
		s->nr_table = (size_t)nr;
	}
}

static int by_address(const void *a, const void *b)
{
	const struct sf_cfi_range *x = a, *y = b;

	return x->lo < y->lo ? -1 : x->lo > y->lo;
}

int sf_cfi_index(struct sf_cfi_section *s)
{
	struct sf_cfi_cie cie;
	size_t last = SIZE_MAX;
	struct entry e;

	if (s->table)
		return 0;
	for (size_t at = 0; read_entry(s, at, &e); at = e.next) {
		struct sf_cfi_fde fde;

		if (e.is_cie)
			continue;
		if (e.cie != last)
			last = read_cie(s, e.cie, &cie) ? e.cie : SIZE_MAX;
		if (last == SIZE_MAX || !read_fde(s, &e, &cie, &fde))
			continue;
		if (SF_GROW(s->range, s->nr_ranges + 1, s->alloc))
			return -ENOMEM;
		s->range[s->nr_ranges++] = (struct sf_cfi_range){ fde.lo, fde.hi, at };
	}
	if (s->nr_ranges)
		qsort(s->range, s->nr_ranges, sizeof(*s->range), by_address);
	return 0;
}

void sf_cfi_section_release(struct sf_cfi_section *s)
{
	free(s->range);
	memset(s, 0, sizeof(*s));
}

/* Member m of pair i: 0 the address where the code begins, 1 that of the FDE. */
static uint64_t in_table(const struct sf_cfi_section *s, size_t i, unsigned m)
{
	const uint8_t *p = s->table + i * PAIR + m * 4;
	struct sf_cfi_bytes b = { .p = p, .end = p + 4, .big = s->big };

	return s->hdr_vaddr + (uint64_t)sf_cfi_int(&b, 4);
}

static bool find_in_table(const struct sf_cfi_section *s, uint64_t vaddr, size_t *offset)
{
	size_t lo = 0, hi = s->nr_table;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (in_table(s, mid, 0) <= vaddr)
			lo = mid + 1;
		else
			hi = mid;
	}
	*offset = lo ? (size_t)(in_table(s, lo - 1, 1) - s->vaddr) : SIZE_MAX;
	return lo > 0;
}

static bool find_in_index(const struct sf_cfi_section *s, uint64_t vaddr, size_t *offset)
{
	size_t n = SF_UP_TO(s->range, 0, s->nr_ranges, lo, vaddr);

	if (!n || vaddr >= s->range[n - 1].hi)
		return false;
	*offset = s->range[n - 1].offset;
	return true;
}

bool sf_cfi_find(const struct sf_cfi_section *s, uint64_t vaddr, struct sf_cfi_fde *fde)
{
	size_t offset;

	if (s->table ? !find_in_table(s, vaddr, &offset) : !find_in_index(s, vaddr, &offset))
		return false;
	return fde_at(s, offset, fde) && vaddr >= fde->lo && vaddr < fde->hi;
}
