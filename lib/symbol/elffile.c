/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/elffile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef HAVE_ELF

#include "symbol/elfpriv.h"

/* Debug files can be larger than what memory should hold of them. */
#define MAX_READ (32 << 20)

static int read_sections(struct sf_elf *e)
{
	size_t n, strndx;

	if (elf_getshdrnum(e->elf, &n))
		return -EINVAL;
	if (!n)
		return 0;
	if (elf_getshdrstrndx(e->elf, &strndx))
		return -EINVAL;
	e->sec = calloc(n, sizeof(*e->sec));
	if (!e->sec)
		return -ENOMEM;
	e->nr_sec = n;
	for (size_t i = 0; i < n; i++) {
		struct sf_elf_section *s = &e->sec[i];
		Elf_Scn *scn = elf_getscn(e->elf, i);
		const char *name = NULL;

		if (scn && gelf_getshdr(scn, &s->hdr))
			name = elf_strptr(e->elf, strndx, s->hdr.sh_name);
		s->name = name ? name : "";
		if (s->hdr.sh_type == SHT_SYMTAB && !e->symtab)
			e->symtab = i;
		if (s->hdr.sh_type == SHT_DYNSYM && !e->dynsym)
			e->dynsym = i;
	}
	return 0;
}

static int read_segments(struct sf_elf *e)
{
	size_t n;

	if (elf_getphdrnum(e->elf, &n))
		return -EINVAL;
	e->seg = n ? calloc(n, sizeof(*e->seg)) : NULL;
	if (n && !e->seg)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr p;

		if (!gelf_getphdr(e->elf, (int)i, &p) || p.p_type != PT_LOAD)
			continue;
		e->seg[e->nr_seg++] = (struct sf_elf_segment){
			.vaddr = p.p_vaddr,
			.offset = p.p_offset,
			.size = p.p_memsz > p.p_filesz ? p.p_memsz : p.p_filesz,
			.file_size = p.p_filesz,
		};
	}
	return 0;
}

size_t sf_elf_section(const struct sf_elf *e, const char *name)
{
	for (size_t i = 1; i < e->nr_sec; i++)
		if (!strcmp(e->sec[i].name, name))
			return i;
	return 0;
}

Elf_Data *sf_elf_section_data(const struct sf_elf *e, size_t i)
{
	Elf_Data *d = i && i < e->nr_sec && e->sec[i].hdr.sh_type != SHT_NOBITS
			      ? elf_getdata(elf_getscn(e->elf, i), NULL)
			      : NULL;

	return d && d->d_buf && d->d_size ? d : NULL;
}

enum {
	MOST_TIMES = 1100, /* zlib's largest ratio is 1032 */
	GNU_HEADER = 12,   /* "ZLIB", and the size as 64 bits, big endian */
};

static bool plausible(uint64_t size, const Elf_Data *packed)
{
	return size / MOST_TIMES <= packed->d_size;
}

Elf_Data *sf_elf_unpacked(const struct sf_elf *e, const char *name, const char *gnu_name)
{
	size_t plain = sf_elf_section(e, name), number = plain ? plain : sf_elf_section(e, gnu_name);
	Elf_Data *d = sf_elf_section_data(e, number);
	Elf_Scn *scn = d ? elf_getscn(e->elf, number) : NULL;
	uint64_t size = 0;
	GElf_Chdr c;

	if (!d)
		return NULL;
	if (!plain) {
		for (size_t i = 4; i < GNU_HEADER && d->d_size >= GNU_HEADER; i++)
			size = size << 8 | ((const uint8_t *)d->d_buf)[i];
		if (!plausible(size, d) || elf_compress_gnu(scn, 0, 0) < 0)
			return NULL;
	} else if (e->sec[number].hdr.sh_flags & SHF_COMPRESSED) {
		if (!gelf_getchdr(scn, &c) || !plausible(c.ch_size, d) || elf_compress(scn, 0, 0) < 0)
			return NULL;
	}
	return sf_elf_section_data(e, number);
}

