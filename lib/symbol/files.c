/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/files.h"

#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "symbol/debuginfod.h"

#define DEBUG_DIR "/usr/lib/debug"

bool sf_files_cache_dir(const struct sf_symbols_opts *opts, char *path, size_t size)
{
	const char *home = getenv("HOME");
	int n;

	if (opts->buildid_dir)
		n = snprintf(path, size, "%s", opts->buildid_dir);
	else if (opts->symfs || opts->no_local || !home)
		return false;
	else
		n = snprintf(path, size, "%s/.debug", home);
	return n > 0 && (size_t)n < size;
}

static size_t vdso_size(const void *image)
{
	const ElfW(Ehdr) *e = image;
	size_t end = e->e_shoff + (size_t)e->e_shnum * e->e_shentsize;

	/* The section headers are the last part of the image. */
	return end > sizeof(*e) && end < (1u << 20) ? end : (size_t)sysconf(_SC_PAGESIZE);
}

/* The vdso is in no file; that of the running kernel is in this process. */
static int open_vdso(struct sf_symbols *s, const struct sf_mod *mod, struct sf_files *f)
{
	const void *image = (const void *)getauxval(AT_SYSINFO_EHDR);
	const char *why;
	int ret;

	memset(f, 0, sizeof(*f));
	if (!image || !sf_sources_same_kernel(s, &why))
		return -ENOENT;
	ret = sf_elf_open_memory(&f->run, image, vdso_size(image), &mod->build_id);
	f->syms = f->run;
	return ret;
}

/* Does process pid see other files than this one under the same path? */
static bool other_root(uint32_t pid)
{
	struct stat mine, its, my_ns, its_ns;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/root", pid);
	if (!pid || stat(path, &its) || stat("/", &mine))
		return false;
	if (its.st_dev != mine.st_dev || its.st_ino != mine.st_ino)
		return true;
	snprintf(path, sizeof(path), "/proc/%u/ns/mnt", pid);
	return !stat(path, &its_ns) && !stat("/proc/self/ns/mnt", &my_ns) &&
	       its_ns.st_ino != my_ns.st_ino;
}

struct search {
	struct sf_symbols *s;
	const struct sf_mod *mod;
	struct sf_files *f;
	const struct sf_build_id *want;
	int ret; /* the most telling failure so far */
};

static bool opens(struct search *x, struct sf_elf **e, const char *path)
{
	int ret = sf_elf_open(e, path, x->want);

	if (!ret)
		return true;
	if (ret == -ESTALE || x->ret != -ESTALE)
		x->ret = ret;
	return false;
}

