/* SPDX-License-Identifier: GPL-2.0-only */
#include "missing.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/array.h>
#include <snapflame/str.h>

void sf_missing_add(struct sf_missing *m, const char *fmt, ...)
{
	struct sf_str s = SF_STR_INIT;
	char *line;
	va_list ap;

	va_start(ap, fmt);
	sf_str_vaddf(&s, fmt, ap);
	va_end(ap);
	line = sf_str_detach(&s);
	for (size_t i = 0; line && i < m->nr; i++) {
		if (!strcmp(m->line[i], line)) {
			free(line);
			return;
		}
	}
	if (!line || SF_GROW(m->line, m->nr + 1, m->alloc)) {
		free(line);
		return;
	}
	m->line[m->nr++] = line;
}

void sf_missing_release(struct sf_missing *m)
{
	for (size_t i = 0; i < m->nr; i++)
		free(m->line[i]);
	free(m->line);
	*m = (struct sf_missing){ 0 };
}