static bool find_note(Elf_Data *d, struct sf_build_id *id)
{
	size_t pos = 0, name, desc;
	GElf_Nhdr n;

	while (d && (pos = gelf_getnote(d, pos, &n, &name, &desc)) > 0) {
		if (n.n_type != NT_GNU_BUILD_ID || n.n_namesz != sizeof("GNU") ||
		    memcmp((char *)d->d_buf + name, "GNU", sizeof("GNU")))
			continue;
		sf_build_id_set(id, (uint8_t *)d->d_buf + desc, n.n_descsz);
		return id->size > 0;
	}
	return false;
}

static void read_build_id(struct sf_elf *e)
{
	size_t n;

	for (size_t i = 1; i < e->nr_sec; i++)
		if (e->sec[i].hdr.sh_type == SHT_NOTE &&
		    find_note(sf_elf_section_data(e, i), &e->build_id))
			return;
	/* No section headers: the vdso of some kernels, and files cut down to what runs. */
	if (elf_getphdrnum(e->elf, &n))
		return;
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr p;

		if (gelf_getphdr(e->elf, (int)i, &p) && p.p_type == PT_NOTE &&
		    find_note(elf_getdata_rawchunk(e->elf, (int64_t)p.p_offset, p.p_filesz,
						   p.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR),
			      &e->build_id))
			return;
	}
}

static void read_debuglink(struct sf_elf *e)
{
	Elf_Data *d = sf_elf_section_data(e, sf_elf_section(e, ".gnu_debuglink"));
	const char *end = d ? memchr(d->d_buf, '\0', d->d_size) : NULL;
	size_t at;

	if (!end || end == (char *)d->d_buf || strchr(d->d_buf, '/'))
		return;
	at = ((size_t)(end - (char *)d->d_buf) + 4) & ~(size_t)3;
	if (d->d_size < 4 || at > d->d_size - 4)
		return;
	memcpy(&e->debuglink_crc, (char *)d->d_buf + at, 4);
	if (e->ehdr.e_ident[EI_DATA] == ELFDATA2MSB)
		e->debuglink_crc = __builtin_bswap32(e->debuglink_crc);
	e->debuglink = d->d_buf;
}

static int look_inside(struct sf_elf *e, const struct sf_build_id *want)
{
	int ret;

	if (!e->elf || elf_kind(e->elf) != ELF_K_ELF || !gelf_getehdr(e->elf, &e->ehdr))
		return -EINVAL;
	ret = read_sections(e);
	if (!ret)
		ret = read_segments(e);
	if (ret)
		return ret;
	read_build_id(e);
	if (want && want->size && !sf_build_id_equal(want, &e->build_id))
		return -ESTALE;
	read_debuglink(e);
	return 0;
}

int sf_elf_open(struct sf_elf **out, const char *path, const struct sf_build_id *want)
{
	struct sf_elf *e;
	struct stat st;
	int ret;

	*out = NULL;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	/* O_NONBLOCK: a recording may name a FIFO. */
	e->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (e->fd < 0 || fstat(e->fd, &st)) {
		ret = -errno;
	} else if (!S_ISREG(st.st_mode)) {
		ret = -EINVAL;
	} else {
		elf_version(EV_CURRENT);
		e->elf = elf_begin(e->fd, st.st_size > MAX_READ ? ELF_C_READ_MMAP : ELF_C_READ,
				   NULL);
		ret = look_inside(e, want);
	}
	if (ret) {
		sf_elf_free(e);
		return ret;
	}
	*out = e;
	return 0;
}