static bool try_run(struct search *x, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool try_run(struct search *x, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(x->f->run_path, sizeof(x->f->run_path), fmt, ap);
	va_end(ap);
	return n > 0 && (size_t)n < sizeof(x->f->run_path) && opens(x, &x->f->run, x->f->run_path);
}

/* 7f3c4a5d6000-7f3c4a72c000 r-xp 00028000 08:01 1311231   /usr/bin/vmm (deleted) */
static bool is_mapping_of(const char *line, const struct sf_mod *mod, unsigned long *start,
			  unsigned long *end)
{
	unsigned maj, min;
	const char *path;
	uint64_t ino;
	int at = 0;
	size_t len;

	if (sscanf(line, "%lx-%lx %*s %*x %x:%x %lu %n", start, end, &maj, &min, &ino, &at) != 5)
		return false;
	if (mod->ino)
		return ino == mod->ino && maj == mod->maj && min == mod->min;
	/* Recordings with build-ids have no inodes. */
	path = line + at;
	len = strlen(mod->file);
	return !strncmp(path, mod->file, len) && (!path[len] || !strcmp(path + len, " (deleted)"));
}

/*
 * A file that was deleted or replaced lives on for as long as someone has it mapped, and can be
 * opened through the mapping.
 */
static bool try_map_files(struct search *x)
{
	char path[64], *maps, *line, *save;
	unsigned long start, end;
	bool found = false;
	size_t len;

	snprintf(path, sizeof(path), "/proc/%u/maps", x->mod->pid);
	if (!x->mod->pid || sf_read_file(path, 64u << 20, &maps, &len))
		return false;
	for (line = strtok_r(maps, "\n", &save); line && !found; line = strtok_r(NULL, "\n", &save))
		found = is_mapping_of(line, x->mod, &start, &end) &&
			try_run(x, "/proc/%u/map_files/%lx-%lx", x->mod->pid, start, end);
	free(maps);
	return found;
}

static bool try_cached(struct search *x, const char *name)
{
	char hex[2 * SF_BUILD_ID_MAX + 1], dir[2048];

	if (!x->want->size || !sf_files_cache_dir(&x->s->opts, dir, sizeof(dir)))
		return false;
	sf_build_id_hex(x->want, hex);
	return try_run(x, "%s/.build-id/%.2s/%s/%s", dir, hex, hex + 2, name);
}

static bool find_run_here(struct search *x)
{
	const char *path = x->mod->file, *symfs = x->s->opts.symfs;

	if (symfs)
		return try_run(x, "%s%s", symfs, path) || try_cached(x, "elf");
	return (other_root(x->mod->pid) && try_run(x, "/proc/%u/root%s", x->mod->pid, path)) ||
	       try_run(x, "%s", path) || try_map_files(x) || try_cached(x, "elf");
}

static bool find_run(struct search *x)
{
	char path[4096];

	if (x->mod->file[0] != '/')
		return false;
	return find_run_here(x) ||
	       (x->s->opts.debuginfod &&
		sf_debuginfod_find(x->want, SF_DEBUGINFOD_EXECUTABLE, path, sizeof(path)) &&
		try_run(x, "%s", path));
}

static bool try_syms(struct search *x, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool try_syms(struct search *x, const char *fmt, ...)
{
	struct sf_elf *e;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(x->f->syms_path, sizeof(x->f->syms_path), fmt, ap);
	va_end(ap);
	if (n <= 0 || (size_t)n >= sizeof(x->f->syms_path) || !opens(x, &e, x->f->syms_path))
		return false;
	if (!sf_elf_has_symtab(e)) {
		sf_elf_free(e);
		return false;
	}
	x->f->syms = e;
	return true;
}

static bool try_build_id(struct search *x, const char *symfs)
{
	char hex[2 * SF_BUILD_ID_MAX + 1], dir[2048];

	if (!x->want->size)
		return false;
	sf_build_id_hex(x->want, hex);
	if (sf_files_cache_dir(&x->s->opts, dir, sizeof(dir)) &&
	    (try_syms(x, "%s/.build-id/%.2s/%s/elf", dir, hex, hex + 2) ||
	     try_syms(x, "%s/.build-id/%.2s/%s/debug", dir, hex, hex + 2)))
		return true;
	return try_syms(x, "%s" DEBUG_DIR "/.build-id/%.2s/%s.debug", symfs, hex, hex + 2);
}

/* Without build-ids nothing but this sum says that a debug file belongs to the binary. */
static bool crc_matches(const char *path, uint32_t want)
{
	uint32_t crc = ~0u;
	char *text;
	size_t len;

	if (sf_read_file(path, 1u << 30, &text, &len))
		return false;
	for (size_t i = 0; i < len; i++) {
		crc ^= (unsigned char)text[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	free(text);
	return ~crc == want;
}

static bool linked_file_fits(struct search *x, uint32_t crc)
{
	if (x->want->size || crc_matches(x->f->syms_path, crc))
		return true;
	sf_elf_free(x->f->syms);
	x->f->syms = NULL;
	x->ret = -ESTALE;
	return false;
}

/* .gnu_debuglink names a file beside the binary, in .debug there, or under /usr/lib/debug. */
static bool try_debuglink(struct search *x, const char *symfs)
{
	uint32_t crc = 0;
	const char *link = x->f->run ? sf_elf_debuglink(x->f->run, &crc) : NULL;
	const char *slash = strrchr(x->mod->file, '/');
	int dir = slash ? (int)(slash - x->mod->file) : 0;

	if (!link || !slash)
		return false;
	return ((try_syms(x, "%s%.*s/%s", symfs, dir, x->mod->file, link) ||
		 try_syms(x, "%s%.*s/.debug/%s", symfs, dir, x->mod->file, link) ||
		 try_syms(x, "%s" DEBUG_DIR "%.*s/%s", symfs, dir, x->mod->file, link)) &&
		linked_file_fits(x, crc));
}

static bool try_debuginfod(struct search *x)
{
	char path[4096];

	return x->s->opts.debuginfod &&
	       sf_debuginfod_find(x->want, SF_DEBUGINFOD_DEBUGINFO, path, sizeof(path)) &&
	       try_syms(x, "%s", path);
}

/* The order is perf's; the first file with a full symbol table is taken. */
static bool find_syms(struct search *x)
{
	const char *symfs = x->s->opts.symfs ? x->s->opts.symfs : "";
	struct sf_files *f = x->f;

	if (f->run && sf_elf_has_symtab(f->run) && !sf_elf_debuglink(f->run, NULL))
		return false;
	return try_debuglink(x, symfs) || try_build_id(x, symfs) ||
	       (x->want->size && (try_syms(x, "%s" DEBUG_DIR "%s.debug", symfs, x->mod->file) ||
				  try_syms(x, "%s" DEBUG_DIR "%s", symfs, x->mod->file))) ||
	       ((!f->run || !sf_elf_has_symtab(f->run)) && try_debuginfod(x));
}

static int find_files(struct sf_symbols *s, const struct sf_mod *mod, struct sf_files *f)
{
	struct search x = {.s = s, .mod = mod, .f = f, .want = &mod->build_id, .ret = -ENOENT};

	memset(f, 0, sizeof(*f));
	if (find_run(&x) && !x.want->size)
		x.want = sf_elf_build_id(f->run);
	if (!find_syms(&x)) {
		f->syms = f->run;
		snprintf(f->syms_path, sizeof(f->syms_path), "%s", f->run_path);
	}
	if (!f->run)
		f->run = f->syms;
	return f->run ? 0 : x.ret;
}

int sf_files_open(struct sf_symbols *s, const struct sf_mod *mod, struct sf_files *f)
{
	if (mod->kind == SF_MODULE_VDSO)
		return open_vdso(s, mod, f);
	return find_files(s, mod, f);
}

void sf_files_release(struct sf_files *f)
{
	if (f->syms != f->run)
		sf_elf_free(f->syms);
	sf_elf_free(f->run);
	memset(f, 0, sizeof(*f));
}
