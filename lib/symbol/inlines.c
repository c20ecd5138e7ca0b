/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/inlines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef SF_HAVE_DWARF

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>

#include "symbol/elfpriv.h"
#include "symbol/sorted.h"

#define MAX_NEST 256 /* of DIEs; what compilers write is far below */

/* A piece of code that belongs to a function, or to a call that was inlined. */
struct scope {
	uint64_t lo, hi;
	uint32_t parent; /* index + 1 of the scope around it; 0: none */
	uint32_t depth;
	bool inlined;
	Dwarf_Die die;
};

/* Scopes by where they begin; reach is the largest end up to here. */
struct place {
	uint64_t lo, reach;
	uint32_t scope;
};

struct unit {
	Dwarf_Die die;
	bool indexed;
	struct scope *scope; /* outer before inner */
	size_t nr, alloc;
	struct place *place; /* as many */
};

struct range {
	uint64_t lo, hi;
	uint32_t unit;
};

struct sf_inlines {
	struct sf_files files;
	Dwarf *dw, *alt;
	int alt_fd;
	struct unit *unit;
	size_t nr_units, units_alloc;
	struct range *range; /* by lo */
	size_t nr_ranges, ranges_alloc;
	struct sf_strtab names;
};

/* dwz moves what several files share to one more file, named with its build-id. */
static int open_alt(const struct sf_symbols *s, const struct sf_files *f, const char *name,
		    const uint8_t *id, size_t len)
{
	const char *symfs = s->opts.symfs ? s->opts.symfs : "", *slash;
	const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	char path[4200];
	int fd = -1, n;

	if (len > 1) {
		n = snprintf(path, sizeof(path), "%s/usr/lib/debug/.build-id/%02x/", symfs, id[0]);
		for (size_t i = 1; i < len && (size_t)n < sizeof(path) - 16; i++)
			n += snprintf(path + n, sizeof(path) - (size_t)n, "%02x", id[i]);
		snprintf(path + n, sizeof(path) - (size_t)n, ".debug");
		fd = open(path, flags);
	}
	if (fd >= 0)
		return fd;
	slash = strrchr(f->syms_path, '/');
	if (name[0] == '/')
		n = snprintf(path, sizeof(path), "%s%s", symfs, name);
	else
		n = snprintf(path, sizeof(path), "%.*s/%s", slash ? (int)(slash - f->syms_path) : 0,
			     f->syms_path, name);
	return (size_t)n < sizeof(path) ? open(path, flags) : -1;
}

static bool alt_fits(Dwarf *alt, const void *want, size_t len)
{
	const void *id;
	ssize_t n = dwelf_elf_gnu_build_id(dwarf_getelf(alt), &id);

	return n > 0 && (size_t)n == len && !memcmp(id, want, len);
}

static void set_alt(struct sf_symbols *s, struct sf_inlines *x)
{
	const char *name;
	const void *id;
	ssize_t len = dwelf_dwarf_gnu_debugaltlink(x->dw, &name, &id);

	if (len <= 0)
		return;
	x->alt_fd = open_alt(s, &x->files, name, id, (size_t)len);
	if (x->alt_fd < 0)
		return;
	x->alt = dwarf_begin(x->alt_fd, DWARF_C_READ);
	if (x->alt && alt_fits(x->alt, id, (size_t)len))
		dwarf_setalt(x->dw, x->alt);
}

static int add_ranges(struct sf_inlines *x, uint32_t unit)
{
	Dwarf_Addr base, lo, hi;
	ptrdiff_t at = 0;

	while ((at = dwarf_ranges(&x->unit[unit].die, at, &base, &lo, &hi)) > 0) {
		if (lo >= hi)
			continue;
		if (SF_GROW(x->range, x->nr_ranges + 1, x->ranges_alloc))
			return -ENOMEM;
		x->range[x->nr_ranges++] = (struct range){lo, hi, unit};
	}
	return 0;
}

static int by_lo(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->lo < y->lo ? -1 : x->lo > y->lo;
}

