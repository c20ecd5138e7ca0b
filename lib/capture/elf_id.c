/* SPDX-License-Identifier: GPL-2.0-only */
/* Build-ids, read straight from the notes: libelf is optional, and this is all we would use. */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sideband.h"

enum { NOTES_MAX = 64 * 1024, PHDRS_MAX = 256 };

/* "GNU", type 3, in a run of notes. */
static int scan_notes(const uint8_t *p, size_t size, uint8_t id[20])
{
	while (size >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr n;
		size_t name, desc;

		memcpy(&n, p, sizeof(n));
		p += sizeof(n);
		size -= sizeof(n);
		name = ((size_t)n.n_namesz + 3) & ~(size_t)3;
		desc = ((size_t)n.n_descsz + 3) & ~(size_t)3;
		if (name > size || desc > size - name)
			return 0;
		if (n.n_type == NT_GNU_BUILD_ID && n.n_namesz == 4 && !memcmp(p, "GNU", 4) &&
		    n.n_descsz <= 20) {
			memcpy(id, p + name, n.n_descsz);
			return (int)n.n_descsz;
		}
		p += name + desc;
		size -= name + desc;
	}
	return 0;
}

static int read_notes(int fd, uint64_t offset, uint64_t size, uint8_t id[20])
{
	uint8_t *buf;
	ssize_t n;
	int ret = 0;

	if (size > NOTES_MAX)
		size = NOTES_MAX;
	buf = malloc(size ? size : 1);
	if (!buf)
		return -ENOMEM;
	n = pread(fd, buf, size, (off_t)offset);
	if (n > 0)
		ret = scan_notes(buf, (size_t)n, id);
	free(buf);
	return ret;
}

static int scan_elf(int fd, uint8_t id[20])
{
	Elf64_Phdr ph[PHDRS_MAX];
	Elf64_Ehdr eh;
	ssize_t n;
	int ret = 0;

	if (pread(fd, &eh, sizeof(eh), 0) != (ssize_t)sizeof(eh) ||
	    memcmp(eh.e_ident, ELFMAG, SELFMAG) || eh.e_ident[EI_CLASS] != ELFCLASS64 ||
	    eh.e_phentsize != sizeof(ph[0]) || eh.e_phnum > PHDRS_MAX)
		return 0;
	n = pread(fd, ph, sizeof(ph[0]) * eh.e_phnum, (off_t)eh.e_phoff);
	for (size_t i = 0; n > 0 && i < (size_t)n / sizeof(ph[0]) && !ret; i++) {
		if (ph[i].p_type == PT_NOTE)
			ret = read_notes(fd, ph[i].p_offset, ph[i].p_filesz, id);
	}
	return ret;
}

int sf_file_build_id(const char *path, uint8_t id[20])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), ret = 0;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		ret = scan_elf(fd, id);
	close(fd);
	return ret;
}

int sf_notes_build_id(const char *path, uint8_t id[20])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	ret = read_notes(fd, 0, NOTES_MAX, id);
	close(fd);
	return ret;
}
