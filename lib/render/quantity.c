/* SPDX-License-Identifier: GPL-2.0-only */
#include "render/quantity.h"

#include <math.h>
#include <string.h>

#include <snapflame/array.h>

/* Endings of covariates' names, as the recorder writes them, and what they count. */
enum quantity { PLAIN, BYTES, SECONDS };

static const struct unit {
	const char *ending;
	enum quantity quantity;
	double scale;     /* to bytes, seconds */
	const char *text; /* of plain numbers */
} units[] = {
	{ "_kB", BYTES, 1024, NULL },     { "_bytes", BYTES, 1, NULL },
	{ "_sectors", BYTES, 512, NULL }, { "_us", SECONDS, 1e-6, NULL },
	{ "_ms", SECONDS, 1e-3, NULL },   { "_ns", SECONDS, 1e-9, NULL },
	{ "_pages", PLAIN, 1, " pages" }, { "_blocks", PLAIN, 1, " blocks" },
};

static const struct unit *unit_of(const char *name)
{
	static const struct unit none = { "", PLAIN, 1, "" };
	size_t n = strlen(name);

	for (size_t i = 0; i < SF_ARRAY_SIZE(units); i++) {
		size_t k = strlen(units[i].ending);

		if (n > k && !strcmp(name + n - k, units[i].ending))
			return &units[i];
	}
	return &none;
}

/* The unit in which the larger of the two values is a handy number. */
static double handy(enum quantity q, double most, const char **text)
{
	static const struct {
		enum quantity quantity;
		double size;
		const char *text;
	} step[] = {
		{ BYTES, 1073741824, " GB" }, { BYTES, 1048576, " MB" }, { BYTES, 1024, " kB" },
		{ BYTES, 1, " B" },           { SECONDS, 10, " s" },     { SECONDS, 1e-3, " ms" },
		{ SECONDS, 1e-6, " µs" },
	};

	for (size_t i = 0; i < SF_ARRAY_SIZE(step); i++) {
		if (step[i].quantity != q)
			continue;
		*text = step[i].text;
		if (most >= step[i].size * 0.9)
			return step[i].size == 10 ? 1 : step[i].size; /* up to 10 s: ms */
	}
	return q == SECONDS ? 1e-6 : 1;
}

struct sf_quantity sf_quantity_of(const char *name, double most)
{
	const struct unit *u = unit_of(name);
	struct sf_quantity q = { strlen(name) - strlen(u->ending), u->scale, u->text };

	if (u->quantity != PLAIN)
		q.factor /= handy(u->quantity, most * u->scale, &q.unit);
	return q;
}

void sf_quantity_number(struct sf_str *out, const struct sf_quantity *q, double v)
{
	double shown = v * q->factor;

	if (!isfinite(shown))
		sf_str_add(out, "–");
	else if (fabs(shown) >= 10 || shown == floor(shown))
		sf_str_addf(out, "%.0f", shown + 0.0);
	else
		sf_str_addf(out, fabs(shown) >= 0.1 ? "%.1f" : "%.1g", shown);
}

void sf_quantity_put(struct sf_str *out, const struct sf_quantity *q, double v)
{
	sf_quantity_number(out, q, v);
	if (isfinite(v))
		sf_str_add(out, q->unit);
}
