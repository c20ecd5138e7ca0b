/* SPDX-License-Identifier: GPL-2.0-only */
/* Values of options: text to the type that the option yields. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/array.h>

#include "options.h"

static int invalid(const struct sf_option *o, const char *text, const char *want,
		   struct sf_error *err)
{
	return sf_error_set(err, -EINVAL, "--%s: '%s' is not %s", o->name, text, want);
}

/* Decimal digits only: strtoull alone takes "-1" and " 1". */
static bool number(const char **p, uint64_t *v)
{
	char *end;

	if (!isdigit((unsigned char)**p))
		return false;
	errno = 0;
	*v = strtoull(*p, &end, 10);
	*p = end;
	return !errno;
}

/* Digits with an optional fraction. strtod alone takes "inf", "0x1p3" and the locale's comma. */
static bool decimal(const char **p, double *v)
{
	const char *s = *p;
	double scale = 1;

	if (!isdigit((unsigned char)*s) && !(*s == '.' && isdigit((unsigned char)s[1])))
		return false;
	for (*v = 0; isdigit((unsigned char)*s); s++)
		*v = *v * 10 + (*s - '0');
	if (*s == '.')
		for (s++; isdigit((unsigned char)*s); s++)
			*v += (*s - '0') * (scale /= 10);
	*p = s;
	return true;
}

static bool scaled(const char *text, uint64_t (*unit)(const char *), uint64_t *v)
{
	uint64_t u;
	double d;

	if (!decimal(&text, &d))
		return false;
	u = unit(text);
	if (!u || d * (double)u >= 18e18)
		return false;
	*v = (uint64_t)llround(d * (double)u);
	return true;
}

static uint64_t size_unit(const char *s)
{
	static const char letters[] = "kmgt";
	const char *p;

	if (!*s)
		return 1;
	p = strchr(letters, tolower((unsigned char)*s));
	if (!p || (s[1] && strcmp(s + 1, "B") && strcmp(s + 1, "iB")))
		return 0;
	return 1ULL << 10 * (p - letters + 1);
}

static uint64_t time_unit(const char *s)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} unit[] = {{"", 1000000000},	  {"s", 1000000000},   {"ms", 1000000},
		    {"us", 1000},	  {"ns", 1},	       {"m", 60000000000},
		    {"min", 60000000000}, {"h", 3600000000000}};

	for (size_t i = 0; i < SF_ARRAY_SIZE(unit); i++)
		if (!strcmp(s, unit[i].name))
			return unit[i].ns;
	return 0;
}

/*
 * A time stamp as perf script prints it, "1187.123456789": whole digits of both parts, because a
 * double loses the ns of a machine that has been up for four months.
 */
static bool stamp(const char **p, uint64_t *ns)
{
	uint64_t frac = 0, unit = 1000000000;

	if (!number(p, ns) || *ns > UINT64_MAX / 1000000000 - 1)
		return false;
	if (**p == '.')
		for ((*p)++; isdigit((unsigned char)**p); (*p)++)
			frac += (uint64_t)(**p - '0') * (unit /= 10);
	*ns = *ns * 1000000000 + frac;
	return true;
}

static bool span(const char *text, struct sf_time_span *s)
{
	s->begin = 0;
	s->end = UINT64_MAX;
	s->set = true;
	if (*text != ',' && !stamp(&text, &s->begin))
		return false;
	if (*text++ != ',')
		return false;
	if (*text && !stamp(&text, &s->end))
		return false;
	return !*text && s->begin <= s->end;
}

static int list(const struct sf_option *o, const char *text, struct sf_list *l)
{
	const char *p = text;

	while (*p) {
		struct sf_list_item it = {.word = -1};
		size_t n = strcspn(p, ",");

		for (int i = 0; o->choices && o->choices[i]; i++)
			if (strlen(o->choices[i]) == n && !strncmp(o->choices[i], p, n))
				it.word = i;
		if (it.word >= 0) {
			p += n;
		} else {
			if (!number(&p, &it.first))
				return -EINVAL;
			it.last = it.first;
			if (*p == '-') {
				it.last = UINT64_MAX;
				if (*++p && *p != ',' && !number(&p, &it.last))
					return -EINVAL;
			}
			if (it.last < it.first)
				return -EINVAL;
		}
		if (*p == ',' && p[1])
			p++;
		else if (*p)
			return -EINVAL;
		if (SF_GROW(l->item, l->nr + 1, l->alloc))
			return -ENOMEM;
		l->item[l->nr++] = it;
	}
	return l->nr ? 0 : -EINVAL;
}

static int choice(const struct sf_option *o, const char *text, int *v, struct sf_error *err)
{
	char buf[256];
	const char *near;

	for (int i = 0; o->choices[i]; i++)
		if (!strcmp(o->choices[i], text)) {
			*v = i;
			return 0;
		}
	near = sf_nearest(text, o->choices);
	if (near)
		return sf_error_set(err, -EINVAL, "--%s: unknown '%s'; did you mean '%s'?", o->name,
				    text, near);
	return sf_error_set(err, -EINVAL, "--%s: '%s' is not one of %s", o->name, text,
			    sf_option_arg(o, buf, sizeof(buf)));
}

static int percent(const char *p, double *v)
{
	return decimal(&p, v) && (!*p || !strcmp(p, "%"));
}

static int add_text(struct sf_texts *t, const char *text)
{
	if (SF_GROW(t->item, t->nr + 1, t->alloc))
		return -ENOMEM;
	t->item[t->nr++] = text;
	return 0;
}

int sf_option_value(const struct sf_option *o, const char *text, void *field, struct sf_error *err)
{
	uint64_t n;
	int ret;

	switch (o->type) {
	case SF_OPTION_END:
	case SF_OPTION_HEADING:
		return -EINVAL;
	case SF_OPTION_FLAG:
		*(bool *)field = true;
		return 0;
	case SF_OPTION_COUNT:
		++*(int *)field;
		return 0;
	case SF_OPTION_TEXT:
	case SF_OPTION_FILE:
		*(const char **)field = text;
		return 0;
	case SF_OPTION_TEXTS:
		if (add_text(field, text))
			return sf_error_set(err, -ENOMEM, "out of memory");
		return 0;
	case SF_OPTION_UINT: {
		const char *p = text;

		if (!number(&p, &n) || *p || n > UINT32_MAX)
			return invalid(o, text, "a number", err);
		*(unsigned int *)field = (unsigned int)n;
		return 0;
	}
	case SF_OPTION_SIZE:
		if (!scaled(text, size_unit, field))
			return invalid(o, text, "a size such as 4096, 64k or 1.5G", err);
		return 0;
	case SF_OPTION_TIME:
		if (!scaled(text, time_unit, field))
			return invalid(o, text, "a time such as 2, 0.5, 20ms or 3m", err);
		return 0;
	case SF_OPTION_SPAN:
		if (!span(text, field))
			return invalid(o, text, "a span of time such as 12.5,14 or 12.5, or ,14",
				       err);
		return 0;
	case SF_OPTION_PERCENT:
		if (!percent(text, field))
			return invalid(o, text, "a percentage such as 20 or 2.5%", err);
		return 0;
	case SF_OPTION_ENUM:
		return choice(o, text, field, err);
	case SF_OPTION_LIST:
		ret = list(o, text, field);
		if (ret == -ENOMEM)
			return sf_error_set(err, ret, "out of memory");
		return ret ? invalid(o, text, "a list such as 1,2,4-6", err) : 0;
	}
	return -EINVAL;
}
