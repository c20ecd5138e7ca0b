/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE /* memrchr */
#include "symbol/kimage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "symbol/sorted.h"

/*
 * Lines of read-only data, of which there are thousands in a row, are no symbols to perf. What has
 * more of them between two that are is no list of a kernel.
 */
#define MAX_PASSED 65536

int sf_kimage_open(struct sf_kimage *k, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), ret = 0;
	struct stat st;
	void *p;

	*k = (struct sf_kimage){0};
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st)) {
		ret = -errno;
	} else if (!S_ISREG(st.st_mode) || st.st_size <= 0) {
		ret = -ENODATA;
	} else {
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (p == MAP_FAILED) {
			ret = -errno;
		} else {
			k->text = p;
			k->len = (size_t)st.st_size;
		}
	}
	close(fd);
	return ret;
}

void sf_kimage_release(struct sf_kimage *k)
{
	if (k->text)
		munmap((void *)(uintptr_t)k->text, k->len);
	free(k->found);
	sf_arena_release(&k->names);
	memset(k, 0, sizeof(*k));
}

/* Where the line begins that has the byte at pos. */
static size_t line_at(const struct sf_kimage *k, size_t pos)
{
	const char *eol = memrchr(k->text, '\n', pos);

	return eol ? (size_t)(eol - k->text) + 1 : 0;
}

/* The line that begins at pos, and where the next one does. False where it is none of kallsyms. */
static bool read_line(const struct sf_kimage *k, size_t pos, struct sf_ksyms_text *line,
		      size_t *next)
{
	const char *p = k->text + pos, *eol = memchr(p, '\n', k->len - pos);
	const char *end = eol ? eol : k->text + k->len;

	*next = eol ? (size_t)(eol - k->text) + 1 : k->len;
	return sf_ksyms_line(p, end, line);
}

/*
 * The place of the first line that begins behind addr, or is of a module: theirs come last, and
 * are not sorted. SIZE_MAX where a line cannot be read.
 */
static size_t behind(const struct sf_kimage *k, uint64_t addr)
{
	size_t lo = 0, hi = k->len;

	/* Both are starts of lines, or the end. */
	while (lo < hi) {
		size_t at = line_at(k, lo + (hi - lo) / 2), next;
		struct sf_ksyms_text line;

		if (!read_line(k, at, &line, &next))
			return SIZE_MAX;
		if (!line.in_module && line.start <= addr)
			lo = next;
		else
			hi = at;
	}
	return lo;
}

static bool symbol_after(const struct sf_kimage *k, size_t pos, struct sf_ksyms_text *line)
{
	for (unsigned i = 0; pos < k->len && i < MAX_PASSED; i++)
		if (read_line(k, pos, line, &pos) && line->wanted)
			return true;
	return false;
}

static bool symbol_before(const struct sf_kimage *k, size_t pos, struct sf_ksyms_text *line)
{
	size_t next;

	for (unsigned i = 0; pos && i < MAX_PASSED; i++) {
		pos = line_at(k, pos - 1);
		if (read_line(k, pos, line, &next) && line->wanted)
			return true;
	}
	return false;
}

/* Index of the first symbol found so far that begins behind addr. */
static size_t place_of(const struct sf_kimage *k, uint64_t addr)
{
	return SF_UP_TO(k->found, 0, k->nr, start, addr);
}

/* The symbol in the text, which is to stand at place. NULL where there is none, or no memory. */
static const struct sf_kimage_found *find_in_text(struct sf_kimage *k, uint64_t addr, size_t place)
{
	struct sf_ksyms_text line, next;
	size_t pos = behind(k, addr);
	struct sf_kimage_found *f;
	const char *name;

	if (pos == SIZE_MAX || !symbol_before(k, pos, &line) || !symbol_after(k, pos, &next))
		return NULL;
	/* A file that is not sorted is not believed. */
	if (line.in_module || next.in_module || line.start > addr || next.start <= addr)
		return NULL;
	name = sf_arena_strndup(&k->names, line.name, line.len);
	if (!name || SF_GROW(k->found, k->nr + 1, k->alloc))
		return NULL;
	f = k->found + place;
	memmove(f + 1, f, (k->nr++ - place) * sizeof(*f));
	*f = (struct sf_kimage_found){line.start, next.start, name};
	return f;
}

bool sf_kimage_find(struct sf_kimage *k, uint64_t addr, struct sf_ksym *sym)
{
	size_t place = place_of(k, addr);
	const struct sf_kimage_found *f = place ? k->found + place - 1 : NULL;

	if (!f || addr >= f->end)
		f = find_in_text(k, addr, place);
	if (!f)
		return false;
	*sym = (struct sf_ksym){.name = f->name, .start = f->start, .end = f->end, .alone = true};
	return true;
}
