/* SPDX-License-Identifier: GPL-2.0-only */
/* What the name of a covariate says that it counts, and the handy unit for it; private to render/. */
#ifndef SF_RENDER_QUANTITY_H
#define SF_RENDER_QUANTITY_H

#include <stddef.h>

#include <snapflame/str.h>

struct sf_quantity {
	size_t stem;      /* bytes of the name without the ending that says the unit */
	double factor;    /* a value times this is in unit */
	const char *unit; /* " MB", " ms", " pages", "" */
};

/* most: the largest of the values that are to be shown in one unit. */
struct sf_quantity sf_quantity_of(const char *name, double most);
/* "9184", "1.2"; "–" where it is not known. The second one with its unit. */
void sf_quantity_number(struct sf_str *out, const struct sf_quantity *q, double v);
void sf_quantity_put(struct sf_str *out, const struct sf_quantity *q, double v);

#endif
