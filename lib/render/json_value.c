/* SPDX-License-Identifier: GPL-2.0-only */
#include "render/json_value.h"

#include <errno.h>
#include <math.h>
#include <string.h>

json_t *sf_json_name(const char *text)
{
	struct sf_str s = SF_STR_INIT;
	json_t *v;

	if (!text)
		return json_null();
	v = json_string(text);
	if (v)
		return v;
	sf_str_add_printable(&s, text, strlen(text));
	v = json_string(s.buf);
	sf_str_release(&s);
	return v;
}

json_t *sf_json_number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

json_t *sf_json_uint(uint64_t value)
{
	/* JSON's integers are signed here; nothing that is counted comes near. */
	return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

void sf_json_append(json_t **list, json_t *item)
{
	if (json_array_append_new(*list, item)) {
		json_decref(*list);
		*list = NULL;
	}
}

void sf_json_set(json_t **object, const char *key, json_t *value)
{
	if (json_object_set_new(*object, key, value)) {
		json_decref(*object);
		*object = NULL;
	}
}

/* Strings come in pieces of whole characters. */
static int append(const char *buf, size_t size, void *out)
{
	sf_str_add_inert_json(out, buf, size);
	return 0;
}

int sf_json_print(struct sf_str *out, json_t *o)
{
	int ret = -ENOMEM;

	/* 15 digits: a double's last ones are noise ("0.10000000000000001"). */
	if (o && !json_dump_callback(o, append, out, JSON_INDENT(2) | JSON_REAL_PRECISION(15)))
		ret = 0;
	json_decref(o);
	sf_str_addch(out, '\n');
	return sf_str_failed(out) ? -ENOMEM : ret;
}
