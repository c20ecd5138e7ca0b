/* SPDX-License-Identifier: GPL-2.0-only */
/* Building the tree of a flame graph; flame_layout.c finishes it. */
#include <snapflame/flamegraph.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/folded.h>

static const struct {
	char letter;
	unsigned flag;
} suffix[] = {
	{ 'k', SF_FLAME_KERNEL },
	{ 'i', SF_FLAME_INLINED },
	{ 'j', SF_FLAME_JIT },
	{ 'w', SF_FLAME_WAKER },
};

static uint32_t node_new(struct sf_flame *f, uint32_t parent, uint32_t label, unsigned flags)
{
	struct sf_flame_node *n;

	if (f->nr >= UINT32_MAX - 1 || SF_GROW(f->node, f->nr + 1, f->alloc))
		return UINT32_MAX;
	n = &f->node[f->nr];
	memset(n, 0, sizeof(*n));
	n->parent = parent;
	n->label = label;
	n->flags = (uint8_t)flags;
	n->lo = n->hi = NAN;
	n->depth = f->nr ? f->node[parent].depth + 1 : 0;
	return (uint32_t)f->nr++;
}

void sf_flame_init(struct sf_flame *f)
{
	memset(f, 0, sizeof(*f));
	f->unit = "samples";
	node_new(f, 0, 0, 0); /* where this fails, so will sf_flame_child() */
}

void sf_flame_release(struct sf_flame *f)
{
	free(f->node);
	sf_strtab_release(&f->str);
	sf_map64_release(&f->child);
	memset(f, 0, sizeof(*f));
}

/* Flag of the suffix that the name ends in, 0. */
static unsigned suffix_flag(const char *name, size_t len)
{
	if (len < 5 || memcmp(name + len - 4, "_[", 2) || name[len - 1] != ']')
		return 0;
	for (size_t i = 0; i < SF_ARRAY_SIZE(suffix); i++)
		if (name[len - 2] == suffix[i].letter)
			return suffix[i].flag;
	return 0;
}

const char *sf_flame_name(const struct sf_flame *f, const struct sf_flame_node *n, size_t *len)
{
	const char *text = n->parent || n->label ? sf_strtab_text(&f->str, n->label) : "all";
	size_t l = n->label ? sf_strtab_len(&f->str, n->label) : strlen(text);

	if (n->flags & suffix_flag(text, l))
		l -= 4;
	if (len)
		*len = l;
	return text;
}

/*
 * A frame is who it is by name and flags: the suffix is part of the stored name, so that foo and
 * foo_[k] stay two boxes and a name that has the suffix already gets no second one.
 */
static uint32_t label_of(struct sf_flame *f, const char *name, size_t len, unsigned flags)
{
	char *copy;
	uint32_t id;

	if (len > SF_FLAME_LABEL)
		len = SF_FLAME_LABEL;
	if (!flags || suffix_flag(name, len))
		return sf_strtab_idn(&f->str, name, len);
	copy = malloc(len + 4);
	if (!copy)
		return 0;
	memcpy(copy, name, len);
	for (size_t i = 0; i < SF_ARRAY_SIZE(suffix); i++)
		if (flags & suffix[i].flag) {
			memcpy(copy + len, (char[]){ '_', '[', suffix[i].letter, ']' }, 4);
			break;
		}
	id = sf_strtab_idn(&f->str, copy, len + 4);
	free(copy);
	return id;
}

uint32_t sf_flame_child(struct sf_flame *f, uint32_t parent, const char *name, size_t len,
			unsigned flags)
{
	uint32_t label, *at, made;
	bool is_new;

	if (f->finished || parent >= f->nr)
		return UINT32_MAX;
	if (f->node[parent].depth >= SF_FLAME_DEPTH)
		return parent;
	if (!len) {
		name = "[unknown]";
		len = strlen(name);
	}
	label = label_of(f, name, len, flags);
	at = label ? sf_map64_at(&f->child, (uint64_t)parent << 32 | label, &is_new) : NULL;
	if (!at)
		return UINT32_MAX;
	if (!is_new)
		return *at;
	made = node_new(f, parent, label, flags | suffix_flag(name, len));
	*at = made; /* UINT32_MAX is no memory: the tree is of no use then */
	return made;
}

static double value(struct sf_flame *f, double v)
{
	if (v >= 0 && isfinite(v))
		return v;
	f->negative += v != 0;
	return 0;
}

int sf_flame_add(struct sf_flame *f, const char *stack, size_t len, double before, double after)
{
	uint32_t at = 0, child;

	for (size_t i = 0, n; i < len; i += n + 1) {
		const char *end = memchr(stack + i, ';', len - i);

		n = end ? (size_t)(end - stack) - i : len - i;
		if (!n && !end)
			break;
		child = sf_flame_child(f, at, stack + i, n, 0);
		if (child == UINT32_MAX)
			return -ENOMEM;
		if (child == at) {
			f->cut++;
			break;
		}
		at = child;
	}
	f->node[at].self[SF_FLAME_BEFORE] += value(f, before);
	f->node[at].self[SF_FLAME_AFTER] += value(f, after);
	return 0;
}

int sf_flame_add_line(struct sf_flame *f, const char *line, size_t len)
{
	struct sf_folded_line l;
	bool rounded;

	if (!sf_folded_parse(line, len, &l, &rounded))
		return -EINVAL;
	if (l.columns == 1)
		return sf_flame_add(f, l.stack, l.len, 0, (double)l.weight[0]);
	f->differential = true;
	return sf_flame_add(f, l.stack, l.len, (double)l.weight[0], (double)l.weight[1]);
}