/* .debug_aranges would be faster, but clang and rustc leave it out. */
static int read_units(struct sf_inlines *x)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Die die;
	uint8_t type;
	int ret = 0;

	while (!ret && !dwarf_get_units(x->dw, cu, &cu, NULL, &type, &die, NULL)) {
		if (type != DW_UT_compile && type != DW_UT_skeleton)
			continue;
		if (SF_GROW(x->unit, x->nr_units + 1, x->units_alloc))
			return -ENOMEM;
		x->unit[x->nr_units] = (struct unit){.die = die};
		ret = add_ranges(x, (uint32_t)x->nr_units++);
	}
	if (x->nr_ranges)
		qsort(x->range, x->nr_ranges, sizeof(*x->range), by_lo);
	return ret ? ret : x->nr_ranges ? 0 : -ENODATA;
}

int sf_inlines_open(struct sf_inlines **out, struct sf_symbols *s, struct sf_files *files)
{
	struct sf_inlines *x = calloc(1, sizeof(*x));
	int ret = -ENODATA;

	*out = NULL;
	if (!x) {
		sf_files_release(files);
		return -ENOMEM;
	}
	x->alt_fd = -1;
	x->files = *files;
	memset(files, 0, sizeof(*files));
	x->dw = dwarf_begin_elf(x->files.syms->elf, DWARF_C_READ, NULL);
	if (x->dw) {
		set_alt(s, x);
		ret = read_units(x);
	}
	if (ret) {
		sf_inlines_free(x);
		return ret;
	}
	sf_elf_detach(x->files.run);
	sf_elf_detach(x->files.syms);
	*out = x;
	return 0;
}

void sf_inlines_free(struct sf_inlines *x)
{
	if (!x)
		return;
	for (size_t i = 0; i < x->nr_units; i++) {
		free(x->unit[i].scope);
		free(x->unit[i].place);
	}
	free(x->unit);
	free(x->range);
	if (x->dw)
		dwarf_end(x->dw);
	if (x->alt)
		dwarf_end(x->alt);
	if (x->alt_fd >= 0)
		close(x->alt_fd);
	sf_strtab_release(&x->names);
	sf_files_release(&x->files);
	free(x);
}

static struct unit *find_unit(struct sf_inlines *x, uint64_t addr)
{
	size_t lo = SF_UP_TO(x->range, 0, x->nr_ranges, lo, addr);

	/* Units seldom overlap; where they do, the one that begins last is the smaller. */
	for (size_t back = 0; lo-- > 0 && back < 8; back++)
		if (addr < x->range[lo].hi)
			return &x->unit[x->range[lo].unit];
	return NULL;
}

/* All ranges of a DIE as scopes. *first is set to index + 1 of the first of them. */
static int add_scopes(struct unit *u, Dwarf_Die *die, uint32_t parent, uint32_t depth,
		      uint32_t *first)
{
	Dwarf_Addr base, lo, hi;
	ptrdiff_t at = 0;

	*first = 0;
	while ((at = dwarf_ranges(die, at, &base, &lo, &hi)) > 0) {
		if (lo >= hi)
			continue;
		if (SF_GROW(u->scope, u->nr + 1, u->alloc))
			return -ENOMEM;
		u->scope[u->nr++] = (struct scope){
			.lo = lo,
			.hi = hi,
			.parent = parent,
			.depth = depth,
			.inlined = dwarf_tag(die) == DW_TAG_inlined_subroutine,
			.die = *die,
		};
		if (!*first)
			*first = (uint32_t)u->nr;
	}
	return 0;
}

/* Parents come before their children, and keep their index: the scopes are not sorted. */
static int walk(struct unit *u, Dwarf_Die *parent_die, uint32_t parent, uint32_t depth)
{
	Dwarf_Die die;
	int ret = 0;

	if (depth > MAX_NEST || dwarf_child(parent_die, &die))
		return 0;
	do {
		int tag = dwarf_tag(&die);
		uint32_t inner = parent;

		if (tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine) {
			uint32_t mine;

			ret = add_scopes(u, &die, tag == DW_TAG_subprogram ? 0 : parent, depth,
					 &mine);
			/* An abstract instance: what is in it has no place either. */
			if (!ret && !mine && tag == DW_TAG_subprogram)
				continue;
			inner = mine ? mine : parent;
		}
		if (!ret && dwarf_haschildren(&die))
			ret = walk(u, &die, inner, depth + 1);
	} while (!ret && !dwarf_siblingof(&die, &die));
	return ret;
}

static int by_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return x->lo < y->lo ? -1 : x->lo > y->lo;
}