int sf_elf_open_memory(struct sf_elf **out, const void *image, size_t size,
		       const struct sf_build_id *want)
{
	struct sf_elf *e;
	int ret;

	*out = NULL;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->fd = -1;
	elf_version(EV_CURRENT);
	/* libelf's interface lacks a const: it does not write where nothing was asked for. */
	e->elf = elf_memory((char *)(uintptr_t)image, size);
	ret = look_inside(e, want);
	if (ret) {
		sf_elf_free(e);
		return ret;
	}
	*out = e;
	return 0;
}

void sf_elf_free(struct sf_elf *e)
{
	if (!e)
		return;
	if (e->elf)
		elf_end(e->elf);
	if (e->fd >= 0)
		close(e->fd);
	free(e->sec);
	free(e->seg);
	free(e);
}

void sf_elf_detach(struct sf_elf *e)
{
	if (!e || e->fd < 0)
		return;
	elf_cntl(e->elf, ELF_C_FDDONE);
	close(e->fd);
	e->fd = -1;
}

const struct sf_build_id *sf_elf_build_id(const struct sf_elf *e)
{
	return &e->build_id;
}

bool sf_elf_has_symtab(const struct sf_elf *e)
{
	return e->symtab != 0;
}

bool sf_elf_has_dynsym(const struct sf_elf *e)
{
	return e->dynsym != 0;
}

const char *sf_elf_debuglink(const struct sf_elf *e, uint32_t *crc)
{
	if (crc)
		*crc = e->debuglink_crc;
	return e->debuglink;
}

bool sf_elf_has_section(const struct sf_elf *e, const char *name)
{
	return sf_elf_section(e, name) != 0;
}

bool sf_elf_vaddr(const struct sf_elf *e, uint64_t offset, uint64_t *vaddr)
{
	for (size_t i = 0; i < e->nr_seg; i++) {
		const struct sf_elf_segment *s = &e->seg[i];

		if (offset >= s->offset && offset - s->offset < s->file_size) {
			*vaddr = offset - s->offset + s->vaddr;
			return true;
		}
	}
	return false;
}

bool sf_elf_offset(const struct sf_elf *e, uint64_t vaddr, uint64_t *offset)
{
	for (size_t i = 0; i < e->nr_seg; i++) {
		const struct sf_elf_segment *s = &e->seg[i];

		if (vaddr >= s->vaddr && vaddr - s->vaddr < s->size) {
			*offset = vaddr - s->vaddr + s->offset;
			return true;
		}
	}
	return false;
}

#else /* without libelf nothing can be opened, so nothing else is reached */

int sf_elf_open(struct sf_elf **e, const char *path, const struct sf_build_id *want)
{
	*e = NULL;
	return -ENOSYS;
}

int sf_elf_open_memory(struct sf_elf **e, const void *image, size_t size,
		       const struct sf_build_id *want)
{
	*e = NULL;
	return -ENOSYS;
}

void sf_elf_free(struct sf_elf *e)
{
}

void sf_elf_detach(struct sf_elf *e)
{
}

const struct sf_build_id *sf_elf_build_id(const struct sf_elf *e)
{
	return NULL;
}

bool sf_elf_has_symtab(const struct sf_elf *e)
{
	return false;
}

bool sf_elf_has_dynsym(const struct sf_elf *e)
{
	return false;
}

const char *sf_elf_debuglink(const struct sf_elf *e, uint32_t *crc)
{
	return NULL;
}

bool sf_elf_has_section(const struct sf_elf *e, const char *name)
{
	return false;
}

bool sf_elf_vaddr(const struct sf_elf *e, uint64_t offset, uint64_t *vaddr)
{
	return false;
}

bool sf_elf_offset(const struct sf_elf *e, uint64_t vaddr, uint64_t *offset)
{
	return false;
}

int sf_elf_symbols(struct sf_elf *syms, struct sf_elf *run, enum sf_elf_layout layout,
		   struct sf_symtab *t)
{
	return -ENOSYS;
}

bool sf_elf_symbol_value(const struct sf_elf *e, const char *name, uint64_t *value)
{
	return false;
}

#endif
