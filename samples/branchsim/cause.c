/* SPDX-License-Identifier: GPL-2.0-only */
#include "cause.h"

#include <string.h>

static struct cause *first;

void cause_register(struct cause *c)
{
	struct cause **p = &first;

	while (*p && strcmp((*p)->name, c->name) < 0)
		p = &(*p)->next;
	c->next = *p;
	*p = c;
}

struct cause *cause_first(void)
{
	return first;
}

struct cause *cause_find(const char *name)
{
	struct cause *c = first;

	while (c && strcmp(c->name, name))
		c = c->next;
	return c;
}
