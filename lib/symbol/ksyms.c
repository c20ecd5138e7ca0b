/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "symbol/ksyms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/array.h>

#include "symbol/sorted.h"

#define PAGE 4096u

/* Of every byte of a word. */
#define BYTES(x) ((x) * 0x0101010101010101ULL)

/*
 * Eight small hexadecimal digits at once: letters have bit 6, and their low halves begin with 1.
 * False for anything else.
 */
static bool eight_digits(const char *p, uint64_t *value)
{
	uint64_t x, low, letter;

	if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
		return false;
	memcpy(&x, p, sizeof(x));
	letter = x >> 6 & BYTES(1);
	low = x & BYTES(0x0f);
	if ((x & BYTES(0xf0)) != BYTES(0x30) + letter * 0x30 ||
	    (low + BYTES(6) + letter * 3) & BYTES(0x10) ||
	    (~((low | BYTES(0x10)) - letter) & BYTES(0x10)))
		return false;
	x = __builtin_bswap64(low + letter * 9);
	x = (x | x >> 4) & 0x00ff00ff00ff00ffULL;
	x = (x | x >> 8) & 0x0000ffff0000ffffULL;
	*value = (x | x >> 16) & 0xffffffff;
	return true;
}

/* Behind the digits; NULL without any, or with more than an address has. */
static const char *parse_hex(const char *p, const char *end, uint64_t *value)
{
	uint64_t high, low;
	const char *start = p;

	if (end - p > 16 && p[16] == ' ' && eight_digits(p, &high) && eight_digits(p + 8, &low)) {
		*value = high << 32 | low;
		return p + 16;
	}
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

/* ffffffffc03f1000 t ext4_evict_inode\t[ext4] */
bool sf_ksyms_line(const char *p, const char *end, struct sf_ksyms_text *line)
{
	const char *tab;

	p = parse_hex(p, end, &line->start);
	if (!p || end - p < 4 || p[0] != ' ' || p[2] != ' ')
		return false;
	line->name = p + 3;
	line->wanted = is_wanted(p[1], line->name);
	tab = end[-1] == ']' ? memchr(line->name, '\t', (size_t)(end - line->name)) : NULL;
	line->in_module = tab;
	line->len = (size_t)((tab ? tab : end) - line->name);
	return true;
}

static int add_line(struct sf_ksyms *k, const char *p, const char *end)
{
	struct sf_ksyms_text line;

	if (!sf_ksyms_line(p, end, &line) || !line.wanted)
		return 0;
	if (SF_GROW(k->line, k->nr + 1, k->alloc))
		return -ENOMEM;
	k->line[k->nr++] = (struct sf_ksym_line){
		.start = line.start,
		.name = (uint32_t)(line.name - k->text),
		.in_module = line.in_module,
	};
	return 0;
}

static int by_start(const void *a, const void *b)
{
	const struct sf_ksym_line *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

/* The kernel's own part is sorted, those of its modules are not: line[sorted … nr) comes in. */
static int sort(struct sf_ksyms *k, size_t sorted)
{
	size_t a = sorted, b = k->nr - sorted, to = k->nr;
	struct sf_ksym_line *tail;

	if (!b)
		return 0;
	tail = calloc(b, sizeof(*tail));
	if (!tail)
		return -ENOMEM;
	memcpy(tail, k->line + sorted, b * sizeof(*tail));
	qsort(tail, b, sizeof(*tail), by_start);
	while (b) {
		bool first = a && by_start(&k->line[a - 1], &tail[b - 1]) > 0;

		k->line[--to] = first ? k->line[a - 1] : tail[b - 1];
		a -= first;
		b -= !first;
	}
	free(tail);
	return 0;
}

int sf_ksyms_parse(struct sf_ksyms *k, char *text, size_t len)
{
	char *p = text, *end = text + len, *eol;
	size_t sorted = 0;

	*k = (struct sf_ksyms){.text = text, .len = len};
	if (len > UINT32_MAX)
		return -ENOMEM;
	for (; p < end; p = eol + 1) {
		eol = memchr(p, '\n', (size_t)(end - p));
		eol = eol ? eol : end;
		if (add_line(k, p, eol))
			return -ENOMEM;
		if (sorted + 1 == k->nr && (!sorted || k->line[sorted - 1].start <=
							       k->line[sorted].start))
			sorted++;
	}
	return k->nr ? sort(k, sorted) : -ENODATA;
}

static uint64_t page_after(uint64_t addr)
{
	uint64_t up;

	if (addr > UINT64_MAX - 2 * PAGE)
		return UINT64_MAX;
	up = (addr + PAGE - 1) & ~(uint64_t)(PAGE - 1);
	return up + PAGE;
}

/* The number of lines that begin at addr or before it. */
static size_t up_to(const struct sf_ksyms *k, uint64_t addr)
{
	return SF_UP_TO(k->line, 0, k->nr, start, addr);
}

/*
 * Terminates what line says: the second time there is neither end of line nor tab, but a terminator.
 */
static void take(struct sf_ksyms *k, const struct sf_ksym_line *line, struct sf_ksym *sym)
{
	char *name = k->text + line->name, *tab;

	name[strcspn(name, "\n")] = '\0';
	tab = line->in_module ? strchr(name, '\t') : NULL;
	if (tab)
		*tab = '\0';
	sym->name = name;
	sym->module = line->in_module ? name + strlen(name) + 1 : NULL;
}

bool sf_ksyms_find(struct sf_ksyms *k, uint64_t addr, struct sf_ksym *sym)
{
	size_t i = up_to(k, addr);
	const struct sf_ksym_line *line = i ? &k->line[i - 1] : NULL;
	uint64_t next, end;

	if (!line)
		return false;
	next = i < k->nr ? line[1].start : UINT64_MAX;
	end = i < k->nr && line[1].in_module == line->in_module ? next : page_after(line->start);
	if (addr >= end && addr != line->start)
		return false;
	take(k, line, sym);
	sym->start = line->start;
	sym->end = end < next ? end : next;
	sym->alone = true;
	return true;
}

uint64_t sf_ksyms_address(const char *text, size_t len, const char *name)
{
	const char *at, *end = text + len;
	uint64_t addr;
	char line[256];
	int n = snprintf(line, sizeof(line), " %s\n", name);

	at = (size_t)n < sizeof(line) ? memmem(text, len, line, (size_t)n) : NULL;
	while (at && at > text && at[-1] != '\n')
		at--;
	return at && parse_hex(at, end, &addr) ? addr : 0;
}

void sf_ksyms_release(struct sf_ksyms *k)
{
	free(k->line);
	free(k->text);
	memset(k, 0, sizeof(*k));
}
