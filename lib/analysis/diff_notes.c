/* SPDX-License-Identifier: GPL-2.0-only */
/* Texts of a diff, and its lists of what to know about it. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "analysis/diff_internal.h"

const char *sf_diff_keep(struct sf_diff *d, const char *fmt, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, fmt);
	text = sf_arena_vformat(&d->arena, fmt, ap);
	va_end(ap);
	return text;
}

const char *sf_diff_text(const struct sf_diff *d, uint32_t string_id)
{
	return sf_strtab_text(&d->profile.str, string_id);
}

static int note(const char ***list, size_t *nr, const char *text)
{
	const char **p;

	if (!text)
		return -ENOMEM;
	p = realloc(*list, (*nr + 1) * sizeof(*p));
	if (!p)
		return -ENOMEM;
	*list = p;
	p[(*nr)++] = text;
	return 0;
}

int sf_diff_problem(struct sf_diff *d, const char *text)
{
	return note(&d->coverage.problem, &d->coverage.nr_problems, text);
}

int sf_diff_note(struct sf_diff *d, const char *text)
{
	return note(&d->coverage.note, &d->coverage.nr_notes, text);
}
