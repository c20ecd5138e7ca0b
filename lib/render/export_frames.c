/* SPDX-License-Identifier: GPL-2.0-only */
#include "render/export_frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/str.h>

static const uint32_t end_of_group = UINT32_MAX;

int sf_export_frames_init(struct sf_export_frames *f, const struct sf_recording *rec)
{
	memset(f, 0, sizeof(*f));
	f->rec = rec;
	f->nr_first = sf_symbols_nr_locations(rec->symbols) + 1;
	f->first = calloc(f->nr_first, sizeof(*f->first));
	return f->first ? 0 : -ENOMEM;
}

void sf_export_frames_release(struct sf_export_frames *f)
{
	sf_strtab_release(&f->str);
	sf_map64_release(&f->at);
	free(f->frame);
	free(f->first);
	free(f->list);
	free(f->stack);
	memset(f, 0, sizeof(*f));
}

static int intern(struct sf_export_frames *f, uint32_t name, uint32_t dso, unsigned flags,
		  uint32_t *id)
{
	uint32_t *at = name ? sf_map64_at(&f->at, (uint64_t)name << 32 | dso, NULL) : NULL;

	if (!at)
		return -ENOMEM;
	if (!*at) {
		if (SF_GROW(f->frame, f->nr + 1, f->alloc))
			return -ENOMEM;
		f->frame[f->nr++] = (struct sf_export_frame){ name, dso, (uint8_t)flags };
		*at = (uint32_t)f->nr;
	}
	*id = *at - 1;
	return 0;
}

/* What has no name is called after its file, as in folded stacks. */
static uint32_t name_of(struct sf_export_frames *f, const struct sf_frame *fr)
{
	struct sf_str s = SF_STR_INIT;
	uint32_t id = 0;

	if (fr->name[0])
		return sf_strtab_id(&f->str, fr->name);
	if (!fr->dso_short || !fr->dso_short[0])
		return sf_strtab_id(&f->str, "[unknown]");
	sf_str_addf(&s, "[%s]", fr->dso_short);
	if (!sf_str_failed(&s))
		id = sf_strtab_id(&f->str, s.buf);
	sf_str_release(&s);
	return id;
}

static int append(struct sf_export_frames *f, uint32_t id)
{
	if (SF_GROW(f->list, f->nr_list + 1, f->list_alloc))
		return -ENOMEM;
	f->list[f->nr_list++] = id;
	return 0;
}

static const uint32_t *location(struct sf_export_frames *f, uint32_t loc)
{
	const struct sf_frame *fr;
	size_t nr, at = f->nr_list;

	if (loc >= f->nr_first)
		return NULL;
	if (f->first[loc])
		return f->list + f->first[loc] - 1;
	nr = sf_symbols_frames(f->rec->symbols, loc, &fr);
	while (nr-- > 0) {
		uint32_t id, dso = 0;

		if (fr[nr].dso && fr[nr].dso[0]) {
			dso = sf_strtab_id(&f->str, fr[nr].dso);
			if (!dso)
				return NULL;
		}
		if (intern(f, name_of(f, &fr[nr]), dso, fr[nr].flags, &id) || append(f, id))
			return NULL;
	}
	if (append(f, end_of_group))
		return NULL;
	f->first[loc] = (uint32_t)at + 1;
	return f->list + at;
}

static int put(struct sf_export_frames *f, size_t *nr, uint32_t id)
{
	if (SF_GROW(f->stack, *nr + 1, f->stack_alloc))
		return -ENOMEM;
	f->stack[(*nr)++] = id;
	return 0;
}

/* Leaf first: from the last frame to the outermost, turned round at the end. */
int sf_export_stack(struct sf_export_frames *f, const struct sf_piece *s, const uint32_t **ids,
		    size_t *nr)
{
	char buf[64];
	const char *last = sf_piece_last(f->rec, s, buf, sizeof(buf));
	uint32_t id;

	*nr = 0;
	if (last && (intern(f, sf_strtab_id(&f->str, last), 0, 0, &id) || put(f, nr, id)))
		return -ENOMEM;
	for (uint32_t k = s->stack; k; k = sf_stack_parent(f->rec, k)) {
		const uint32_t *group = location(f, sf_stack_loc(f->rec, k));
		size_t n = 0;

		while (group && group[n] != end_of_group)
			n++;
		while (n-- > 0)
			if (put(f, nr, group[n]))
				return -ENOMEM;
		if (!group)
			return -ENOMEM;
	}
	for (size_t i = 0; i < *nr / 2; i++) {
		id = f->stack[i];
		f->stack[i] = f->stack[*nr - 1 - i];
		f->stack[*nr - 1 - i] = id;
	}
	*ids = f->stack;
	return 0;
}

const char *sf_export_frame_name(const struct sf_export_frames *f, uint32_t id)
{
	return sf_strtab_text(&f->str, f->frame[id].name);
}

const char *sf_export_frame_dso(const struct sf_export_frames *f, uint32_t id)
{
	return sf_strtab_text(&f->str, f->frame[id].dso);
}
