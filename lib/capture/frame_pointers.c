/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "frame_pointers.h"

#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	PIECE = 256 * 1024,
	CODE_MAX = 64 << 20, /* enough to tell */
	PHDRS_MAX = 64,
	/*
	 * Functions are 100 to 800 bytes long. One in 1000 bytes of code that sets up a frame is a
	 * program that was built with them; without, it is assembly here and there.
	 */
	BYTES_PER_FRAME = 1000,
};

/* push %rbp; mov %rsp,%rbp: both encodings of the move */
static size_t count_frames(const unsigned char *p, size_t size)
{
	const unsigned char *end = p + size;
	size_t nr = 0;

	while (end - p >= 4 && (p = memchr(p, 0x55, (size_t)(end - p - 3)))) {
		if (!memcmp(p + 1, "\x48\x89\xe5", 3) || !memcmp(p + 1, "\x48\x8b\xec", 3))
			nr++;
		p++;
	}
	return nr;
}

static void scan(int fd, const Elf64_Phdr *ph, unsigned char *buf, size_t *code, size_t *frames)
{
	uint64_t at = ph->p_offset, left = ph->p_filesz < CODE_MAX ? ph->p_filesz : CODE_MAX;

	while (left) {
		ssize_t n = pread(fd, buf, left < PIECE ? left : PIECE, (off_t)at);

		if (n <= 0)
			return;
		*frames += count_frames(buf, (size_t)n);
		*code += (size_t)n;
		at += (uint64_t)n;
		left -= (uint64_t)n;
	}
}

static bool scan_file(int fd, unsigned char *buf)
{
	Elf64_Phdr ph[PHDRS_MAX];
	size_t code = 0, frames = 0;
	Elf64_Ehdr eh;
	ssize_t n;

	/* On other machines the ABI keeps them, or there is no unwinder of ours. */
	if (pread(fd, &eh, sizeof(eh), 0) != (ssize_t)sizeof(eh) ||
	    memcmp(eh.e_ident, ELFMAG, SELFMAG) || eh.e_ident[EI_CLASS] != ELFCLASS64 ||
	    eh.e_machine != EM_X86_64 || eh.e_phentsize != sizeof(ph[0]) || eh.e_phnum > PHDRS_MAX)
		return true;
	n = pread(fd, ph, sizeof(ph[0]) * eh.e_phnum, (off_t)eh.e_phoff);
	for (size_t i = 0; n > 0 && i < (size_t)n / sizeof(ph[0]); i++) {
		if (ph[i].p_type == PT_LOAD && ph[i].p_flags & PF_X)
			scan(fd, &ph[i], buf, &code, &frames);
	}
	return !code || frames >= code / BYTES_PER_FRAME;
}

bool sf_has_frame_pointers(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	unsigned char *buf = malloc(PIECE);
	bool has = true;

	if (fd >= 0 && buf)
		has = scan_file(fd, buf);
	free(buf);
	if (fd >= 0)
		close(fd);
	return has;
}
