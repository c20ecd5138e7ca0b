/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/elffile.h"

#ifdef HAVE_ELF

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "symbol/elfpriv.h"

/* Strings of large programs are left in the file: of a million names a few hundred are looked at. */
#define MAX_COPIED (1u << 20)
#define PAGE	   4096u

/* Everything that reading one symbol table needs. */
struct table {
	struct sf_elf *syms, *run;
	enum sf_elf_layout layout;
	size_t text; /* MODULE_TEXT: the section */
	Elf_Data *data;
	size_t nr;
	const char *str; /* the string table, terminated: in t->names, or one of t->text */
	size_t str_size;
};

static bool map_strings(struct table *x, const GElf_Shdr *h, struct sf_symtab *t)
{
	struct sf_symtab_text *text = t->text[0].map ? &t->text[1] : &t->text[0];
	uint64_t skip = h->sh_offset % PAGE;
	struct stat st;
	char *p;

	if (h->sh_size < MAX_COPIED || h->sh_flags & SHF_COMPRESSED || text->map ||
	    x->syms->fd < 0 || fstat(x->syms->fd, &st) || h->sh_offset > (uint64_t)st.st_size ||
	    h->sh_size > (uint64_t)st.st_size - h->sh_offset)
		return false;
	p = mmap(NULL, skip + h->sh_size, PROT_READ, MAP_PRIVATE, x->syms->fd,
		 (off_t)(h->sh_offset - skip));
	if (p == MAP_FAILED)
		return false;
	if (p[skip + h->sh_size - 1]) {
		munmap(p, skip + h->sh_size);
		return false;
	}
	*text = (struct sf_symtab_text){p, skip + h->sh_size};
	x->str = p + skip;
	x->str_size = h->sh_size;
	return true;
}

static int copy_strings(struct table *x, size_t section, struct sf_symtab *t)
{
	Elf_Data *str = sf_elf_section_data(x->syms, section);
	char *copy = str ? sf_arena_alloc(&t->names, str->d_size + 1) : NULL;

	if (!copy)
		return str ? -ENOMEM : -ENODATA;
	memcpy(copy, str->d_buf, str->d_size);
	x->str = copy;
	x->str_size = str->d_size;
	return 0;
}

static int open_table(struct table *x, size_t section, struct sf_symtab *t)
{
	size_t strings = x->syms->sec[section].hdr.sh_link;
	int ret = 0;

	x->data = sf_elf_section_data(x->syms, section);
	if (!x->data || !strings || strings >= x->syms->nr_sec)
		return -ENODATA;
	x->nr = x->data->d_size / gelf_fsize(x->syms->elf, ELF_T_SYM, 1, EV_CURRENT);
	if (!map_strings(x, &x->syms->sec[strings].hdr, t))
		ret = copy_strings(x, strings, t);
	return ret ? ret : sf_symtab_reserve(t, x->nr);
}

/* What perf takes for a symbol: functions, objects, and labels in sections of text or data. */
static bool wanted(const GElf_Sym *sym, const struct sf_elf_section *sec)
{
	unsigned type = GELF_ST_TYPE(sym->st_info), vis = GELF_ST_VISIBILITY(sym->st_other);

	if (!(sec->hdr.sh_flags & SHF_ALLOC))
		return false;
	if (type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_OBJECT)
		return true;
	return type == STT_NOTYPE && vis != STV_HIDDEN && vis != STV_INTERNAL &&
	       (strstr(sec->name, "text") || strstr(sec->name, "data"));
}

/* Marks of ARM code ("$x", "$d.12"): not functions. */
static bool is_mapping_symbol(const struct table *x, const char *name)
{
	unsigned machine = x->syms->ehdr.e_machine;

	return (machine == EM_ARM || machine == EM_AARCH64) && name[0] == '$' && name[1] &&
	       strchr("adtx", name[1]) && (!name[2] || name[2] == '.');
}

