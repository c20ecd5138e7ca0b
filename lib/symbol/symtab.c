/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/symtab.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <snapflame/symbol.h>

#include "symbol/sorted.h"

#define PAGE 4096u

/* Overlaps are rare and shallow in real tables; hostile ones must not cost a scan per lookup. */
#define MAX_BACK 256

int sf_symtab_reserve(struct sf_symtab *t, size_t nr)
{
	size_t room = t->alloc - t->nr;

	return nr > room && SF_GROW(t->sym, t->nr + nr, t->alloc) ? -ENOMEM : 0;
}

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

static uint64_t page_after(uint64_t addr)
{
	uint64_t up;

	if (addr > UINT64_MAX - 2 * PAGE)
		return UINT64_MAX;
	up = (addr + PAGE - 1) & ~(uint64_t)(PAGE - 1);
	return up + PAGE;
}

/* A symbol without size reaches to the next one; perf does this before it drops aliases. */
static void fix_ends(struct sf_symtab *t)
{
	struct sf_sym *last;

	for (size_t i = 1; i < t->nr; i++)
		if (t->sym[i - 1].end == t->sym[i - 1].start)
			t->sym[i - 1].end = t->sym[i].start;
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

/* From the first to the last, as perf compares them. */
static void choose(struct sf_symtab *t, size_t i)
{
	uint64_t start = t->sym[i].start;
	struct sf_sym *best = NULL;

	while (i && t->sym[i - 1].start == start)
		i--;
	for (; i < t->nr && t->sym[i].start == start; i++) {
		struct sf_sym *s = &t->sym[i];

		if (!s->rival)
			continue;
		s->rival = 0;
		if (best && first_is_better(t, best, s)) {
			s->loser = 1;
			continue;
		}
		if (best)
			best->loser = 1;
		best = s;
	}
}

static void mark_rivals(struct sf_symtab *t)
{
	for (size_t i = 1; i < t->nr; i++)
		if (t->sym[i - 1].start == t->sym[i].start)
			t->sym[i - 1].rival = t->sym[i].rival = 1;
}

/* Those of [from, to), which begin at one address. before: where all others end. */
static void mark_alone(struct sf_symtab *t, size_t from, size_t to, uint64_t before)
{
	uint64_t next = to < t->nr ? t->sym[to].start : UINT64_MAX;
	bool one = true;

	for (size_t i = from; i < to && to - from > 1; i++)
		one &= t->sym[i].rival;
	for (size_t i = from; i < to; i++)
		t->sym[i].alone = one && before <= t->sym[i].start && next >= t->sym[i].end;
}

/* Without memory there is none, and a search goes through the symbols themselves. */
static void mark_steps(struct sf_symtab *t)
{
	size_t nr = (t->nr + SF_SYMTAB_STEP - 1) / SF_SYMTAB_STEP;

	t->nr_steps = 0;
	if (SF_GROW(t->step, nr, t->steps_alloc))
		return;
	t->nr_steps = nr;
	for (size_t i = 0; i < nr; i++)
		t->step[i] = t->sym[i * SF_SYMTAB_STEP].start;
}

void sf_symtab_settle(struct sf_symtab *t, enum sf_symtab_kind kind)
{
	uint64_t reach = 0;

	sf_symtab_sort(t);
	if (kind != SF_SYMTAB_PLAIN) {
		fix_ends(t);
		mark_rivals(t);
	}
	for (size_t i = 0, end; i < t->nr; i = end) {
		uint64_t before = reach;

		for (end = i; end < t->nr && t->sym[end].start == t->sym[i].start; end++) {
			if (t->sym[end].end > reach)
				reach = t->sym[end].end;
			t->sym[end].reach = reach;
		}
		mark_alone(t, i, end, before);
	}
	mark_steps(t);
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

/* The number of symbols that begin at addr or before it. */
static size_t up_to(const struct sf_symtab *t, uint64_t addr)
{
	size_t lo = sf_up_to(t->step, sizeof(*t->step), 0, 0, t->nr_steps, addr), hi = t->nr;

	if (t->nr_steps) {
		if (lo * SF_SYMTAB_STEP < hi)
			hi = lo * SF_SYMTAB_STEP;
		lo = lo ? (lo - 1) * SF_SYMTAB_STEP + 1 : 0;
	}
	return SF_UP_TO(t->sym, lo, hi, start, addr);
}

struct sf_sym *sf_symtab_find(struct sf_symtab *t, uint64_t addr)
{
	struct sf_sym *best = NULL;

	for (size_t i = up_to(t, addr), back = 0; i-- > 0 && back < MAX_BACK;) {
		struct sf_sym *s = &t->sym[i];

		if (s->rival)
			choose(t, i);
		if (s->loser)
			continue;
		back++;
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
	free(t->step);
	sf_arena_release(&t->names);
	for (size_t i = 0; i < SF_ARRAY_SIZE(t->text); i++)
		if (t->text[i].map)
			munmap(t->text[i].map, t->text[i].size);
	memset(t, 0, sizeof(*t));
}
