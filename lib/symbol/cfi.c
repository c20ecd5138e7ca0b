/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/cfi.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

size_t sf_cfi_row_size(const struct sf_cfi_row *row)
{
	return offsetof(struct sf_cfi_row, rule) + row->nr * sizeof(row->rule[0]);
}

void sf_cfi_exprs_release(struct sf_cfi_exprs *x)
{
	for (size_t i = 0; i < x->nr; i++)
		free(x->expr[i].op);
	free(x->expr);
	memset(x, 0, sizeof(*x));
}

#ifdef SF_HAVE_DWARF

#include "symbol/elfpriv.h"

struct sf_cfi {
	struct sf_files files;
	struct sf_cfi_section eh, debug; /* data is NULL: none; of the file that ran, of its debug file */
	uint16_t machine;
};

static struct sf_cfi_section section_of(const struct sf_elf *e, const Elf_Data *d, uint64_t vaddr, bool eh)
{
	return (struct sf_cfi_section){
		.data = d->d_buf,
		.size = d->d_size,
		.vaddr = vaddr,
		.eh = eh,
		.big = e->ehdr.e_ident[EI_DATA] == ELFDATA2MSB,
		.addr_size = e->ehdr.e_ident[EI_CLASS] == ELFCLASS32 ? 4 : 8,
	};
}

/* size bytes of the file at vaddr, or what there is of them; NULL: none. */
static Elf_Data *data_at(const struct sf_elf *e, uint64_t vaddr, uint64_t size)
{
	for (size_t i = 0; i < e->nr_seg; i++) {
		const struct sf_elf_segment *g = &e->seg[i];
		uint64_t into = vaddr - g->vaddr, left;

		if (vaddr < g->vaddr || into >= g->file_size)
			continue;
		left = g->file_size - into;
		return elf_getdata_rawchunk(e->elf, (int64_t)(g->offset + into), left < size ? left : size,
					    ELF_T_BYTE);
	}
	return NULL;
}

/* .eh_frame_hdr by its program header: files that were cut down to what runs have no sections. */
static Elf_Data *find_hdr(const struct sf_elf *e, uint64_t *vaddr)
{
	size_t n;

	if (elf_getphdrnum(e->elf, &n))
		return NULL;
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr p;

		if (!gelf_getphdr(e->elf, (int)i, &p) || p.p_type != PT_GNU_EH_FRAME)
			continue;
		*vaddr = p.p_vaddr;
		return data_at(e, p.p_vaddr, p.p_filesz);
	}
	return NULL;
}

/* Where .eh_frame is, as its header says. */
static bool points_at(const struct sf_elf *e, const Elf_Data *hdr, uint64_t hdr_vaddr, uint64_t *vaddr)
{
	struct sf_cfi_section s = section_of(e, hdr, hdr_vaddr, true);
	struct sf_cfi_bytes b = { .p = s.data, .end = s.data + s.size, .big = s.big };
	uint8_t encoding;

	sf_cfi_uint(&b, 1);
	encoding = (uint8_t)sf_cfi_uint(&b, 1);
	sf_cfi_uint(&b, 2);
	return !b.bad && sf_cfi_address(&s, &b, encoding, s.addr_size, vaddr);
}

static int open_eh(struct sf_cfi_section *s, const struct sf_elf *e)
{
	size_t number = sf_elf_section(e, ".eh_frame");
	Elf_Data *d = sf_elf_section_data(e, number), *hdr;
	uint64_t vaddr = number ? e->sec[number].hdr.sh_addr : 0, hdr_vaddr = 0;

	hdr = find_hdr(e, &hdr_vaddr);
	if (!d && hdr && points_at(e, hdr, hdr_vaddr, &vaddr))
		d = data_at(e, vaddr, UINT64_MAX);
	if (!d || !d->d_buf)
		return 0;
	*s = section_of(e, d, vaddr, true);
	s->hdr_vaddr = hdr_vaddr;
	if (hdr && hdr->d_buf)
		sf_cfi_use_hdr(s, hdr->d_buf, hdr->d_size);
	return sf_cfi_index(s);
}

static int open_debug(struct sf_cfi_section *s, const struct sf_elf *e)
{
	Elf_Data *d = sf_elf_unpacked(e, ".debug_frame", ".zdebug_frame");

	if (!d)
		return 0;
	*s = section_of(e, d, 0, false);
	return sf_cfi_index(s);
}

int sf_cfi_open(struct sf_cfi **out, struct sf_files *files)
{
	struct sf_cfi *c = calloc(1, sizeof(*c));
	int ret;

	*out = NULL;
	if (!c) {
		sf_files_release(files);
		return -ENOMEM;
	}
	c->files = *files;
	memset(files, 0, sizeof(*files));
	c->machine = c->files.run->ehdr.e_machine;
	ret = open_eh(&c->eh, c->files.run);
	if (!ret)
		ret = open_debug(&c->debug, c->files.syms);
	if (!ret && !c->eh.data && !c->debug.data)
		ret = -ENODATA;
	if (ret) {
		sf_cfi_free(c);
		return ret;
	}
	sf_elf_detach(c->files.run);
	sf_elf_detach(c->files.syms);
	*out = c;
	return 0;
}

void sf_cfi_free(struct sf_cfi *c)
{
	if (!c)
		return;
	sf_cfi_section_release(&c->eh);
	sf_cfi_section_release(&c->debug);
	sf_files_release(&c->files);
	free(c);
}

int sf_cfi_row(struct sf_cfi *c, struct sf_cfi_exprs *exprs, uint64_t offset,
	       struct sf_cfi_row *row)
{
	const struct sf_cfi_section *const table[] = {&c->eh, &c->debug};
	struct sf_cfi_fde fde;
	uint64_t vaddr;
	int ret = -ENOENT;

	if (!sf_elf_vaddr(c->files.run, offset, &vaddr))
		return -ENOENT;
	for (size_t i = 0; i < SF_ARRAY_SIZE(table) && ret; i++)
		if (table[i]->data && sf_cfi_find(table[i], vaddr, &fde))
			ret = sf_cfi_run(table[i], &fde, c->machine, vaddr, exprs, row);
	if (ret != -ENOENT)
		return ret;
	memset(row, 0, sizeof(*row));
	row->cfa.kind = SF_CFI_GUESS;
	return 0;
}

#endif
