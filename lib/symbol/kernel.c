/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "symbol/kernel.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "symbol/elffile.h"

/* A distribution's kernel with all its modules loaded has about 15 MB of it. */
#define MAX_KALLSYMS (512u << 20)
#define MAX_NOTES    (1u << 20)

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

static char *parse_hex(char *p, char *end, uint64_t *value)
{
	char *start = p;

	for (*value = 0; p < end; p++) {
		unsigned c = (unsigned char)*p, d = c - '0';

		if (d > 9) {
			d = (c | 0x20) - 'a' + 10;
			if (d < 10 || d > 15)
				break;
		}
		*value = *value << 4 | d;
	}
	return p > start && p - start <= 16 ? p : NULL;
}

/* What perf takes: text, data, bss and weak symbols, local or global. */
static bool is_wanted(char type, const char *name)
{
	switch (type | 0x20) {
	case 't':
	case 'w':
	case 'd':
	case 'b':
		return name[0] != '$';
	}
	return false;
}

static uint8_t binding_of(char type)
{
	if (type == 'W')
		return STB_WEAK;
	return type >= 'A' && type <= 'Z' ? STB_GLOBAL : STB_LOCAL;
}

/* ffffffffc03f1000 t ext4_evict_inode\t[ext4] */
static int parse_line(char *p, char *end, struct sf_symtab *t)
{
	uint64_t addr;
	char type, *tab;
	int ret;

	p = parse_hex(p, end, &addr);
	if (!p || end - p < 4 || p[0] != ' ' || p[2] != ' ')
		return 0;
	type = p[1];
	p += 3;
	*end = '\0';
	if (!is_wanted(type, p))
		return 0;
	ret = sf_symtab_add(t, addr, 0, binding_of(type), p);
	tab = !ret && end[-1] == ']' ? strchr(p, '\t') : NULL;
	if (tab) {
		*tab = '\0';
		t->sym[t->nr - 1].in_module = 1;
	}
	return ret;
}

int sf_kallsyms_parse(char *text, size_t len, struct sf_symtab *t)
{
	char *p = text, *end = text + len;
	int ret = 0;

	while (p < end && !ret) {
		char *eol = memchr(p, '\n', (size_t)(end - p));

		if (!eol)
			eol = end; /* text is terminated there */
		ret = parse_line(p, eol, t);
		p = eol + 1;
	}
	if (ret)
		return ret;
	sf_symtab_settle(t, SF_SYMTAB_KALLSYMS);
	return 0;
}

/* Before parsing, because of several names of one address only one is kept. */
static void find_delta(struct sf_kernel *k, char *text, size_t len)
{
	char line[sizeof(k->ref_name) + 2], *at;
	uint64_t addr;
	int n = snprintf(line, sizeof(line), " %s\n", k->ref_name);

	at = k->ref_addr ? memmem(text, len, line, (size_t)n) : NULL;
	while (at && at > text && at[-1] != '\n')
		at--;
	if (at && parse_hex(at, text + len, &addr))
		k->delta = (int64_t)(addr - k->ref_addr);
}

int sf_kernel_load(struct sf_kernel *k, const char *path)
{
	size_t len;
	int ret;

	ret = sf_read_file(path, MAX_KALLSYMS, &k->text, &len);
	if (!ret) {
		find_delta(k, k->text, len);
		ret = sf_kallsyms_parse(k->text, len, &k->syms);
	}
	if (!ret && !k->syms.nr)
		ret = -ENODATA;
	else if (!ret && !k->syms.sym[k->syms.nr - 1].start)
		ret = -EPERM;
	if (ret) {
		sf_symtab_release(&k->syms);
		free(k->text);
		k->text = NULL;
		return ret;
	}
	return 0;
}

int sf_kernel_load_elf(struct sf_kernel *k, struct sf_elf *e)
{
	uint64_t addr;
	int ret = sf_elf_symbols(e, e, SF_ELF_VADDR, &k->syms);

	if (!ret && !k->syms.nr)
		ret = -ENODATA;
	if (ret) {
		sf_symtab_release(&k->syms);
		return ret;
	}
	if (k->ref_addr && sf_elf_symbol_value(e, k->ref_name, &addr))
		k->delta = (int64_t)(addr - k->ref_addr);
	return 0;
}

struct sf_sym *sf_kernel_find(struct sf_kernel *k, uint64_t addr, const char **module)
{
	struct sf_sym *s = sf_symtab_find(&k->syms, addr + (uint64_t)k->delta);

	*module = s && s->in_module ? s->name + strlen(s->name) + 1 : NULL;
	/* After a boot with another offset the modules are elsewhere, each for itself. */
	return *module && k->delta ? NULL : s;
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
	sf_symtab_release(&k->syms);
	free(k->text);
	memset(k, 0, sizeof(*k));
}
