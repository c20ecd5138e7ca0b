/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "symbol/kernel.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "symbol/elffile.h"

/* A distribution's kernel with all its modules loaded has about 15 MB of it. */
#define MAX_KALLSYMS (512u << 20)
#define MAX_NOTES    (1u << 20)

#define RUNNING "/proc/kallsyms"

int sf_read_file(const char *path, size_t max, char **text, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), ret;

	*text = NULL;
	*len = 0;
	if (fd < 0)
		return -errno;
	ret = sf_read_fd(fd, max, text, len);
	close(fd);
	return ret;
}

int sf_read_fd(int fd, size_t max, char **text, size_t *len)
{
	size_t alloc = 0;
	int ret = 0;
	ssize_t n;

	*text = NULL;
	*len = 0;
	do {
		/* Doubling: /proc/kallsyms is made anew, piece by piece, for every read(). */
		if (*len + 1 >= alloc) {
			size_t want = alloc ? alloc * 2 : 64 * 1024;
			char *more = want <= max || alloc < max ? realloc(*text, want) : NULL;

			if (!more) {
				ret = want <= max ? -ENOMEM : -EFBIG;
				goto out;
			}
			*text = more;
			alloc = want;
		}
		n = read(fd, *text + *len, alloc - *len - 1);
		if (n < 0 && errno != EINTR) {
			ret = -errno;
			goto out;
		}
		*len += n > 0 ? (size_t)n : 0;
	} while (n);
	(*text)[*len] = '\0';
out:
	if (ret) {
		free(*text);
		*text = NULL;
	}
	return ret;
}

/* Before names are terminated, because the text itself is searched. */
static void find_delta(struct sf_kernel *k, const char *text, size_t len)
{
	uint64_t addr = k->ref_addr ? sf_ksyms_address(text, len, k->ref_name) : 0;

	if (addr)
		k->delta = (int64_t)(addr - k->ref_addr);
}

int sf_kernel_load(struct sf_kernel *k, const char *path)
{
	struct sf_ksyms *syms = &k->syms;
	char *text;
	size_t len;
	int ret = sf_read_file(path, MAX_KALLSYMS, &text, &len);

	if (!ret)
		ret = sf_ksyms_parse(syms, text, len);
	if (!ret && !syms->line[syms->nr - 1].start)
		ret = -EPERM;
	if (ret)
		sf_ksyms_release(syms);
	else
		find_delta(k, text, len);
	return ret;
}

/* size bytes at the start of the file, or as many as it has. */
static size_t read_start(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return 0;
	n = read(fd, buf, size);
	close(fd);
	return n > 0 ? (size_t)n : 0;
}

int sf_kernel_load_copy(struct sf_kernel *k, const char *path)
{
	char here[2048];
	size_t n = read_start(RUNNING, here, sizeof(here));
	int ret = sf_kimage_open(&k->image, path);

	if (ret)
		return ret;
	if (!n || k->image.len < n || memcmp(here, k->image.text, n)) {
		sf_kimage_release(&k->image);
		return -ESTALE;
	}
	find_delta(k, k->image.text, k->image.len);
	return 0;
}

int sf_kernel_load_elf(struct sf_kernel *k, struct sf_elf *e)
{
	uint64_t addr;
	int ret = sf_elf_symbols(e, e, SF_ELF_VADDR, &k->vmlinux);

	if (!ret && !k->vmlinux.nr)
		ret = -ENODATA;
	if (ret) {
		sf_symtab_release(&k->vmlinux);
		return ret;
	}
	if (k->ref_addr && sf_elf_symbol_value(e, k->ref_name, &addr))
		k->delta = (int64_t)(addr - k->ref_addr);
	return 0;
}

static bool find_in_vmlinux(struct sf_kernel *k, uint64_t addr, struct sf_ksym *sym)
{
	struct sf_sym *s = sf_symtab_find(&k->vmlinux, addr);

	if (s)
		*sym = (struct sf_ksym){
			.name = sf_symtab_name(&k->vmlinux, s),
			.start = s->start,
			.end = s->end,
			.alone = s->alone,
		};
	return s;
}

/* Without the list itself (no rights, of a sudden) there is nothing but the image. */
static bool find_in_kallsyms(struct sf_kernel *k, uint64_t addr, struct sf_ksym *sym)
{
	if (k->image.len) {
		if (sf_kimage_find(&k->image, addr, sym))
			return true;
		if (!k->tried && !k->syms.nr)
			sf_kernel_load(k, RUNNING);
		k->tried = true;
	}
	return sf_ksyms_find(&k->syms, addr, sym);
}

bool sf_kernel_find(struct sf_kernel *k, uint64_t addr, struct sf_ksym *sym)
{
	bool found;

	addr += (uint64_t)k->delta;
	found = k->vmlinux.nr ? find_in_vmlinux(k, addr, sym) : find_in_kallsyms(k, addr, sym);
	/* After a boot with another offset the modules are elsewhere, each for itself. */
	if (!found || (sym->module && k->delta))
		return false;
	sym->start -= (uint64_t)k->delta;
	sym->end -= (uint64_t)k->delta;
	return true;
}

void sf_kernel_running_id(struct sf_build_id *id)
{
	size_t len, pos = 0;
	uint32_t n[3];
	char *notes;

	memset(id, 0, sizeof(*id));
	if (sf_read_file("/sys/kernel/notes", MAX_NOTES, &notes, &len))
		return;
	while (len - pos >= sizeof(n)) {
		size_t name = pos + sizeof(n), desc;

		memcpy(n, notes + pos, sizeof(n));
		if (n[0] > len || n[1] > len)
			break;
		desc = name + ((n[0] + 3) & ~(size_t)3);
		pos = desc + ((n[1] + 3) & ~(size_t)3);
		if (pos > len)
			break;
		if (n[2] == NT_GNU_BUILD_ID && n[0] == 4 && !memcmp(notes + name, "GNU", 4)) {
			sf_build_id_set(id, (uint8_t *)notes + desc, n[1]);
			break;
		}
	}
	free(notes);
}

void sf_kernel_release(struct sf_kernel *k)
{
	sf_symtab_release(&k->vmlinux);
	sf_ksyms_release(&k->syms);
	sf_kimage_release(&k->image);
	memset(k, 0, sizeof(*k));
}
