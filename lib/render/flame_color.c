/* SPDX-License-Identifier: GPL-2.0-only */
#include "render/flame_color.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "render/markup.h"

const char *flame_mode_name(enum flame_mode mode)
{
	static const char *const name[] = {
		[FLAME_DIFFERENCE] = "difference",
		[FLAME_KIND] = "kind",
		[FLAME_OWNER] = "owner",
		[FLAME_TYPE] = "type",
	};

	return name[mode];
}

bool flame_has_mode(const struct sf_flame *f, enum flame_mode mode)
{
	switch (mode) {
	case FLAME_DIFFERENCE:
		return f->differential;
	case FLAME_KIND:
		return f->groups;
	case FLAME_TYPE:
		for (size_t i = 0; i < f->nr; i++)
			if (f->node[i].flags)
				return true;
		return false;
	default:
		return true;
	}
}

enum flame_mode flame_first_mode(const struct sf_flame *f)
{
	static const enum flame_mode order[] = { FLAME_DIFFERENCE, FLAME_KIND, FLAME_TYPE };

	for (size_t i = 0; i < SF_ARRAY_SIZE(order); i++)
		if (flame_has_mode(f, order[i]))
			return order[i];
	return FLAME_OWNER;
}

/* One flag of several, as one digit. */
static unsigned type_of(const struct sf_flame_node *n)
{
	return n->flags & -n->flags;
}

void flame_class(struct sf_str *out, const struct sf_flame *f, const struct sf_flame_node *n,
		 enum flame_mode mode)
{
	switch (mode) {
	case FLAME_DIFFERENCE:
		sf_str_addf(out, "d%d", sf_flame_step(f, n));
		break;
	case FLAME_KIND:
		sf_str_addf(out, "k%u", n->group);
		break;
	case FLAME_TYPE:
		sf_str_addf(out, "t%u", type_of(n));
		break;
	default:
		sf_str_addf(out, "o%u", n->owner);
	}
}

const char *flame_outline(const struct sf_flame *f, const struct sf_flame_node *n)
{
	if (!f->differential || n == f->node)
		return "";
	if (!(n->total[SF_FLAME_BEFORE] > 0) && n->total[SF_FLAME_AFTER] > 0)
		return " new";
	return n->total[SF_FLAME_BEFORE] > 0 && !(n->total[SF_FLAME_AFTER] > 0) ? " gone" : "";
}

/* At most three decimals, without zeroes at the end. */
static void add_trimmed(struct sf_str *out, double v)
{
	char buf[400];
	int n = snprintf(buf, sizeof(buf), "%.3f", v);

	while (n > 1 && buf[n - 1] == '0')
		n--;
	if (n > 1 && buf[n - 1] == '.')
		n--;
	sf_str_addn(out, buf, (size_t)n);
}

void flame_amount(struct sf_str *out, const struct sf_flame *f, double v)
{
	if (!strcmp(f->unit, "ms"))
		sf_markup_ms(out, v);
	else if (v >= 0 && v <= UINT32_MAX && v == floor(v))
		sf_str_addf(out, "%u", (unsigned)v); /* what samples are; floats take long to print */
	else if (v == floor(v))
		sf_str_addf(out, "%.0f", v);
	else
		add_trimmed(out, v);
}

void flame_signed(struct sf_str *out, const struct sf_flame *f, double v)
{
	size_t at = out->len;

	if (v > 0)
		sf_str_addch(out, '+');
	flame_amount(out, f, v);
	if (v > 0 && !strcmp(out->buf + at, "+0")) {
		out->len = at;
		sf_str_addch(out, '0');
	}
}

typedef void (*put_fn)(void *arg, const char *cls, const char *text, size_t len);

