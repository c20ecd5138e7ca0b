/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tree as flame.js reads it: columns by node, depth first. Digits are kept as strings, one
 * character for each node, and zeroes of inner nodes take two: that is what keeps a graph of ten
 * thousand stacks small.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "render/flame_color.h"
#include "render/markup.h"

static void name_of(struct sf_str *out, const char *name)
{
	sf_str_addf(out, ",\n\"%s\":", name);
}

/* printf of thousands of small integers is what takes the time. */
static void put_uint(struct sf_str *out, uint32_t v)
{
	char digit[12], *p = digit + sizeof(digit);

	do
		*--p = (char)('0' + v % 10);
	while (v /= 10);
	sf_str_addn(out, p, (size_t)(digit + sizeof(digit) - p));
}

static void uints(struct sf_str *out, const struct sf_flame *f,
		  uint32_t (*get)(const struct sf_flame_node *n))
{
	for (size_t i = 0; i < f->nr; i++) {
		sf_str_addch(out, i ? ',' : '[');
		put_uint(out, get(&f->node[i]));
	}
	sf_str_addch(out, ']');
}

static void doubles(struct sf_str *out, const struct sf_flame *f, int digits,
		    double (*get)(const struct sf_flame_node *n))
{
	for (size_t i = 0; i < f->nr; i++) {
		double v = get(&f->node[i]);

		sf_str_addch(out, i ? ',' : '[');
		if (v >= 0 && v <= UINT32_MAX && v == floor(v))
			put_uint(out, (uint32_t)v);
		else
			sf_markup_number(out, v, digits);
	}
	sf_str_addch(out, ']');
}

static void digits(struct sf_str *out, const struct sf_flame *f,
		   uint32_t (*get)(const struct sf_flame_node *n))
{
	sf_str_addch(out, '"');
	for (size_t i = 0; i < f->nr; i++)
		sf_str_addch(out, (char)('0' + get(&f->node[i])));
	sf_str_addch(out, '"');
}

static uint32_t depth(const struct sf_flame_node *n)
{
	return n->depth;
}

static uint32_t label(const struct sf_flame_node *n)
{
	return n->label;
}

static uint32_t flags(const struct sf_flame_node *n)
{
	return n->flags & -n->flags;
}

static uint32_t owner(const struct sf_flame_node *n)
{
	return n->owner;
}

static uint32_t group(const struct sf_flame_node *n)
{
	return n->group;
}

static uint32_t sign(const struct sf_flame_node *n)
{
	return n->sign;
}

static uint32_t seen_before(const struct sf_flame_node *n)
{
	return n->seen[SF_FLAME_BEFORE];
}

static uint32_t seen_after(const struct sf_flame_node *n)
{
	return n->seen[SF_FLAME_AFTER];
}

static double before(const struct sf_flame_node *n)
{
	return n->self[SF_FLAME_BEFORE];
}

static double after(const struct sf_flame_node *n)
{
	return n->self[SF_FLAME_AFTER];
}

static double low(const struct sf_flame_node *n)
{
	return n->lo;
}

static double high(const struct sf_flame_node *n)
{
	return n->hi;
}

static void labels(struct sf_str *out, const struct sf_flame *f)
{
	struct sf_flame_node n = { 0 };

	name_of(out, "labels");
	for (uint32_t id = 0; id <= f->str.nr; id++) {
		const char *text;
		size_t len;

		n.label = id;
		n.flags = 0xff; /* whatever suffix it has was a flag when it was added */
		text = sf_flame_name(f, &n, &len);
		sf_str_addch(out, id ? ',' : '[');
		sf_markup_json(out, text, len);
	}
	sf_str_addch(out, ']');
}

static void put_legend(void *arg, const char *cls, const char *text, size_t len)
{
	struct sf_str *out = arg;

	sf_str_addf(out, "%s[\"%s\",", out->buf[out->len - 1] == '[' ? "" : ",", cls);
	sf_markup_json(out, text, len);
	sf_str_addch(out, ']');
}

/* The first mode comes first. */
static void legends(struct sf_str *out, const struct sf_flame *f)
{
	enum flame_mode first = flame_first_mode(f);

	name_of(out, "legend");
	sf_str_addch(out, '{');
	for (int k = -1; k < FLAME_NR_MODES; k++) {
		enum flame_mode mode = k < 0 ? first : (enum flame_mode)k;

		if (k == (int)first || !flame_has_mode(f, mode))
			continue;
		sf_str_addf(out, "%s\"%s\":[", k < 0 ? "" : ",", flame_mode_name(mode));
		flame_legend(f, mode, put_legend, out);
		sf_str_addch(out, ']');
	}
	sf_str_addch(out, '}');
}

static void evidence(struct sf_str *out, const struct sf_flame *f)
{
	bool intervals = false;

	for (size_t i = 0; i < f->nr && !intervals; i++)
		intervals = isfinite(f->node[i].lo);
	if (intervals) {
		name_of(out, "lo");
		doubles(out, f, 5, low);
		name_of(out, "hi");
		doubles(out, f, 5, high);
	}
	name_of(out, "sign");
	digits(out, f, sign);
	if (!f->n[SF_FLAME_AFTER])
		return;
	name_of(out, "n");
	sf_str_addf(out, "[%u,%u]", f->n[SF_FLAME_BEFORE], f->n[SF_FLAME_AFTER]);
	name_of(out, "seen");
	sf_str_addch(out, '[');
	if (f->differential) {
		uints(out, f, seen_before);
		sf_str_addch(out, ',');
	}
	uints(out, f, seen_after);
	sf_str_addch(out, ']');
}

void flame_data(struct sf_str *out, const struct sf_flame *f, bool icicle)
{
	sf_str_add(out, "{\"unit\":");
	sf_markup_json(out, f->unit, strlen(f->unit));
	sf_str_addf(out, ",\"differential\":%s,\"mean\":%s,\"icicle\":%s,\"scale\":",
		    f->differential ? "true" : "false", f->mean ? "true" : "false",
		    icicle ? "true" : "false");
	sf_markup_number(out, f->scale, 9);
	legends(out, f);
	labels(out, f);
	name_of(out, "depth");
	uints(out, f, depth);
	name_of(out, "label");
	uints(out, f, label);
	name_of(out, "before");
	if (f->differential)
		doubles(out, f, 9, before);
	else
		sf_str_add(out, "[]");
	name_of(out, "after");
	doubles(out, f, 9, after);
	name_of(out, "flags");
	digits(out, f, flags);
	name_of(out, "owner");
	digits(out, f, owner);
	if (f->groups) {
		name_of(out, "group");
		digits(out, f, group);
	}
	evidence(out, f);
	sf_str_add(out, "}");
}
