/* SPDX-License-Identifier: GPL-2.0-only */
/* What a live process has mapped, as the records of a recording would tell it. */
#include "symbol/symbols.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MAX_MAPS (256u << 20)

/* 7f3c4a5d6000-7f3c4a72c000 r-xp 00028000 08:01 1311231   /usr/lib/libc.so.6 */
static int feed_line(struct sf_symbols *s, uint32_t pid, const char *line)
{
	struct sf_record r = {.type = PERF_RECORD_MMAP2, .misc = PERF_RECORD_MISC_USER};
	unsigned long start, end, offset, ino;
	unsigned maj, min;
	char perm[8];
	int path = 0;

	if (sscanf(line, "%lx-%lx %7s %lx %x:%x %lu %n", &start, &end, perm, &offset, &maj, &min,
		   &ino, &path) != 7 ||
	    end <= start || strlen(perm) < 4)
		return 0;
	r.has_tid = true;
	r.pid = r.tid = r.u.mmap.pid = r.u.mmap.tid = pid;
	r.u.mmap.addr = start;
	r.u.mmap.len = end - start;
	r.u.mmap.pgoff = offset;
	r.u.mmap.maj = maj;
	r.u.mmap.min = min;
	r.u.mmap.ino = ino;
	r.u.mmap.prot = (perm[0] == 'r' ? PROT_READ : 0) | (perm[1] == 'w' ? PROT_WRITE : 0) |
			(perm[2] == 'x' ? PROT_EXEC : 0);
	r.u.mmap.filename = line[path] ? line + path : "//anon";
	return sf_symbols_feed(s, &r);
}

int sf_symbols_feed_maps(struct sf_symbols *s, uint32_t pid, char *text)
{
	char *line, *save = NULL;
	int ret = 0;

	for (line = strtok_r(text, "\n", &save); line && !ret; line = strtok_r(NULL, "\n", &save))
		ret = feed_line(s, pid, line);
	return ret;
}

int sf_symbols_feed_proc(struct sf_symbols *s, uint32_t pid)
{
	char path[64], *text;
	size_t len;
	int ret;

	snprintf(path, sizeof(path), "/proc/%u/maps", pid);
	ret = sf_read_file(path, MAX_MAPS, &text, &len);
	if (ret)
		return ret;
	ret = sf_symbols_feed_maps(s, pid, text);
	free(text);
	return ret;
}
