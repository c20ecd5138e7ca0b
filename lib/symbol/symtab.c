/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/symtab.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/symbol.h>

#define PAGE 4096u

/* Overlaps are rare and shallow in real tables; hostile ones must not cost a scan per lookup. */
#define MAX_BACK 256

int sf_symtab_add(struct sf_symtab *t, uint64_t start, uint64_t size, uint8_t binding,
		  const char *name)
{
	struct sf_sym *s;

	if (t->nr >= UINT32_MAX || SF_GROW(t->sym, t->nr + 1, t->alloc))
		return -ENOMEM;
	s = &t->sym[t->nr++];
	*s = (struct sf_sym){
		.start = start,
		.end = size > UINT64_MAX - start ? UINT64_MAX : start + size,
		.name = name,
		.seq = t->next_seq++,
		.binding = binding,
		.sized = size != 0,
	};
	return 0;
}

const char *sf_symtab_name(struct sf_symtab *t, struct sf_sym *sym)
{
	char *plain, *copy;

	if (!t->demangle || sym->demangled)
		return sym->name;
	sym->demangled = 1;
	plain = sf_demangle(sym->name);
	copy = plain ? sf_arena_strndup(&t->names, plain, strlen(plain)) : NULL;
	free(plain);
	if (copy)
		sym->name = copy;
	return sym->name;
}

static int by_start(const void *a, const void *b)
{
	const struct sf_sym *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static void sort(struct sf_symtab *t)
{
	/* kallsyms and most linkers' tables are nearly sorted: looking first is cheap. */
	for (size_t i = 1; i < t->nr; i++) {
		if (by_start(&t->sym[i - 1], &t->sym[i]) > 0) {
			qsort(t->sym, t->nr, sizeof(*t->sym), by_start);
			return;
		}
	}
}

static uint64_t page_after(uint64_t addr)
{
	uint64_t up;

	if (addr > UINT64_MAX - 2 * PAGE)
		return UINT64_MAX;
	up = (addr + PAGE - 1) & ~(uint64_t)(PAGE - 1);
	return up + PAGE;
}

/*
 * A symbol without size reaches to the next one. The last one of the kernel and of each module of
 * kallsyms ends with its page instead: the next symbol is far away. perf does this before it drops
 * aliases, so that of several kallsyms aliases only the last has a size.
 */
static void fix_ends(struct sf_symtab *t, bool kallsyms)
{
	struct sf_sym *last;

	for (size_t i = 1; i < t->nr; i++) {
		struct sf_sym *prev = &t->sym[i - 1], *cur = &t->sym[i];

		if (prev->end != prev->start)
			continue;
		if (kallsyms && prev->in_module != cur->in_module)
			prev->end = page_after(prev->end);
		else
			prev->end = cur->start;
	}
	if (!t->nr)
		return;
	last = &t->sym[t->nr - 1];
	if (last->end == last->start)
		last->end = page_after(last->start);
}

static size_t underscores(const char *name)
{
	return strspn(name, "_");
}

/* Which of two symbols of one address is shown: true for a, the one that came first. */
static bool first_is_better(struct sf_symtab *t, struct sf_sym *a, struct sf_sym *b)
{
	bool a_empty = a->start == a->end, b_empty = b->start == b->end;
	const char *na, *nb;

	if (a_empty != b_empty)
		return b_empty;
	if ((a->binding == STB_WEAK) != (b->binding == STB_WEAK))
		return b->binding == STB_WEAK;
	if ((a->binding == STB_GLOBAL) != (b->binding == STB_GLOBAL))
		return a->binding == STB_GLOBAL;
	na = sf_symtab_name(t, a);
	nb = sf_symtab_name(t, b);
	if (underscores(na) != underscores(nb))
		return underscores(na) < underscores(nb);
	if (strlen(na) != strlen(nb))
		return strlen(na) > strlen(nb);
	/* Names of system calls before Linux 4.17: sys_read and SyS_read are one function. */
	return strncmp(na, "SyS", 3) && strncmp(na, "compat_SyS", 10);
}

static void drop_aliases(struct sf_symtab *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->nr; i++) {
		if (n && t->sym[n - 1].start == t->sym[i].start) {
			if (!first_is_better(t, &t->sym[n - 1], &t->sym[i]))
				t->sym[n - 1] = t->sym[i];
			continue;
		}
		t->sym[n++] = t->sym[i];
	}
	t->nr = n;
}

void sf_symtab_settle(struct sf_symtab *t, enum sf_symtab_kind kind)
{
	uint64_t reach = 0;

	sort(t);
	if (kind != SF_SYMTAB_PLAIN) {
		fix_ends(t, kind == SF_SYMTAB_KALLSYMS);
		drop_aliases(t);
	}
	for (size_t i = 0; i < t->nr; i++) {
		struct sf_sym *s = &t->sym[i];

		s->alone = reach <= s->start && (i + 1 == t->nr || s[1].start >= s->end);
		if (s->end > reach)
			reach = s->end;
		s->reach = reach;
	}
}

static bool covers(const struct sf_sym *s, uint64_t addr)
{
	return addr >= s->start && (addr < s->end || addr == s->start);
}

/* Of two that overlap: a label inside a function is not what was called. */
static bool is_better(const struct sf_symtab *t, const struct sf_sym *outer,
		      const struct sf_sym *inner)
{
	if (t->latest)
		return outer->seq > inner->seq;
	return outer->sized > inner->sized;
}

struct sf_sym *sf_symtab_find(const struct sf_symtab *t, uint64_t addr)
{
	struct sf_sym *best = NULL;
	size_t lo = 0, hi = t->nr;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (t->sym[mid].start <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (size_t i = lo, back = 0; i-- > 0 && back < MAX_BACK; back++) {
		struct sf_sym *s = &t->sym[i];

		if (covers(s, addr) && (!best || is_better(t, s, best)))
			best = s;
		if (s->reach <= addr && s->start != addr)
			break;
	}
	return best;
}

void sf_symtab_release(struct sf_symtab *t)
{
	free(t->sym);
	sf_arena_release(&t->names);
	memset(t, 0, sizeof(*t));
}