static bool place(const struct table *x, const GElf_Sym *sym, const struct sf_elf_section *sec,
		  uint64_t *addr)
{
	uint64_t value = sym->st_value;

	if (x->syms->ehdr.e_machine == EM_ARM && GELF_ST_TYPE(sym->st_info) == STT_FUNC)
		value &= ~(uint64_t)1; /* Thumb code has bit 0 set */
	if (x->layout == SF_ELF_MODULE_TEXT) {
		*addr = value;
		return sym->st_shndx == x->text;
	}
	/* Not in a segment: Java's JIT files have section headers only. */
	if (x->layout == SF_ELF_VADDR)
		*addr = value;
	else if (!sf_elf_offset(x->run, value, addr))
		*addr = value - sec->hdr.sh_addr + sec->hdr.sh_offset;
	return true;
}

static int add_symbol(const struct table *x, const GElf_Sym *sym, struct sf_symtab *t)
{
	const struct sf_elf_section *sec;
	const char *name;
	uint64_t addr;

	if (!sym->st_name || sym->st_name >= x->str_size || sym->st_shndx == SHN_UNDEF ||
	    sym->st_shndx >= x->syms->nr_sec)
		return 0;
	sec = &x->syms->sec[sym->st_shndx];
	/* In a debug file the sections that ran have no place of their own. */
	if (sec->hdr.sh_type == SHT_NOBITS && sym->st_shndx < x->run->nr_sec)
		sec = &x->run->sec[sym->st_shndx];
	name = x->str + sym->st_name;
	if (!wanted(sym, sec) || is_mapping_symbol(x, name) || !place(x, sym, sec, &addr))
		return 0;
	return sf_symtab_add(t, addr, sym->st_size, GELF_ST_BIND(sym->st_info), name);
}

static int add_table(struct table *x, size_t section, struct sf_symtab *t)
{
	int ret = open_table(x, section, t);

	if (ret)
		return ret == -ENODATA ? 0 : ret;
	for (size_t i = 0; i < x->nr; i++) {
		GElf_Sym sym;

		if (gelf_getsym(x->data, (int)i, &sym)) {
			ret = add_symbol(x, &sym, t);
			if (ret)
				return ret;
		}
	}
	sf_symtab_settle(t, SF_SYMTAB_ELF);
	return 0;
}

/* The code that calls other modules: one stub for each relocation of .rela.plt, in its order. */
struct plt {
	uint64_t addr, entry; /* file offset of the first stub; size of one */
};

static struct plt plt_layout(const struct sf_elf *e, size_t section)
{
	const GElf_Shdr *h = &e->sec[section].hdr;
	uint64_t size = h->sh_entsize ? h->sh_entsize : 16;

	switch (e->ehdr.e_machine) {
	case EM_ARM:
		return (struct plt){h->sh_offset + 20, 12};
	case EM_AARCH64:
		return (struct plt){h->sh_offset + 32, 16};
	default:
		return (struct plt){h->sh_offset + size, size};
	}
}

/* Name of the symbol that relocation i of the section refers to; "" where it has none. */
static const char *rel_name(const struct sf_elf *e, Elf_Data *rel, bool rela, size_t i)
{
	const GElf_Shdr *dynsym = &e->sec[e->dynsym].hdr;
	Elf_Data *data = sf_elf_section_data(e, e->dynsym);
	const char *name;
	GElf_Rela ra;
	GElf_Rel r;
	GElf_Sym sym;
	size_t idx;

	if (rela ? !gelf_getrela(rel, (int)i, &ra) : !gelf_getrel(rel, (int)i, &r))
		return NULL;
	idx = rela ? GELF_R_SYM(ra.r_info) : GELF_R_SYM(r.r_info);
	if (!data || idx > INT32_MAX || !gelf_getsym(data, (int)idx, &sym))
		return NULL;
	name = elf_strptr(e->elf, dynsym->sh_link, sym.st_name);
	return name ? name : "";
}