static void legend_difference(const struct sf_flame *f, put_fn put, void *arg)
{
	static const double at[] = { -0.6, -0.3, -0.1, -0.01, 0, 0.01, 0.1, 0.3, 0.6 };
	struct sf_str s = SF_STR_INIT;
	bool grey = false, only[2] = { false, false };
	char cls[8];

	for (int i = 0; i < (int)SF_ARRAY_SIZE(at); i++) {
		sf_str_reset(&s);
		if (i == 4)
			sf_str_add(&s, "same");
		else if (i == 0)
			sf_str_add(&s, "less by ");
		else if (i == 8)
			sf_str_add(&s, "more by ");
		if (i != 4)
			flame_amount(&s, f, fabs(at[i]) * f->scale);
		if (i == 0 || i == 8)
			sf_str_addf(&s, " %s", f->unit);
		snprintf(cls, sizeof(cls), "d%d", i - 4);
		put(arg, cls, s.buf, s.len);
	}
	sf_str_release(&s);
	for (size_t i = 1; i < f->nr; i++) {
		const char *o = flame_outline(f, &f->node[i]);

		grey |= f->node[i].sign == SF_FLAME_INSIGNIFICANT;
		if (*o)
			only[o[1] == 'n'] = true;
	}
	if (grey)
		put(arg, "d5", "not significant", strlen("not significant"));
	if (only[1])
		put(arg, "d0 new", "new", strlen("new"));
	if (only[0])
		put(arg, "d0 gone", "vanished", strlen("vanished"));
}

static void legend_owner(const struct sf_flame *f, put_fn put, void *arg)
{
	uint32_t of[SF_FLAME_OWNERS + 1] = { 0 };
	bool others = false;
	size_t len;
	char cls[8];

	for (size_t i = 1; i < f->nr; i++) {
		if (f->node[i].depth != 1)
			continue;
		others |= !f->node[i].owner;
		of[f->node[i].owner] = (uint32_t)i;
	}
	for (unsigned o = 1; o <= SF_FLAME_OWNERS; o++) {
		const char *name;

		if (!of[o])
			continue;
		name = sf_flame_name(f, &f->node[of[o]], &len);
		snprintf(cls, sizeof(cls), "o%u", o);
		put(arg, cls, name, len);
	}
	if (others)
		put(arg, "o0", "others", strlen("others"));
}

static void legend_words(const struct sf_flame *f, bool kinds, put_fn put, void *arg)
{
	static const struct {
		bool kind;
		unsigned value;
		const char *text;
	} word[] = {
		{ true, SF_FLAME_USER, "on a CPU, user" },
		{ true, SF_FLAME_SYSTEM, "on a CPU, kernel" },
		{ true, SF_FLAME_QUEUE, "waits for a CPU" },
		{ true, SF_FLAME_IO, "storage" },
		{ true, SF_FLAME_LOCK, "lock" },
		{ true, SF_FLAME_MEMORY, "memory" },
		{ true, SF_FLAME_WAIT, "timer, reply, vCPU" },
		{ true, SF_FLAME_OTHER, "not known" },
		{ false, 0, "user" },
		{ false, SF_FLAME_KERNEL, "kernel" },
		{ false, SF_FLAME_INLINED, "inlined" },
		{ false, SF_FLAME_JIT, "JIT" },
		{ false, SF_FLAME_WAKER, "of another stack" },
	};
	bool met[16] = { false };
	char cls[8];

	for (size_t i = 1; i < f->nr; i++)
		met[(kinds ? f->node[i].group : type_of(&f->node[i])) & 15] = true;
	for (size_t i = 0; i < SF_ARRAY_SIZE(word); i++) {
		if (word[i].kind != kinds || !met[word[i].value])
			continue;
		snprintf(cls, sizeof(cls), "%c%u", kinds ? 'k' : 't', word[i].value);
		put(arg, cls, word[i].text, strlen(word[i].text));
	}
}

void flame_legend(const struct sf_flame *f, enum flame_mode mode, put_fn put, void *arg)
{
	if (mode == FLAME_DIFFERENCE)
		legend_difference(f, put, arg);
	else if (mode == FLAME_OWNER)
		legend_owner(f, put, arg);
	else
		legend_words(f, mode == FLAME_KIND, put, arg);
}
