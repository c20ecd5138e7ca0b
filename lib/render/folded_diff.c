/* SPDX-License-Identifier: GPL-2.0-only */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/array.h>
#include <snapflame/render_folded.h>

struct line {
	char *stack;
	double us[SF_NR_SIDES];
};

struct lines {
	struct line *item;
	size_t nr, alloc;
};

void sf_folded_name(struct sf_str *out, const char *name)
{
	struct sf_str s = SF_STR_INIT;
	size_t len, number;

	name += strspn(name, " ");
	sf_str_add_printable(&s, name, strlen(name));
	if (sf_str_failed(&s) || !s.len) {
		sf_str_add(out, "[unknown]");
		out->failed |= s.failed;
		return;
	}
	for (len = s.len; len && s.buf[len - 1] == ' ';)
		s.buf[--len] = '\0';
	for (size_t i = 0; i < len; i++)
		if (s.buf[i] == ';')
			s.buf[i] = ':';
	/* "foo 12" would be read as foo with another column. */
	for (number = len; number && (isdigit((unsigned char)s.buf[number - 1]) ||
				      s.buf[number - 1] == '.');)
		number--;
	if (number && number < len && s.buf[number - 1] == ' ')
		s.buf[number - 1] = '_';
	sf_str_add(out, len ? s.buf : "[unknown]");
	sf_str_release(&s);
}

static void frame(struct sf_str *out, const struct sf_diff *d, const struct sf_path *p)
{
	size_t from = out->len;

	sf_folded_name(out, sf_strtab_text(&d->profile.str, p->label));
	/* stackcollapse writes threads' names so, and readers split there. */
	for (size_t i = from; p->level == SF_PATH_OWNER && i < out->len; i++)
		if (out->buf[i] == ' ')
			out->buf[i] = '_';
	if (p->level != SF_PATH_FRAME)
		return;
	if (p->flags & SF_FRAME_KERNEL)
		sf_str_add(out, "_[k]");
	else if (p->flags & SF_FRAME_INLINED)
		sf_str_add(out, "_[i]");
	else if (p->flags & SF_FRAME_JIT)
		sf_str_add(out, "_[j]");
}

enum { MAX_DEPTH = 4096 };

static void stack(struct sf_str *out, const struct sf_diff *d, uint32_t path)
{
	uint32_t up[MAX_DEPTH];
	size_t n = 0;

	for (; path && n < MAX_DEPTH; path = d->profile.path[path].parent)
		up[n++] = path;
	while (n-- > 0) {
		frame(out, d, &d->profile.path[up[n]]);
		if (n)
			sf_str_addch(out, ';');
	}
}

static double self_us(const struct sf_diff *d, enum sf_side side, size_t path)
{
	const size_t *at = d->median_column[side];

	return 500 * (sf_profile_self(&d->profile, path, at[0]) +
		      sf_profile_self(&d->profile, path, at[1]));
}

static int collect(struct lines *l, const struct sf_diff *d)
{
	for (size_t i = 1; i < d->profile.nr_paths; i++) {
		struct line line = { .us = { self_us(d, SF_FAST, i), self_us(d, SF_SLOW, i) } };
		struct sf_str s = SF_STR_INIT;

		if (!(line.us[SF_FAST] > 0) && !(line.us[SF_SLOW] > 0))
			continue;
		stack(&s, d, (uint32_t)i);
		line.stack = sf_str_detach(&s);
		if (!line.stack || SF_GROW(l->item, l->nr + 1, l->alloc)) {
			free(line.stack);
			return -ENOMEM;
		}
		l->item[l->nr++] = line;
	}
	return 0;
}

static int by_stack(const void *a, const void *b)
{
	return strcmp(((const struct line *)a)->stack, ((const struct line *)b)->stack);
}

/* Of lines that are there twice readers take one: names that became equal are added up. */
static void print(struct sf_str *out, const struct lines *l)
{
	for (size_t i = 0; i < l->nr;) {
		double us[SF_NR_SIDES] = { 0, 0 };
		size_t first = i;

		for (; i < l->nr && !strcmp(l->item[i].stack, l->item[first].stack); i++)
			for (int s = 0; s < SF_NR_SIDES; s++)
				us[s] += l->item[i].us[s];
		if (llround(us[SF_FAST]) > 0 || llround(us[SF_SLOW]) > 0)
			sf_str_addf(out, "%s %lld %lld\n", l->item[first].stack,
				    llround(us[SF_FAST]), llround(us[SF_SLOW]));
	}
}

int sf_folded_diff(struct sf_str *out, const struct sf_diff *d)
{
	struct lines l = { 0 };
	int ret = collect(&l, d);

	if (!ret && l.nr) { /* qsort() wants an array */
		qsort(l.item, l.nr, sizeof(*l.item), by_stack);
		print(out, &l);
	}
	for (size_t i = 0; i < l.nr; i++)
		free(l.item[i].stack);
	free(l.item);
	return sf_str_failed(out) ? -ENOMEM : ret;
}
