/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include <snapflame/str.h>

#include "driver.h"

/* The value at "a.b.c" below o, borrowed. */
static json_t *at_path(json_t *o, const char *path, size_t len)
{
	while (o && len) {
		size_t n = 0;
		char key[128];

		while (n < len && path[n] != '.')
			n++;
		if (n >= sizeof(key))
			return NULL;
		memcpy(key, path, n);
		key[n] = '\0';
		o = json_object_get(o, key);
		path += n + (n < len);
		len -= n + (n < len);
	}
	return o;
}

/* "pause_ms=timings.pause,diff_ms=timings.diff" */
static void copy_fields(json_t *o, const char *fields)
{
	while (fields && *fields) {
		size_t len = strcspn(fields, ",");
		const char *eq = memchr(fields, '=', len);

		if (eq) {
			json_t *v = at_path(o, eq + 1, len - (size_t)(eq + 1 - fields));
			char *name = strndup(fields, (size_t)(eq - fields));

			if (v && name)
				json_object_set(o, name, v);
			free(name);
		}
		fields += len + (fields[len] == ',');
	}
}

static json_t *load(const char *text, size_t len)
{
	json_t *o = json_loadb(text, len, JSON_DISABLE_EOF_CHECK, NULL);

	if (o && !json_is_object(o)) {
		json_decref(o);
		o = NULL;
	}
	return o;
}

/* Services print other things before; the last object is the reply. */
json_t *sf_branch_json(const char *text, size_t len, const char *fields)
{
	json_t *o = NULL;

	for (size_t i = 0; i < len; i++) {
		json_t *later;

		if (text[i] != '{' || (i && text[i - 1] != '\n'))
			continue;
		later = load(text + i, len - i);
		if (later) {
			json_decref(o);
			o = later;
		}
	}
	if (o)
		copy_fields(o, fields);
	return o;
}

void sf_branch_release(struct sf_branch *b)
{
	json_decref(b->json);
	json_decref(b->extra);
	free(b->text);
	free(b->error);
	*b = (struct sf_branch){ 0 };
}
