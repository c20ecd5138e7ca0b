/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "kallsyms.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/array.h>
#include <snapflame/str.h>

#include "tracefs.h"

struct sf_ksym {
	uint64_t addr, size;
	const char *name, *module; /* terminated; module "" for the kernel itself */
};

static int by_addr(const void *a, const void *b)
{
	const struct sf_ksym *x = a, *y = b;

	return (x->addr > y->addr) - (x->addr < y->addr);
}

static int by_name(const void *a, const void *b)
{
	const struct sf_ksym *x = a, *y = b;
	int c = strcmp(x->name, y->name);

	return c ? c : by_addr(a, b);
}

/* "ffffffff81000000 T _stext" or with "\t[module]" behind. Cuts the line up. */
static bool parse_line(char *line, struct sf_ksym *s, char *type)
{
	char *p, *name;

	s->addr = strtoull(line, &p, 16);
	if (p == line || *p != ' ' || !p[1] || p[2] != ' ' || !p[3])
		return false;
	*type = p[1];
	name = p + 3;
	s->name = name;
	s->module = "";
	p = strpbrk(name, "\t ");
	if (p) {
		char *open = strchr(p + 1, '['), *close = open ? strchr(open, ']') : NULL;

		*p = '\0';
		if (close) {
			*close = '\0';
			s->module = open + 1;
		}
	}
	return true;
}

static bool is_text(char type)
{
	return tolower((unsigned char)type) == 't' || tolower((unsigned char)type) == 'w';
}

/* A function reaches to the next symbol, of whatever kind. */
static void set_sizes(struct sf_kallsyms *k)
{
	qsort(k->sym, k->nr, sizeof(*k->sym), by_addr);
	for (size_t i = 0; i < k->nr; i++) {
		size_t next = i + 1;

		while (next < k->nr && k->sym[next].addr == k->sym[i].addr)
			next++;
		k->sym[i].size = next < k->nr ? k->sym[next].addr - k->sym[i].addr : 0;
	}
}

int sf_kallsyms_load(struct sf_kallsyms *k, const char *path)
{
	struct sf_str s = SF_STR_INIT;
	bool visible = false;
	char *line, *save = NULL;
	int ret;

	*k = (struct sf_kallsyms){ 0 };
	ret = sf_read_at(AT_FDCWD, path, &s);
	k->text = sf_str_detach(&s);
	if (!ret && !k->text)
		ret = -ENOMEM;
	for (line = ret ? NULL : strtok_r(k->text, "\n", &save); line && !ret;
	     line = strtok_r(NULL, "\n", &save)) {
		struct sf_ksym sym = { 0 };
		char type;

		if (!parse_line(line, &sym, &type) || !is_text(type))
			continue;
		visible |= sym.addr != 0;
		if (!strcmp(sym.name, "_stext"))
			k->start = sym.addr;
		else if (!strcmp(sym.name, "_etext"))
			k->end = sym.addr;
		if (SF_GROW(k->sym, k->nr + 1, k->alloc))
			ret = -ENOMEM;
		else
			k->sym[k->nr++] = sym;
	}
	if (!ret && !visible) /* or empty */
		ret = -EACCES;
	if (ret) {
		sf_kallsyms_release(k);
		return ret;
	}
	set_sizes(k);
	qsort(k->sym, k->nr, sizeof(*k->sym), by_name);
	return 0;
}

void sf_kallsyms_release(struct sf_kallsyms *k)
{
	free(k->sym);
	free(k->text);
	*k = (struct sf_kallsyms){ 0 };
}

/* The first symbol whose name is not below name. */
static size_t lower_bound(const struct sf_kallsyms *k, const char *name)
{
	size_t lo = 0, hi = k->nr;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(k->sym[mid].name, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static uint64_t find(const struct sf_kallsyms *k, const char *name, const char *module,
		     uint64_t offset, uint64_t size)
{
	const struct sf_ksym *best = NULL;

	for (size_t i = lower_bound(k, name); i < k->nr && !strcmp(k->sym[i].name, name); i++) {
		const struct sf_ksym *s = &k->sym[i];

		if (strcmp(s->module, module))
			continue;
		if (s->size == size)
			return s->addr + offset;
		if (!best)
			best = s;
	}
	return best ? best->addr + offset : 0;
}

uint64_t sf_kallsyms_line(const struct sf_kallsyms *k, const char *line, size_t len)
{
	const char *end = line + len, *p = memchr(line, ']', len), *plus;
	char name[512], module[64] = "", *q;
	uint64_t offset, size = 0;

	if (!p || end - p < 3 || p[1] != ' ')
		return 0;
	p += 2;
	plus = memchr(p, '+', (size_t)(end - p));
	if (!plus || (size_t)(end - p) >= sizeof(name))
		return 0;
	/* strtoull wants a terminator: all of it goes to the buffer. */
	memcpy(name, p, (size_t)(end - p));
	name[end - p] = '\0';
	name[plus - p] = '\0';
	offset = strtoull(name + (plus - p) + 1, &q, 16);
	if (*q == '/')
		size = strtoull(q + 1, &q, 16);
	if (q[0] == ' ' && q[1] == '[') {
		size_t n = strcspn(q + 2, " ]");

		if (n >= sizeof(module))
			return 0;
		memcpy(module, q + 2, n);
		module[n] = '\0';
	}
	return find(k, name, module, offset, size);
}

size_t sf_kallsyms_stack(const struct sf_kallsyms *k, const char *text, size_t len, uint64_t *addr,
			 size_t max)
{
	const char *p = text, *end = text + len;
	size_t nr = 0;

	while (p < end && nr < max) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((nl ? nl : end) - p);
		uint64_t a = sf_kallsyms_line(k, p, n);

		if (a)
			addr[nr++] = a;
		p += n + 1;
	}
	return nr;
}