static int add_stub(struct sf_symtab *t, const struct plt *plt, size_t i, const char *name)
{
	char *plain = t->demangle ? sf_demangle(name) : NULL, *copy;
	size_t len;
	int ret = -ENOMEM;

	if (plain)
		name = plain;
	len = strlen(name);
	copy = sf_arena_alloc(&t->names, len + sizeof("@plt"));
	if (copy) {
		memcpy(copy, name, len);
		memcpy(copy + len, "@plt", sizeof("@plt"));
		ret = sf_symtab_add(t, plt->addr + i * plt->entry, plt->entry, STB_GLOBAL, copy);
		if (!ret)
			t->sym[t->nr - 1].demangled = 1;
	}
	free(plain);
	return ret;
}

static int add_plt_section(struct sf_elf *e, struct sf_symtab *t, size_t rel, const struct plt *plt)
{
	const GElf_Shdr *h = &e->sec[rel].hdr;
	bool rela = h->sh_type == SHT_RELA;
	Elf_Data *data = sf_elf_section_data(e, rel);
	size_t size = gelf_fsize(e->elf, rela ? ELF_T_RELA : ELF_T_REL, 1, EV_CURRENT);
	int ret = 0;

	for (size_t i = 0; data && size && i < data->d_size / size && !ret; i++) {
		const char *name = rel_name(e, data, rela, i);

		if (name)
			ret = add_stub(t, plt, i, name);
	}
	return ret;
}

static int add_plt(struct sf_elf *e, struct sf_symtab *t)
{
	size_t rel = sf_elf_section(e, ".rela.plt"), sec = sf_elf_section(e, ".plt");
	struct plt plt;
	int ret = 0;

	if (!rel)
		rel = sf_elf_section(e, ".rel.plt");
	if (!rel || !e->dynsym || e->sec[rel].hdr.sh_link != e->dynsym)
		return 0;
	if (sec) {
		plt = plt_layout(e, sec);
		ret = add_plt_section(e, t, rel, &plt);
	}
	/* With branch tracking (Intel CET) the stubs that are called are in a section of their own.
	 */
	sec = sf_elf_section(e, ".plt.sec");
	if (sec && !ret) {
		plt = (struct plt){e->sec[sec].hdr.sh_offset, 16};
		ret = add_plt_section(e, t, rel, &plt);
	}
	if (!ret)
		sf_symtab_settle(t, SF_SYMTAB_PLAIN);
	return ret;
}

int sf_elf_symbols(struct sf_elf *syms, struct sf_elf *run, enum sf_elf_layout layout,
		   struct sf_symtab *t)
{
	struct table x = {.syms = syms, .run = run, .layout = layout};
	int ret = 0;

	if (layout == SF_ELF_MODULE_TEXT) {
		x.text = sf_elf_section(syms, ".text");
		if (!x.text)
			return 0;
	}
	if (syms->symtab)
		ret = add_table(&x, syms->symtab, t);
	if (!ret && syms->dynsym && layout == SF_ELF_OFFSETS)
		ret = add_table(&x, syms->dynsym, t);
	if (!ret && t->nr && layout == SF_ELF_OFFSETS)
		ret = add_plt(run, t);
	return ret;
}

bool sf_elf_symbol_value(const struct sf_elf *e, const char *name, uint64_t *value)
{
	Elf_Data *d = sf_elf_section_data(e, e->symtab);
	size_t nr = d ? d->d_size / gelf_fsize(e->elf, ELF_T_SYM, 1, EV_CURRENT) : 0;

	for (size_t i = 0; i < nr; i++) {
		GElf_Sym sym;
		const char *n;

		if (!gelf_getsym(d, (int)i, &sym))
			continue;
		n = elf_strptr(e->elf, e->sec[e->symtab].hdr.sh_link, sym.st_name);
		if (n && !strcmp(n, name)) {
			*value = sym.st_value;
			return true;
		}
	}
	return false;
}

#endif
