/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of a recording's locations, as string ids of a profile that several recordings share. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/same_name.h>

#include "analysis/profile_internal.h"

int sf_namer_init(struct sf_namer *n, struct sf_profile *p, const struct sf_recording *rec)
{
	memset(n, 0, sizeof(*n));
	n->profile = p;
	n->rec = rec;
	n->nr = sf_symbols_nr_locations(rec->symbols) + 1;
	n->first = calloc(n->nr, sizeof(*n->first));
	return n->first ? 0 : -ENOMEM;
}

void sf_namer_release(struct sf_namer *n)
{
	free(n->first);
	free(n->name);
	free(n->flags);
	free(n->segment);
	sf_map64_release(&n->known);
	sf_map64_release(&n->text_of);
	memset(n, 0, sizeof(*n));
}

static int append(struct sf_namer *n, uint32_t name, unsigned flags)
{
	if (SF_GROW(n->name, n->nr_names + 1, n->name_alloc) ||
	    SF_GROW(n->flags, n->nr_names + 1, n->flags_alloc))
		return -ENOMEM;
	n->name[n->nr_names] = name;
	n->flags[n->nr_names++] = (uint8_t)flags;
	return 0;
}

static uint32_t function_label(struct sf_namer *n, const char *name, unsigned *flags)
{
	size_t len = strlen(name);
	bool piece = false;

	if (n->functions)
		len = sf_function_name(name, len, &piece);
	if (piece)
		*flags |= SF_NAMER_PIECE;
	return sf_strtab_idn(&n->profile->str, name, len);
}

static uint32_t frame_label(struct sf_namer *n, const struct sf_frame *f, unsigned *flags)
{
	struct sf_profile *p = n->profile;
	char buf[300];

	if (f->name[0])
		return function_label(n, f->name, flags);
	if (!f->dso_short || !f->dso_short[0])
		return sf_strtab_id(&p->str, "[unknown]");
	snprintf(buf, sizeof(buf), "[%s]", f->dso_short);
	return sf_strtab_id(&p->str, buf);
}

/* Names of a location, outermost first, ended by 0; NULL without memory. */
const uint32_t *sf_namer_names(struct sf_namer *n, uint32_t loc, const uint8_t **flags)
{
	if (loc >= n->nr)
		return NULL;
	if (!n->first[loc]) {
		const struct sf_frame *f;
		size_t nr = sf_symbols_frames(n->rec->symbols, loc, &f), at = n->nr_names;

		while (nr-- > 0) {
			unsigned of = f[nr].flags & ~(unsigned)SF_NAMER_PIECE;
			uint32_t id = frame_label(n, &f[nr], &of);

			if (!id || append(n, id, of))
				return NULL;
		}
		if (append(n, 0, 0))
			return NULL;
		n->first[loc] = (uint32_t)at + 1;
	}
	*flags = n->flags + n->first[loc] - 1;
	return n->name + n->first[loc] - 1;
}

enum { MAX_TEXT_FRAMES = 64 };

static uint32_t make_text(struct sf_namer *n, uint32_t stack)
{
	struct sf_str s = SF_STR_INIT;
	uint32_t id = 0;
	int depth = 0;

	for (uint32_t k = stack; k && depth < MAX_TEXT_FRAMES; k = sf_stack_parent(n->rec, k), depth++) {
		const uint8_t *flags;
		const uint32_t *name = sf_namer_names(n, sf_stack_loc(n->rec, k), &flags);
		size_t nr = 0;

		while (name && name[nr])
			nr++;
		while (nr-- > 0)
			sf_str_addf(&s, "%s%s", s.len ? " < " : "",
				    sf_strtab_text(&n->profile->str, name[nr]));
	}
	if (!sf_str_failed(&s) && s.len)
		id = sf_strtab_id(&n->profile->str, s.buf);
	sf_str_release(&s);
	return id;
}

uint32_t sf_namer_stack_text(struct sf_namer *n, uint32_t stack)
{
	bool made;
	uint32_t *id = sf_map64_at(&n->text_of, stack, &made);

	if (!id)
		return 0;
	if (made)
		*id = make_text(n, stack);
	return *id;
}