static void index_unit(struct unit *u)
{
	Dwarf_Die root = u->die, split;
	uint64_t reach = 0;

	u->indexed = true;
	/* The rest of the unit may be in a file of its own (-gsplit-dwarf). */
	if (!dwarf_cu_info(u->die.cu, NULL, NULL, NULL, &split, NULL, NULL, NULL) && split.addr)
		root = split;
	walk(u, &root, 0, 0);
	u->place = u->nr ? calloc(u->nr, sizeof(*u->place)) : NULL;
	if (!u->place) {
		u->nr = 0;
		return;
	}
	for (size_t i = 0; i < u->nr; i++)
		u->place[i] = (struct place){.lo = u->scope[i].lo, .scope = (uint32_t)i};
	qsort(u->place, u->nr, sizeof(*u->place), by_place);
	for (size_t i = 0; i < u->nr; i++) {
		const struct scope *s = &u->scope[u->place[i].scope];

		reach = s->hi > reach ? s->hi : reach;
		u->place[i].reach = reach;
	}
}

static const struct scope *innermost(const struct unit *u, uint64_t addr)
{
	const struct scope *best = NULL;
	size_t lo = SF_UP_TO(u->place, 0, u->nr, lo, addr);

	while (lo-- > 0 && u->place[lo].reach > addr) {
		const struct scope *s = &u->scope[u->place[lo].scope];

		if (addr < s->hi && (!best || s->depth > best->depth))
			best = s;
	}
	return best;
}

static const char *name_of(struct sf_inlines *x, Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	const char *name = NULL;
	char *plain;
	uint32_t id;

	if (dwarf_attr_integrate(die, DW_AT_linkage_name, &attr) ||
	    dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attr))
		name = dwarf_formstring(&attr);
	if (!name)
		name = dwarf_diename(die);
	if (!name)
		return NULL;
	plain = sf_demangle(name);
	id = sf_strtab_id(&x->names, plain ? plain : name);
	free(plain);
	return id ? sf_strtab_text(&x->names, id) : NULL;
}

static void line_of(struct unit *u, uint64_t addr, struct sf_source *out)
{
	Dwarf_Line *line = dwarf_getsrc_die(&u->die, addr);
	int n;

	if (!line)
		return;
	out->file = dwarf_linesrc(line, NULL, NULL);
	if (!dwarf_lineno(line, &n) && n > 0)
		out->line = (unsigned)n;
}

static void call_of(struct unit *u, Dwarf_Die *die, struct sf_source *out)
{
	Dwarf_Attribute attr;
	Dwarf_Files *files;
	Dwarf_Word v;
	size_t n;

	if (dwarf_attr(die, DW_AT_call_line, &attr) && !dwarf_formudata(&attr, &v) &&
	    v <= UINT32_MAX)
		out->line = (unsigned)v;
	if (dwarf_attr(die, DW_AT_call_file, &attr) && !dwarf_formudata(&attr, &v) &&
	    !dwarf_getsrcfiles(&u->die, &files, &n) && v < n)
		out->file = dwarf_filesrc(files, v, NULL, NULL);
}

size_t sf_inlines_at(struct sf_inlines *x, uint64_t offset, struct sf_source *out, size_t max)
{
	const struct scope *s;
	struct unit *u;
	uint64_t addr;
	size_t n = 0;

	if (!max || !sf_elf_vaddr(x->files.run, offset, &addr))
		return 0;
	u = find_unit(x, addr);
	if (!u)
		return 0;
	if (!u->indexed)
		index_unit(u);
	memset(&out[0], 0, sizeof(out[0]));
	line_of(u, addr, &out[0]);
	s = innermost(u, addr);
	if (!s)
		return out[0].file != NULL;
	for (; s && n < max; s = s->parent ? &u->scope[s->parent - 1] : NULL) {
		Dwarf_Die die = s->die;

		out[n].name = name_of(x, &die);
		if (s->inlined && n + 1 < max) {
			memset(&out[n + 1], 0, sizeof(out[0]));
			call_of(u, &die, &out[n + 1]);
		}
		n++;
	}
	return n;
}

#else

int sf_inlines_open(struct sf_inlines **out, struct sf_symbols *s, struct sf_files *files)
{
	*out = NULL;
	sf_files_release(files);
	return -ENOSYS;
}

void sf_inlines_free(struct sf_inlines *x)
{
}

size_t sf_inlines_at(struct sf_inlines *x, uint64_t offset, struct sf_source *out, size_t max)
{
	return 0;
}

#endif
